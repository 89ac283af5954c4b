package check

import (
	"fmt"
	"time"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
)

// calm is since when nothing has gone wrong in the world.
type calm struct {
	windows int // of faults, open
	since   core.Instant
	// patience is how long a fault may go on to be felt: any suspicion that it raised is decided by then.
	patience time.Duration
}

// outlast makes the calm begin no earlier than members so configured may come to terms with a fault.
func (c *calm) outlast(s *swim.Config, nodes int) {
	_, longest := suspicionBounds(s, nodes)
	c.patience = max(c.patience, longest+3*s.ProbeInterval*time.Duration(s.HealthMax+1))
}

// Disturbed says that a fault has just happened, begun or ended, and how many are now under way.
func (c *Checker) Disturbed(at core.Instant, windows int) { c.calm.windows, c.calm.since = windows, at }

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
