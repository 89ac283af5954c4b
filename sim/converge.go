package sim

import (
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/sim/check"
)

// identity is what member i is to the others when its process starts.
func (w *world) identity(i int) swim.Identity {
	name := check.Name(i)
	return swim.Identity{
		Name: name, Addr: w.addressOf(i), Meta: []byte("meta of " + name),
		Versions: orElse(w.node.Swim.Versions, swim.LAN().Versions),
	}
}

// converge starts all members at once, each with all of them in its table: alive, at incarnation 1. It is the
// calm after a join that nobody had to simulate. There are no wall clocks: they would say that 1 is long over.
func (w *world) converge() {
	base, members := w.tables.newTable(), make([]swim.Record, len(w.nodes))
	for i := range members {
		who := w.identity(i)
		members[i] = swim.Record{
			Name: who.Name, Addr: who.Addr, Meta: who.Meta, Versions: who.Versions, Incarnation: 1,
		}
		id := base.Add(who)
		row := *base.Row(id)
		row.Incarnation = members[i].Incarnation
		base.SetRow(id, row)
	}
	w.check.Converged(w.now, members)
	for i := range w.nodes {
		if _, ok := w.recover(i, false); !ok || !w.launch(i, base.clone()) {
			return
		}
		w.give(i, core.Input{Kind: core.InputWake})
	}
}
