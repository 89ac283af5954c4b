package sim

import "github.com/nekton-go/nekton/core"

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
	w.disturb(op, +1)
	switch kindTable[op.Kind].realm {
	case ofNetwork:
		w.net.add(index, op)
		if op.Kind == Exile {
			w.exile(op.Nodes)
		}
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
	w.disturb(op, -1)
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

// exile says that members are on their own from now on.
func (w *world) exile(nodes []int) {
	for _, i := range nodes {
		w.faults.Exiles++
		w.check.Exclude(i)
	}
}
