package check

import (
	"fmt"
	"time"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
)

// calm is since when nothing has gone wrong in the world, and what must come of the last thing that has.
type calm struct {
	windows int // of faults, open
	since   core.Instant
	before  time.Duration // of calm, before that
	// patience is how long a fault may go on to be felt: any probe or warning that it spoilt is over by then, and
	// without warnings any suspicion that it raised is decided.
	patience time.Duration
	// detection is how long it may take until everybody knows of a crash: longer is as likely as that nobody
	// probes a member for 25 rounds.
	detection time.Duration

	mourned int32        // a member that crashed in calm
	by      core.Instant // when everybody must know
}

// probeRounds are enough for somebody to have probed anybody, for all that matters: each of n members does so
// in any one round with a chance of 1/n.
const probeRounds = 25

// outlast allows for members so configured.
func (c *calm) outlast(s *swim.Config, nodes int) {
	_, longest := suspicionBounds(s, nodes)
	spoilt := 3 * s.ProbeInterval * time.Duration(s.HealthMax+1)
	if !warns(s) {
		spoilt += longest
	}
	c.patience = max(c.patience, spoilt)
	exchange := s.PushPullInterval
	for n := 32; n < nodes; n *= 2 {
		exchange += s.PushPullInterval
	}
	rounds := 2 * min(2*nodes-1, probeRounds) // members that miss answers take their time
	c.detection = max(c.detection, s.ProbeInterval*time.Duration(rounds)+longest+2*exchange)
}

// Disturbed says that a fault has just happened, begun or ended, and how many are now under way.
func (c *Checker) Disturbed(at core.Instant, windows int) {
	c.calm.before = 0
	if c.calm.windows == 0 {
		c.calm.before = at.Sub(c.calm.since)
	}
	c.calm.windows, c.calm.since, c.calm.by = windows, at, core.Never
}

// mourn notes that a member has crashed. If that is all that happened in a long calm, it must be noticed in time.
func (c *Checker) mourn(at core.Instant, i int) {
	if c.calm.windows == 0 && c.calm.since == at && c.calm.before > c.calm.patience && c.members[i].entered {
		c.calm.mourned, c.calm.by = int32(i), at.Add(c.calm.detection)
	}
}

// mourned checks that everybody knows of a crash.
func (c *Checker) mourned() {
	s := int(c.calm.mourned)
	c.calm.by = core.Never
	for i := range c.members {
		if r := c.row(i, s); i != s && c.members[i].present() && r.known && !r.state.Gone() {
			c.violate(i, s, detectionTime, "sees "+r.text(), fmt.Sprintf("dead, %v after its crash", c.calm.detection))
			return
		}
	}
}

// alarm checks a declaration that a member failed. In calm, nobody fails who runs.
func (c *Checker) alarm(i, s int) {
	if c.calm.windows > 0 || !c.members[s].present() || !c.members[i].present() || c.members[s].moved {
		return // who has moved is indeed not to be found where it was
	}
	if quiet := c.log.at.Sub(c.calm.since); quiet > c.calm.patience {
		c.violate(i, s, noFalsePositives, "is declared failed, and runs",
			fmt.Sprintf("nobody fails in calm, after %v of it", quiet))
	}
}
