package swim

import (
	"fmt"

	"github.com/nekton-go/nekton/core"
)

// What always holds between two steps, for tests and the simulator: see core.Config.Check. A check costs
// the same however large the table is, on average over many steps.

// A patrol is which rows the self-check looks at: those that changed, and now and then the next of all.
type patrol struct {
	changed [8]ID // the last few, in a ring
	changes uint
	checked uint // of changes
	steps   uint
	next    ID
}

// patrolEvery is after how many steps the self-check looks at one more row.
const patrolEvery = 4

func (p *patrol) note(id ID) {
	if p.checked < p.changes && p.changed[(p.changes-1)%uint(len(p.changed))] == id {
		return // it will be looked at
	}
	p.changed[p.changes%uint(len(p.changed))] = id
	p.changes++
}

// Invariant implements core.Invariant.
func (m *Machine) Invariant() (what string) {
	found := func(breach string) bool { what = breach; return breach != "" }
	if m.running && (found(m.checkSelf()) || found(m.checkRows()) || found(m.checkProber()) || found(m.checkAsks()) ||
		found(m.checkBounds()) || found(m.checkTimers())) {
		return what
	}
	return ""
}

func (m *Machine) checkSelf() string {
	me, want := m.table.Row(m.self), Alive
	if m.leaving {
		want = Left
	}
	switch {
	case !me.Used || me.State != want:
		return fmt.Sprintf("this member is %v in its own table, leaving=%v", me.State, m.leaving)
	case me.Incarnation > m.wanted || me.Incarnation > m.reserved && !m.leaving:
		return fmt.Sprintf("incarnation %d, %d wanted, %d reserved", me.Incarnation, m.wanted, m.reserved)
	case m.wanted > incarnationMax:
		return fmt.Sprintf("incarnation %d wanted; the last is %d", m.wanted, incarnationMax)
	case m.wanted > me.Incarnation && m.reserving == 0 && !m.leaving:
		return fmt.Sprintf("incarnation %d wanted, and nothing on its way", m.wanted)
	case m.health < 0 || m.health > m.cfg.HealthMax:
		return fmt.Sprintf("health %d", m.health)
	}
	return ""
}

// checkRows looks at the rows that changed, and perhaps at one more. Once it has been through them all it
// counts them.
func (m *Machine) checkRows() string {
	p := &m.patrol
	if kept := uint(len(p.changed)); p.changes-p.checked > kept {
		p.checked = p.changes - kept
	}
	for ; p.checked < p.changes; p.checked++ {
		if what := m.checkRow(p.changed[p.checked%uint(len(p.changed))]); what != "" {
			return what
		}
	}
	if p.steps++; p.steps%patrolEvery != 0 {
		return ""
	}
	if p.next++; int(p.next) >= m.table.Bound() {
		p.next = 0
		if what := m.checkCounts(); what != "" {
			return what
		}
	}
	return m.checkRow(p.next)
}

func (m *Machine) checkCounts() string {
	var counts [states]int
	for id := range ID(m.table.Bound()) {
		if row := m.table.Row(id); row.Used {
			counts[row.State]++
		}
	}
	if counts != m.counts {
		return fmt.Sprintf("counted %v by state, where there are %v", m.counts, counts)
	}
	return ""
}

func (m *Machine) checkRow(id ID) string {
	row := m.table.Row(id)
	if !row.Used {
		return ""
	}
	r := Describe(row, m.table.Identity(id))
	found, ok := m.table.Find(r.Name)
	s := m.suspicions[id]
	switch {
	case !ok || found != id:
		return fmt.Sprintf("%q does not lead to its row", r.Name)
	case !m.sound(&r):
		return fmt.Sprintf("the record of %s makes no sense", r.Name)
	case row.Since > m.now:
		return fmt.Sprintf("%s is %v since %v, which has not come", r.Name, row.State, row.Since)
	case s == nil && row.State == Suspect && !m.leaving:
		return fmt.Sprintf("%s is suspect for ever", r.Name)
	case s != nil && (row.State != Suspect || s.id != id):
		return fmt.Sprintf("%s is %v, with a suspicion under way", r.Name, row.State)
	case s != nil && (!s.deadline.Armed() || s.timeout < s.min || s.timeout > s.max || s.confirmed > s.wanted):
		return fmt.Sprintf("suspicion of %s: %v, between %v and %v, %d of %d confirmations",
			r.Name, s.timeout, s.min, s.max, s.confirmed, s.wanted)
	}
	return ""
}

