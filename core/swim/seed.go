package swim

import (
	"net/netip"

	"github.com/nekton-go/nekton/core"
)

// A seed is a name to join, and to heal with while it is no alive member.
type seed struct {
	name string

	answered   bool
	answeredAt core.Instant
	member     bool // the member it was then is known
	id         ID
	generation uint16
}

// seedTrust is for how many heal intervals a seed counts as met that is this member itself, or that
// answered from an address no member has: a load balancer, say.
const seedTrust = 10

// rememberSeed keeps a seed; the newest Config.SeedsMax are kept.
func (m *Machine) rememberSeed(name string) {
	if m.seed(name) != nil {
		return
	}
	m.seeds = append(m.seeds, seed{name: name})
	if len(m.seeds) > m.cfg.SeedsMax {
		m.seeds = append(m.seeds[:0], m.seeds[1:]...)
	}
}

func (m *Machine) seed(name string) *seed {
	for i := range m.seeds {
		if m.seeds[i].name == name {
			return &m.seeds[i]
		}
	}
	return nil
}

// meetSeed notes that a seed has answered, from addr, or turned out to be this member.
func (m *Machine) meetSeed(name string, addr netip.AddrPort) {
	s := m.seed(name)
	if s == nil {
		return
	}
	// Whoever answers while there is no room may well be a member: that does not count.
	s.answered, s.answeredAt, s.member = m.counts[Alive]+m.counts[Suspect] < m.cfg.MembersMax, m.now, false
	for id := range ID(m.table.Bound()) {
		if row := m.table.Row(id); row.Used && m.table.Identity(id).Addr == addr {
			s.answered, s.member, s.id, s.generation = true, true, id, row.Generation
			return
		}
	}
}

// met reports whether a seed is an alive member. Names change hands, so what is this member itself, or
// answers from nowhere known, is looked up again after a while.
func (m *Machine) met(s *seed) bool {
	switch {
	case !s.answered:
		return false
	case !s.member || s.id == m.self:
		return m.now.Sub(s.answeredAt) < seedTrust*m.cfg.HealInterval
	}
	row := m.table.Row(s.id)
	return row.Generation == s.generation && row.Used && !row.State.Gone()
}
