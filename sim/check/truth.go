package check

import (
	"fmt"

	"github.com/nekton-go/nekton/core/swim"
)

// Wrong is the number of rows, over all running members, that differ from the truth: a member that
// runs and has not left must be alive, with the incarnation, address, metadata and versions it gives
// itself; any other must be dead, left or unknown. It is kept up to date by every event.
func (c *Checker) Wrong() int { return c.wrong }

// Disagreements describes up to limit wrong rows.
func (c *Checker) Disagreements(limit int) []string {
	var out []string
	for o := range c.members {
		for s := range c.members {
			r := &c.view(o)[s]
			if !r.wrong {
				continue
			}
			if len(out) == limit {
				return append(out, fmt.Sprintf("... %d rows in all", c.wrong))
			}
			truth := "gone"
			if c.members[s].present() {
				truth = c.view(s)[s].text()
			}
			out = append(out, fmt.Sprintf("%s sees %s %s; it is %s", Name(o), Name(s), r.text(), truth))
		}
	}
	return out
}

func (m *member) present() bool { return m.running && !m.leaving }

// recount compares every row that depends on member i: its view, and what the others see of it.
func (c *Checker) recount(i int) {
	for k := range c.members {
		c.compare(i, k)
		c.compare(k, i)
	}
}

// compare decides whether one row is wrong.
func (c *Checker) compare(o, s int) {
	r, self := &c.view(o)[s], &c.view(s)[s]
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
	r.wrong = wrong
	if wrong {
		c.wrong++
	} else {
		c.wrong--
	}
}
