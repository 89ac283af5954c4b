package sim

import (
	"slices"
	"time"

	"github.com/nekton-go/nekton/core/swim"
)

// Members that are configured unlike the others, as happens while a change is rolled out.

// Modes of Retune.
const (
	shorter = "shorter" // intervals, instead of longer
	numbers = "numbers" // instead of intervals
)

// swimOf is what member i's newest process is configured with, but for its name and the like.
func (w *world) swimOf(i int) *swim.Config {
	if own := w.nodes[i].tuned; own != nil {
		return own
	}
	return &w.node.Swim
}

// configure decides what member i's next process is configured with: like all, unless a fault says otherwise.
func (w *world) configure(i int) swim.Config {
	w.nodes[i].tuned = nil
	c := w.node.Swim
	for _, k := range w.ailing {
		op := &w.ops[k]
		if op.Kind != Retune || !slices.Contains(op.Nodes, i) {
			continue
		}
		w.faults.Retunes++
		w.nodes[i].tuned = &c
		if op.Mode == numbers {
			w.renumber(i, &c)
			continue
		}
		for _, interval := range [...]*time.Duration{
			&c.ProbeInterval, &c.ProbeTimeout, &c.GossipInterval, &c.GossipToDead, &c.PushPullInterval,
			&c.StreamTimeout, &c.HealInterval, &c.LeaveTimeout,
		} {
			*interval += time.Duration(op.signed(int64(*interval) / million * int64(op.PPM)))
		}
	}
	return c
}

// renumber draws how many, and how often, for a member.
func (w *world) renumber(i int, c *swim.Config) {
	for k, n := range [...]struct {
		field      *int
		least, top int
	}{
		{&c.IndirectProbes, 0, 5}, {&c.SuspicionMult, 2, 8}, {&c.SuspicionScale, 1, 8}, {&c.Confirmations, 0, 4},
		{&c.RetransmitMult, 2, 6}, {&c.GossipNodes, 1, 5}, {&c.HealthMax, 0, 8},
	} {
		*n.field = n.least + int(below(draw(w.seed, forRetune, uint64(i), 0, uint64(k)), int64(n.top-n.least+1)))
	}
}
