package sim

import (
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/sim/check"
)

// schedule queues an operation. Operations are kept: the slot of an event names one.
func (w *world) schedule(op Op) {
	w.ops = append(w.ops, op)
	i := int32(len(w.ops) - 1)
	w.pushEvent(core.Instant(op.At), classSchedule, event{kind: evBegin, node: i})
	if op.Until > 0 {
		w.pushEvent(core.Instant(op.Until), classSchedule, event{kind: evEnd, node: i})
	}
}

// begin carries out an operation, or opens its window.
func (w *world) begin(index int32) {
	op := &w.ops[index]
	w.trace.op(w.now, "", op)
	switch kindTable[op.Kind].realm {
	case ofNetwork:
		w.net.add(index, op)
	case ofDisks:
		w.openDisks(index)
	case ofProcess:
		w.strike(index, op)
	case ofMembers:
		for _, i := range op.Nodes {
			w.work(i, op)
		}
	case ofStranger:
		w.net.tap.users++
		w.attack(index, 0)
	}
}

// end closes an operation's window.
func (w *world) end(index int32) {
	op := &w.ops[index]
	w.trace.op(w.now, "end of ", op)
	switch kindTable[op.Kind].realm {
	case ofNetwork:
		w.net.remove(index)
	case ofDisks:
		w.closeDisks(index)
	case ofProcess:
		w.relieve(index, op)
	case ofStranger:
		w.net.tap.users--
	}
}

// strike begins a fault of processes.
func (w *world) strike(index int32, op *Op) {
	for _, i := range op.Nodes {
		w.nodes[i].unwell = true
		switch op.Kind {
		case Crash:
			w.crash(i, op.Lost)
		case Pause:
			if w.halt(i, index) {
				w.faults.Pauses++
			}
		}
	}
	if op.Kind == Starve {
		w.starve(index)
	}
}

// relieve ends a fault of processes.
func (w *world) relieve(index int32, op *Op) {
	for _, i := range op.Nodes {
		switch op.Kind {
		case Crash:
			w.boot(i, op.Lost)
		case Pause, Starve:
			w.resume(i, index)
		}
	}
}

// work has member i do what its application wants.
func (w *world) work(i int, op *Op) {
	switch op.Kind {
	case Start:
		w.boot(i, false)
	case Join:
		w.join(i, op.Peers)
	case Leave:
		w.command(i, swim.Leave{ID: w.commandID(i)})
	case Call:
		w.command(i, w.call(i, op))
	}
}

func (w *world) join(i int, peers []int) {
	seeds := make([]string, len(peers))
	for k, p := range peers {
		seeds[k] = check.Name(p) + port
	}
	w.command(i, swim.Join{ID: w.commandID(i), Seeds: seeds})
}
