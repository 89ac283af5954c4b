package sim

import (
	"github.com/nekton-go/nekton/codec/cbor"
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/sim/check"
)

// oversee has the oracles watch. They read what members say to each other if they can, and if it is members who
// say it.
func (w *world) oversee(c *Case, h *Harness) {
	config := check.Config{
		Nodes: c.Nodes, MTU: mtu, Swim: w.node.Swim, SwimOf: w.swimOf, Forged: c.forged(), Locate: w.index,
		Tell: func(i int, at core.Instant) core.Instant { return w.nodes[i].clock.tell(at) },
	}
	if !h.Opaque && !c.Sealed && !config.Forged {
		config.Dialect = cbor.New(cbor.Config{})
	}
	w.check = check.New(config)
	for _, oracle := range h.Oracles {
		w.check.Watch(oracle(w.check.Log()))
	}
}

// disturb tells the oracles that the world is not calm. A crash is over at once, as far as others go. Once keys
// have changed, who knows which is not followed: from then on members that run may be deaf to each other.
func (w *world) disturb(op *Op, opened int) {
	switch {
	case op.Kind == Crash || op.Kind == CrashWithin:
	case kindTable[op.Kind].params&isWindow != 0, op.Kind == Key && w.sealed:
		w.windows += opened
	}
	w.check.Disturbed(w.now, w.windows)
}
