package check

import (
	"fmt"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
)

// Wrong is the number of rows, over all running members, that differ from the truth: a member that
// runs and has not left must be alive, with the incarnation, address, metadata and versions it gives
// itself; any other must be dead, left or unknown. It is kept up to date by every event.
func (c *Checker) Wrong() int { return c.wrong }

// Incarnation is what member i gives itself, or gave itself last.
func (c *Checker) Incarnation(i int) uint32 { return c.row(i, i).incarnation }

// Disagreements describes up to limit wrong rows.
func (c *Checker) Disagreements(limit int) []string {
	var out []string
	for o := range c.members {
		for s := range c.members {
			r := c.row(o, s)
			if !r.wrong {
				continue
			}
			if len(out) == limit {
				return append(out, fmt.Sprintf("... %d rows in all", c.wrong))
			}
			out = append(out, fmt.Sprintf("%s sees %s %s; it is %s", Name(o), Name(s), r.text(), c.truth(s)))
		}
	}
	return out
}

func (m *member) present() bool { return m.running && !m.leaving && !m.excluded }

// recount compares every row that depends on whether member i is there: its view, and what the others see of it.
func (c *Checker) recount(i int) {
	for s := range c.members {
		c.compare(i, s)
	}
	c.recountSubject(i)
}

// recountSubject compares what everybody sees of one member.
func (c *Checker) recountSubject(s int) {
	for o := range c.members {
		c.compare(o, s)
	}
}

// compare decides whether one row is wrong.
func (c *Checker) compare(o, s int) {
	r, self := c.row(o, s), c.row(s, s)
	wrong := false
	switch {
	case !c.members[o].present():
	case !c.members[s].present():
		wrong = r.known && !r.state.Gone()
	default:
		wrong = !r.known || !self.known || r.state != swim.Alive ||
			r.incarnation != self.incarnation || r.identity != self.identity
	}
	if wrong == r.wrong {
		return
	}
	c.edit(o, s).wrong = wrong
	if wrong {
		c.wrong++
	} else {
		c.wrong--
	}
}

// settleMax is how many rows of one oracle are reported.
const settleMax = 5

// Settle says that every view should be right by now, and reports those that are not.
func (c *Checker) Settle(at core.Instant) {
	if c.wrong == 0 {
		return
	}
	c.log.pause(at)
	var reported [oracles]int
	for o := range c.members {
		for s := range c.members {
			r, broken := c.row(o, s), agreement
			switch m := &c.members[s]; {
			case !r.wrong:
				continue
			case m.running && m.leaving:
				broken = leaversGone
			case !m.running || m.excluded:
				broken = completeness
			}
			if reported[broken]++; reported[broken] <= settleMax {
				c.violate(o, s, broken, "sees "+r.text(), c.truth(s))
			}
		}
	}
}

// truth is what all should see of member s.
func (c *Checker) truth(s int) string {
	if !c.members[s].present() {
		return "gone"
	}
	self := c.row(s, s)
	return self.text()
}
