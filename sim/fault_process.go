package sim

// strike begins a fault of processes, or of the machines they run on.
func (w *world) strike(index int32, op *Op) {
	for _, i := range op.Nodes {
		p := &w.nodes[i]
		p.unwell = true
		switch op.Kind {
		case Crash:
			w.crash(i, op.Lost)
		case CrashWithin:
			p.fuse, p.fused = op.Nth, index
		case Pause, Freeze:
			if w.halt(i, index) {
				w.faults.Pauses++
			}
		}
	}
	if op.Kind == Starve {
		w.starve(index)
	}
	if kindTable[op.Kind].ails {
		w.ail(index)
	}
}

// relieve ends a fault of processes.
func (w *world) relieve(index int32, op *Op) {
	if op.Mode == moved || op.Mode == swapped {
		w.move(op.Nodes, op.Mode == swapped)
	}
	if kindTable[op.Kind].ails {
		w.heal(index)
	}
	for _, i := range op.Nodes {
		switch p := &w.nodes[i]; op.Kind {
		case CrashWithin:
			if p.fuse > 0 && p.fused == index {
				p.fuse = 0
			}
			w.boot(i, op.Lost)
		case Crash:
			w.boot(i, op.Lost)
		case Pause, Freeze, Starve:
			w.resume(i, index)
		}
	}
}

// Modes of Crash: how members come back.
const (
	moved   = "moved"   // at an address that nobody used before
	swapped = "swapped" // each at the address of the next
)

// blow kills a process in the middle of a step.
func (w *world) blow(i int) {
	w.faults.CrashesWithin++
	w.crash(i, w.ops[w.nodes[i].fused].Lost)
}
