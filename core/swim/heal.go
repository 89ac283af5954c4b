package swim

import (
	"net/netip"
	"time"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/internal/mutant"
)

// Healing. A partition that lasts longer than the dead get gossip would stay for ever: each side holds
// the other for dead and nobody dials. So every member now and then exchanges everything with one it
// has lost, or with a seed that is no alive member, as often as there are more of them than alive
// members: the cost to a healthy cluster is next to nothing, and half a cluster looks for the other
// half at once. It takes turns: most may be gone for good, and nobody else may know of the one that is not.

const lonelyRounds = 2 // between attempts of who knows nobody alive, in ProbeIntervals

type healer struct {
	next    core.Instant
	running bool
	owed    time.Duration // an exchange is due when it is HealInterval
	turn    int           // the candidate tried last
	token   core.Token    // of the seed that is being resolved
	seed    string
	until   core.Instant // when the resolution is given up
}

// healTick starts one exchange, perhaps.
func (m *Machine) healTick(t *core.Turn) {
	m.heal.next = m.now.Add(m.cfg.HealInterval)
	if m.peers() == 0 { // who knows nobody alive tries again soon
		m.heal.next = m.now.Add(min(m.cfg.HealInterval, lonelyRounds*m.cfg.ProbeInterval))
	}
	if m.cfg.Mutant == mutant.RepeatNews {
		m.spread(t, m.self, m.news(m.self), 0)
	}
	lost, alone := m.counts[Dead], 0
	var strangers []string // seeds that are not known to be members
	for i := range m.seeds {
		if s := &m.seeds[i]; !m.met(s) {
			strangers = append(strangers, s.name)
		}
	}
	if m.peers() == 0 && lost == 0 { // what an earlier life remembers counts until somebody is found
		alone = len(m.remembered)
	}
	candidates, peers := lost+len(strangers)+alone, max(1, m.peers())
	if candidates == 0 || m.heal.running || m.cfg.Mutant == mutant.NeverHeal {
		return
	}
	whole := m.cfg.HealInterval
	if m.heal.owed == 0 { // who lose the same member at once look for it one after another
		m.heal.owed, m.heal.turn = time.Duration(t.Rand().Int64N(int64(whole))), t.Rand().IntN(candidates)
	}
	if m.heal.owed += whole / time.Duration(peers) * time.Duration(min(candidates, peers)); m.heal.owed < whole {
		return
	}
	m.heal.owed -= whole
	m.heal.turn = (m.heal.turn + 1) % candidates
	m.counters.Heals++
	m.heal.running = true
	switch nth := m.heal.turn - lost; {
	case nth >= len(strangers):
		m.healWith(t, m.remembered[nth-len(strangers)], "")
	case nth >= 0:
		m.heal.seed, m.heal.until = strangers[nth], m.now.Add(m.cfg.StreamTimeout)
		m.heal.token = t.Resolve(m.heal.seed)
	default:
		for id := range ID(m.table.Bound()) {
			if row := m.table.Row(id); row.Used && row.State == Dead {
				if nth++; nth == 0 {
					m.healWith(t, m.table.Identity(id).Addr, "")
				}
			}
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
