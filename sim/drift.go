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

// configure decides what member i's next process is configured with: like all, unless faults say otherwise. Of
// several that change intervals, the newest does.
func (w *world) configure(i int) swim.Config {
	p := &w.nodes[i]
	c, newest := w.node.Swim, (*Op)(nil)
	p.tuned = nil
	for _, k := range w.ailing {
		op := &w.ops[k]
		if op.Kind != Retune || !slices.Contains(op.Nodes, i) {
			continue
		}
		w.faults.Retunes++
		p.tuned = &c
		if op.Mode == numbers {
			w.renumber(i, &c)
		} else {
			newest = op
		}
	}
	if newest != nil {
		stretch(&c, newest.signed(int64(newest.PPM)))
	}
	return c
}

// stretch makes intervals longer, by so many ppm.
func stretch(c *swim.Config, ppm int64) {
	for _, interval := range [...]*time.Duration{
		&c.ProbeInterval, &c.ProbeTimeout, &c.GossipInterval, &c.GossipToDead, &c.PushPullInterval,
		&c.StreamTimeout, &c.HealInterval, &c.LeaveTimeout,
	} {
		*interval += *interval / million * time.Duration(ppm)
	}
}

const multMost = 8 // of what renumber draws

// slowest is the configuration of c's members that takes longest to settle anything.
func (c *Case) slowest() swim.Config {
	slow, longest := c.Swim, int64(0)
	for i := range c.Ops {
		switch op := &c.Ops[i]; {
		case op.Kind != Retune:
		case op.Mode == numbers:
			slow.SuspicionMult = max(slow.SuspicionMult, multMost)
			slow.SuspicionScale = max(slow.SuspicionScale, multMost)
		default:
			longest = max(longest, op.signed(int64(op.PPM)))
		}
	}
	stretch(&slow, longest)
	return slow
}

// renumber draws how many, and how often, for a member.
func (w *world) renumber(i int, c *swim.Config) {
	for k, n := range [...]struct {
		field      *int
		least, top int
	}{
		{&c.IndirectProbes, 0, 5}, {&c.SuspicionMult, 2, multMost}, {&c.SuspicionScale, 1, multMost},
		{&c.Confirmations, 0, 4}, {&c.RetransmitMult, 2, 6}, {&c.GossipNodes, 1, 5}, {&c.HealthMax, 0, 8},
	} {
		*n.field = n.least + int(below(draw(w.seed, forRetune, uint64(i), 0, uint64(k)), int64(n.top-n.least+1)))
	}
}