func (m *Machine) checkProber() string {
	p := &m.prober
	switch {
	case m.leaving && (p.running || p.next != core.Never):
		return "a member that has left probes"
	case !m.leaving && p.running != (p.next == core.Never):
		return fmt.Sprintf("probing=%v, and the next round at %v", p.running, p.next)
	case p.running && (p.sent > p.patience || p.patience > p.verdict):
		return fmt.Sprintf("probe sent at %v, helpers at %v, verdict at %v", p.sent, p.patience, p.verdict)
	case len(p.helpers) > min(m.cfg.IndirectProbes, helpersMax):
		return fmt.Sprintf("%d helpers", len(p.helpers))
	}
	return ""
}

func (m *Machine) checkAsks() string {
	q := &m.asks
	relays, pings := 0, 0
	for i := range q.queue {
		switch a := &q.queue[i]; {
		case a.done:
		case a.relay:
			relays++
		default:
			pings++
		}
		if i > 0 && q.queue[i].until < q.queue[i-1].until {
			return "pings in flight are out of order"
		}
	}
	if relays != q.relays || pings != q.pings || q.nackers > len(q.queue) {
		return fmt.Sprintf("%d relays and %d pings counted, where there are %d and %d; %d of %d past their nack",
			q.relays, q.pings, relays, pings, q.nackers, len(q.queue))
	}
	return ""
}

func (m *Machine) checkBounds() string {
	c := &m.cfg
	if within(m.rows(), c.MembersMax) && within(m.queue.Len(), c.BroadcastsMax) &&
		within(m.asks.relays, c.RelaysMax) && within(len(m.seeds), c.SeedsMax) && within(m.asks.pings, c.PingsMax) &&
		within(m.userLinks, c.PingsMax) && within(m.joining, c.ExchangesMax) {
		return ""
	}
	return fmt.Sprintf("in use: %d of MembersMax (%d), %d of BroadcastsMax (%d), %d of RelaysMax (%d), "+
		"%d of SeedsMax (%d), %d and %d of PingsMax (%d), %d of ExchangesMax (%d)", m.rows(), c.MembersMax,
		m.queue.Len(), c.BroadcastsMax, m.asks.relays, c.RelaysMax, len(m.seeds), c.SeedsMax, m.asks.pings,
		m.userLinks, c.PingsMax, m.joining, c.ExchangesMax)
}

func within(value, bound int) bool { return 0 <= value && value <= bound }

func (m *Machine) checkTimers() string {
	switch {
	case m.exchangeTimers.Len() != len(m.exchanges):
		return fmt.Sprintf("%d exchanges, %d deadlines", len(m.exchanges), m.exchangeTimers.Len())
	case m.suspicionTimers.Len() != len(m.suspicions):
		return fmt.Sprintf("%d suspicions, %d deadlines", len(m.suspicions), m.suspicionTimers.Len())
	case len(m.suspicions) > m.counts[Suspect]:
		return fmt.Sprintf("%d suspicions of %d suspects", len(m.suspicions), m.counts[Suspect])
	case len(m.backlog) > 0 && m.joining < m.cfg.ExchangesMax:
		return fmt.Sprintf("%d seeds wait for nothing", len(m.backlog))
	case m.queue.Len() > 0 && m.peers() > 0 && m.gossip.next == core.Never:
		return "news, and nobody will be told"
	}
	return ""
}
