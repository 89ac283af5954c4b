package swim

import (
	"net/netip"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/internal/mutant"
)

// Healing. A partition that lasts longer than the dead get gossip would stay for ever: each side holds
// the other for dead and nobody dials. So every member now and then exchanges everything with one it
// has lost, or with a seed that is no alive member, as likely as there are more of them than alive
// members: the cost to a healthy cluster is next to nothing, and half a cluster looks for the other
// half at once.

// lonelyRounds is after how many probe intervals a member tries again that knows nobody alive.
const lonelyRounds = 2

type healer struct {
	next    core.Instant
	running bool
	token   core.Token // of the seed that is being resolved
	seed    string
	until   core.Instant // when the resolution is given up
}

// healTick starts one exchange, perhaps.
func (m *Machine) healTick(t *core.Turn) {
	m.heal.next = m.now.Add(m.cfg.HealInterval)
	if m.peers() == 0 {
		m.heal.next = m.now.Add(min(m.cfg.HealInterval, lonelyRounds*m.cfg.ProbeInterval))
	}
	if m.cfg.Mutant == mutant.RepeatNews {
		m.spread(t, m.self, m.news(m.self), 0)
	}
	lost := m.counts[Dead]
	strangers := 0 // seeds that are not known to be members
	for i := range m.seeds {
		if !m.met(&m.seeds[i]) {
			strangers++
		}
	}
	alone := 0 // what an earlier life remembers counts until somebody is found
	if m.peers() == 0 && lost == 0 {
		alone = len(m.remembered)
	}
	candidates := lost + strangers + alone
	if candidates == 0 || m.heal.running || t.Rand().IntN(max(1, m.peers())) >= candidates ||
		m.cfg.Mutant == mutant.NeverHeal {
		return
	}
	m.counters.Heals++
	m.heal.running = true
	switch nth := t.Rand().IntN(candidates); {
	case nth >= lost+strangers:
		m.healWith(t, m.remembered[nth-lost-strangers], "")
	case nth >= lost:
		m.healSeed(t, nth-lost)
	default:
		dead := m.pick(t, 1, func(_ ID, row *Row) bool { return row.State == Dead })
		m.healWith(t, m.table.Identity(dead[0]).Addr, "")
	}
}

// healSeed resolves the nth seed that is not known to be a member.
func (m *Machine) healSeed(t *core.Turn, nth int) {
	for i := range m.seeds {
		if s := &m.seeds[i]; !m.met(s) {
			if nth == 0 {
				m.heal.token, m.heal.seed = t.Resolve(s.name), s.name
				m.heal.until = m.now.Add(m.cfg.StreamTimeout)
				return
			}
			nth--
		}
	}
}

func (m *Machine) healResolved(t *core.Turn, in *core.Input) {
	m.heal.token, m.heal.running = 0, false
	others := m.others(in.Addrs)
	switch {
	case in.Fault != core.FaultNone || m.leaving:
	case len(others) > 0:
		m.heal.running = true
		m.healWith(t, others[t.Rand().IntN(len(others))], m.heal.seed)
	case len(in.Addrs) > 0:
		m.meetSeed(m.heal.seed, m.cfg.Addr)
	}
}

func (m *Machine) healWith(t *core.Turn, addr netip.AddrPort, seed string) {
	m.dial(t, addr, &exchange{kind: healPull, seed: seed, until: m.now.Add(m.cfg.StreamTimeout)})
}
