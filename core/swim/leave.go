package swim

import (
	"bytes"
	"fmt"
	"time"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/gossip"
)

// A waiter is a command that completes when its news has spread.
type waiter struct {
	command uint64
	ticket  gossip.Ticket // 0 until the news is queued
	until   core.Instant
}

// leave says goodbye. The row of this member is Left from here on, whatever comes.
func (m *Machine) leave(t *core.Turn, c Leave) {
	if m.leaving && len(m.waiters) == 0 {
		t.Emit(&core.Done{ID: c.ID})
		return
	}
	m.wait(c.ID, c.Timeout)
	if !m.leaving {
		m.leaving = true
		m.stopClocks(t)
		m.set(t, m.self, Left, m.incarnation(), m.record(m.self), CauseSelf)
	}
	m.spread(t, m.self, &Bury{Node: m.cfg.Name, Incarnation: m.incarnation(), From: m.cfg.Name}, m.ticket())
	m.settleIfAlone(t)
}

// setMeta changes this member's metadata, which takes a higher incarnation.
func (m *Machine) setMeta(t *core.Turn, c SetMeta) {
	switch {
	case m.leaving:
		t.Emit(&core.Done{ID: c.ID, Fault: core.FaultClosed, Detail: "this member has left"})
		return
	case len(c.Meta) > m.cfg.MetaMax:
		why := fmt.Sprintf("%d bytes; Config.MetaMax is %d", len(c.Meta), m.cfg.MetaMax)
		t.Emit(&core.Done{ID: c.ID, Fault: core.FaultTooLarge, Detail: why})
		return
	case m.incarnation() >= incarnationMax:
		t.Emit(&core.Done{ID: c.ID, Fault: core.FaultInvalid, Detail: "this member has no incarnations left"})
		return
	}
	m.meta = bytes.Clone(c.Meta)
	m.wait(c.ID, 0)
	m.raise(t, max(m.wanted, m.incarnation())+1)
}

func (m *Machine) wait(command uint64, timeout time.Duration) {
	if timeout == 0 {
		timeout = m.cfg.LeaveTimeout
	}
	m.waiters = append(m.waiters, waiter{command: command, until: m.now.Add(timeout)})
}

// ticket is for the next broadcast about this member: whoever waits, waits for that one.
func (m *Machine) ticket() gossip.Ticket {
	if len(m.waiters) == 0 {
		return 0
	}
	m.tickets++
	for i := range m.waiters {
		m.waiters[i].ticket = m.tickets
	}
	return m.tickets
}

// settle completes the waiters whose news has spread, or whose time is over.
func (m *Machine) settle(t *core.Turn, due core.Instant) {
	var spread gossip.Ticket
	for ticket, ok := m.queue.Spread(); ok; ticket, ok = m.queue.Spread() {
		spread = max(spread, ticket)
	}
	left := m.waiters[:0]
	for _, w := range m.waiters {
		switch {
		case w.ticket != 0 && w.ticket <= spread:
			t.Emit(&core.Done{ID: w.command})
		case w.until <= due:
			t.Emit(&core.Done{ID: w.command, Fault: core.FaultTimeout, Detail: "done here, but not told to enough members yet"})
		default:
			left = append(left, w)
		}
	}
	m.waiters = left
}

// settleIfAlone completes waiters at once when there is nobody to tell.
func (m *Machine) settleIfAlone(t *core.Turn) {
	others := m.counts[Alive] + m.counts[Suspect]
	if !m.leaving {
		others-- // this one
	}
	if others > 0 {
		return
	}
	for _, w := range m.waiters {
		t.Emit(&core.Done{ID: w.command})
	}
	m.waiters = m.waiters[:0]
}

func (m *Machine) settleDeadline() core.Instant {
	if m.queue.HasSpread() {
		return m.now
	}
	d := core.Never
	for i := range m.waiters {
		d = min(d, m.waiters[i].until)
	}
	return d
}
