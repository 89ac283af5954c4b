package check

import (
	"slices"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
)

// event checks what a member tells its application.
func (c *Checker) event(i int, ev core.Event) {
	switch ev := ev.(type) {
	case *swim.Transition:
		c.transition(i, ev)
	case *swim.Ready:
		c.enters(i) // by now, even if nothing changed in a table it began with
	case *swim.Joined:
		c.tell(i, ev.Member.Name, toldAlive, toldNothing, toldFailed, toldLeft)
	case *swim.Updated:
		c.tell(i, ev.Member.Name, toldAlive, toldAlive)
	case *swim.Refuted:
		c.tell(i, ev.Member.Name, toldAlive, toldSuspect)
	case *swim.Suspected:
		c.tell(i, ev.Member.Name, toldSuspect, toldAlive)
		c.accuser(i, ev.Member.Name, ev.From)
	case *swim.Failed:
		c.tell(i, ev.Member.Name, toldFailed, toldAlive, toldSuspect)
		c.failed(i, ev)
	case *swim.Departed:
		c.tell(i, ev.Member.Name, toldLeft, toldAlive, toldSuspect)
	case *swim.Reaped:
		c.tell(i, ev.Name, toldNothing, toldFailed, toldLeft)
	case *swim.HealthChanged:
		c.health(i, ev)
	case *swim.Info:
		c.info(i, ev)
	}
	c.coverage.event(ev)
	if done, ok := ev.(core.Completion); ok {
		c.completed(i, done)
	}
}

// tell folds an event about a member; from are the beliefs it makes sense after.
func (c *Checker) tell(i int, name string, to told, from ...told) {
	s := c.subject(i, name)
	if s < 0 || s == i {
		return
	}
	r := c.edit(i, s)
	if !slices.Contains(from, r.told) {
		c.violate(i, s, eventsOrdered, "the application is told "+toldText[to],
			"not after it was told "+toldText[r.told])
	}
	r.told = to
	c.touched = append(c.touched, int32(s))
}

// folded compares what an application was told in this step with the table.
func (c *Checker) folded(i int) {
	for _, s := range c.touched {
		r := c.row(i, int(s))
		if int(s) == i || r.told == r.tellable() {
			continue
		}
		c.violate(i, int(s), eventsFold, "the application was told "+toldText[r.told],
			"the table says "+r.text())
		c.edit(i, int(s)).told = r.tellable() // report each divergence once
	}
	c.touched = c.touched[:0]
}
