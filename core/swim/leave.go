package swim

import (
	"bytes"
	"fmt"
	"time"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/gossip"
	"github.com/nekton-go/nekton/internal/mutant"
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
	if !m.leaving {
		m.depart(t)
	}
	m.wait(t, c.ID, c.Timeout)
	if m.cfg.Mutant != mutant.SilentLeave {
		m.spread(t, m.self, &Bury{Node: m.cfg.Name, Incarnation: m.incarnation(), From: m.cfg.Name}, m.ticket())
	}
	m.settleIfAlone(t)
}

// depart makes this member's own row Left, above whatever it stands accused of.
func (m *Machine) depart(t *core.Turn) {
	m.leaving = true
	m.stopClocks(t)
	for _, w := range m.waiters {
		why := "this member left before it was told to others"
		t.Emit(&core.Done{ID: w.command, Fault: core.FaultClosed, Detail: why})
	}
	m.waiters = m.waiters[:0]
	// A refutation that still waits for the journal is not announced, but what it answers must not
	// outrank the goodbye.
	incarnation := max(m.incarnation(), m.wanted-1)
	m.set(t, m.self, Left, incarnation, m.record(m.self), CauseSelf)
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
	if m.wait(t, c.ID, 0) {
		m.meta = bytes.Clone(c.Meta)
		m.raise(t, max(m.wanted, m.incarnation())+1)
	}
}

// wait notes that a command completes once its news has spread. It reports false, and has answered, if too
// many wait already.
func (m *Machine) wait(t *core.Turn, command uint64, timeout time.Duration) bool {
	if len(m.waiters) >= m.cfg.PingsMax {
		why := "Config.PingsMax commands wait for their news to spread"
		t.Emit(&core.Done{ID: command, Fault: core.FaultBusy, Detail: why})
		return false
	}
	if timeout == 0 {
		timeout = m.cfg.LeaveTimeout
	}
	m.waiters = append(m.waiters, waiter{command: command, until: m.now.Add(timeout)})
	return true
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
			why := "done here, but not told to enough members yet"
			t.Emit(&core.Done{ID: w.command, Fault: core.FaultTimeout, Detail: why})
		default:
			left = append(left, w)
		}
	}
	m.waiters = left
}

// settleIfAlone completes waiters at once when there is nobody to tell, and no join that may find somebody.
func (m *Machine) settleIfAlone(t *core.Turn) {
	if m.peers() > 0 || m.joins > 0 {
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
