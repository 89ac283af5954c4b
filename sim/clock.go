package sim

import (
	"time"

	"github.com/nekton-go/nekton/core"
)

// clock is monotonic time as one member's machine tells it. The zero value tells the world's. It never goes
// back; deadlines are kept by it, so a member whose clock is slow waits longer.
type clock struct {
	odd   bool  // it may tell another time than the world's
	still bool  // it stands
	rate  int64 // how much faster it is, in ppm
	grain core.Instant
	since core.Instant // of the world; then
	base  core.Instant // it told this
}

const rateMax = 100_000 // ppm; no product below overflows within a run

// tell returns what the clock reads.
func (c *clock) tell(now core.Instant) core.Instant {
	if !c.odd {
		return now
	}
	t := c.exact(now)
	if c.grain > 0 {
		t -= t % c.grain
	}
	return t
}

func (c *clock) exact(now core.Instant) core.Instant {
	passed := max(now-c.since, 0)
	if c.still {
		return c.base
	}
	gained := int64(passed) * c.rate
	if gained < 0 {
		gained -= million - 1 // rounds down, as well
	}
	return c.base + passed + core.Instant(gained/million)
}

// when returns the first moment of the world at which the clock reads at least t, if nothing changes.
func (c *clock) when(t core.Instant) core.Instant {
	switch {
	case !c.odd || t == core.Never:
		return t
	case c.grain > 0 && t > 0:
		t = (t + c.grain - 1) / c.grain * c.grain
	}
	switch {
	case t <= c.base:
		return c.since
	case c.still:
		return core.Never
	}
	x, per := int64(t-c.base), million+c.rate
	now := c.since + core.Instant(x/per*million+x%per*million/per) - 1
	for c.exact(now) < t { // a few times: divisions round
		now++
	}
	return now
}

// change sets how the clock goes from now on, and reports whether that is different.
func (c *clock) change(now core.Instant, still bool, rate int64, grain time.Duration) bool {
	if c.still == still && c.rate == rate && c.grain == core.Instant(grain) {
		return false
	}
	c.base, c.since = c.exact(now), now
	if !c.odd {
		c.base = now
	}
	c.odd, c.still, c.rate, c.grain = true, still, rate, core.Instant(grain)
	return true
}
