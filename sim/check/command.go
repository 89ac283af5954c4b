package check

import (
	"fmt"
	"slices"
	"time"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
)

const commandPatience = time.Minute // a command that has not completed after this never will

type command struct {
	id uint64
	at core.Instant
}

// issued notes a command that must complete.
func (c *Checker) issued(i int, cmd core.Command) {
	m := &c.members[i]
	m.commands = append(m.commands, command{cmd.CommandID(), c.log.at})
	switch cmd := cmd.(type) {
	case swim.Inspect:
		return // it is no news
	case swim.Join:
		c.toldSeeds(i, &cmd)
	case swim.Leave:
		m.leaving = true
		m.load.grant(m.limit)
		c.recount(i)
	case swim.PingMember:
		m.prober.wanted = append(m.prober.wanted, cmd)
	}
	c.busy(i)
}

func (c *Checker) completed(i int, done core.Completion) {
	m := &c.members[i]
	if done.Completes() == 0 {
		return // the join that a member starts by itself: no command carries 0
	}
	m.prober.wanted = slices.DeleteFunc(m.prober.wanted, func(p swim.PingMember) bool {
		return p.ID == done.Completes() // it was not even sent
	})
	for k, cmd := range m.commands {
		if cmd.id == done.Completes() {
			m.commands = append(m.commands[:k], m.commands[k+1:]...)
			return
		}
	}
	c.violate(i, -1, commandsComplete, fmt.Sprintf("command %d completed, but was not open", done.Completes()), "")
}

// commandsLeft complains about commands that had their chance.
func (c *Checker) commandsLeft(at core.Instant) {
	for i := range c.members {
		for _, cmd := range c.members[i].commands {
			if at.Sub(cmd.at) > commandPatience {
				c.violate(i, -1, commandsComplete, fmt.Sprintf("command %d of %v never completed", cmd.id, cmd.at), "")
			}
		}
	}
}
