package sim

import (
	"fmt"
	"strings"
	"time"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/sim/check"
)

// Kind is what an Op does.
type Kind uint8

// The operations and faults of a schedule. Those with a window last from At until Until, or to the end
// of the run if Until is zero.
const (
	Start     Kind = iota // Nodes begin to run
	Join                  // Nodes join by way of Peers
	Leave                 // Nodes leave gracefully; the process stays
	Crash                 // window: Nodes stop at once; at Until they start again, Lost: without journal and wall clock
	Pause                 // window: Nodes do nothing; what arrives waits, or is dropped once too much does
	Cut                   // window: nothing gets through between Nodes and Peers; OneWay: from Nodes to Peers
	Loss                  // window: PPM of the packets between Nodes and Peers are lost
	Duplicate             // window: PPM of them arrive twice
	Reorder               // window: PPM of them are late by up to Extra
	kinds
)

var kindText = [kinds]string{"start", "join", "leave", "crash", "pause", "cut", "loss", "duplicate", "reorder"}

// String names the kind.
func (k Kind) String() string {
	if k < kinds {
		return kindText[k]
	}
	return "kind?"
}

// An Op is one entry of a schedule. Which fields count depends on Kind. In Cut, Loss, Duplicate and
// Reorder no Nodes, or no Peers, means all of them.
type Op struct {
	At, Until    time.Duration // since the beginning of the run
	Kind         Kind
	Nodes, Peers []int
	OneWay       bool
	Lost         bool
	PPM          int
	Extra        time.Duration
}

// String puts the operation on one line.
func (o Op) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v %s", o.Kind, members(o.Nodes))
	if o.Kind == Join || o.Kind >= Cut {
		arrow := map[bool]string{false: " - ", true: " > "}[o.OneWay]
		b.WriteString(arrow + members(o.Peers))
	}
	if o.PPM > 0 {
		fmt.Fprintf(&b, " %d ppm", o.PPM)
	}
	if o.Extra > 0 {
		fmt.Fprintf(&b, " up to %v", o.Extra)
	}
	if o.Lost {
		b.WriteString(" lost")
	}
	if o.Until > 0 {
		fmt.Fprintf(&b, " until %v", o.Until)
	}
	return b.String()
}

// members names some members, runs of neighbours as n0..n9.
func members(nodes []int) string {
	if len(nodes) == 0 {
		return "all"
	}
	var parts []string
	for i := 0; i < len(nodes); {
		j := i
		for j+1 < len(nodes) && nodes[j+1] == nodes[j]+1 {
			j++
		}
		switch part := check.Name(nodes[i]); {
		case j > i+1:
			parts = append(parts, part+".."+check.Name(nodes[j]))
			i = j + 1
		default:
			parts = append(parts, part)
			i++
		}
	}
	return strings.Join(parts, " ")
}

// schedule queues an operation. Operations are kept: the slot of an event names one.
func (w *world) schedule(op Op) {
	w.ops = append(w.ops, op)
	i := int32(len(w.ops) - 1)
	w.pushEvent(core.Instant(op.At), classSchedule, event{kind: evBegin, node: i})
	if op.Until > 0 && op.Kind >= Crash {
		w.pushEvent(core.Instant(op.Until), classSchedule, event{kind: evEnd, node: i})
	}
}

// begin carries out an operation, or opens its window.
func (w *world) begin(index int32) {
	op := &w.ops[index]
	w.trace.op(w.now, "", op)
	switch op.Kind {
	case Cut, Loss, Duplicate, Reorder:
		w.net.add(index, op, len(w.nodes))
		return
	}
	for _, i := range op.Nodes {
		switch op.Kind {
		case Start:
			w.boot(i, false)
		case Join:
			w.join(i, op.Peers)
		case Leave:
			w.command(i, swim.Leave{ID: w.commandID(i)})
		case Crash:
			w.crash(i, op.Lost)
		case Pause:
			w.pause(i)
		}
	}
}

// end closes an operation's window.
func (w *world) end(index int32) {
	op := &w.ops[index]
	w.trace.op(w.now, "end of ", op)
	switch op.Kind {
	case Cut, Loss, Duplicate, Reorder:
		w.net.remove(index)
		return
	}
	for _, i := range op.Nodes {
		switch op.Kind {
		case Crash:
			w.boot(i, op.Lost)
		case Pause:
			w.resume(i)
		}
	}
}

func (w *world) join(i int, peers []int) {
	seeds := make([]string, len(peers))
	for k, p := range peers {
		seeds[k] = check.Name(p) + port
	}
	w.command(i, swim.Join{ID: w.commandID(i), Seeds: seeds})
}
