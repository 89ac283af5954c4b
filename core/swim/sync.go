package swim

import (
	"time"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/internal/mutant"
)

// The clocks of dissemination: gossip, anti-entropy and the tombstones' end.

// gossiper ticks only while there is news, but always at its own phase.
type gossiper struct {
	phase core.Instant
	next  core.Instant // core.Never while there is no news
}

// syncer exchanges everything with a random member now and then (anti-entropy).
type syncer struct {
	next    core.Instant
	running bool
}

// startClocks gives every periodic task its own random phase.
func (m *Machine) startClocks(t *core.Turn) {
	stagger := func(interval time.Duration) core.Instant {
		return m.now.Add(time.Duration(t.Rand().Int64N(int64(interval))))
	}
	m.prober.next = stagger(m.cfg.ProbeInterval)
	m.gossip.phase = stagger(m.cfg.GossipInterval)
	if m.cfg.Phase > 0 {
		m.prober.next = inPhase(m.now, m.cfg.Phase, m.cfg.ProbeInterval)
		m.gossip.phase = inPhase(m.now, m.cfg.Phase, m.cfg.GossipInterval)
	}
	m.gossip.next = core.Never
	m.sync.next = stagger(m.cfg.pushPullInterval(m.members()))
	if m.heal.next = core.Never; m.cfg.HealInterval > 0 {
		m.heal.next = stagger(m.cfg.HealInterval)
	}
}

// inPhase is the first instant from now on that is phase modulo interval.
func inPhase(now core.Instant, phase, interval time.Duration) core.Instant {
	past := (time.Duration(now) - phase%interval + interval) % interval
	return now.Add((interval - past) % interval)
}

// stopClocks ends everything this member does of its own accord.
func (m *Machine) stopClocks(t *core.Turn) {
	if m.prober.running {
		m.endProbe(t, 0)
	}
	m.prober.next, m.sync.next, m.heal.next = core.Never, core.Never, core.Never
	for s, ok := m.suspicionTimers.Due(core.Never); ok; s, ok = m.suspicionTimers.Due(core.Never) {
		delete(m.suspicions, s.id) // who has left judges nobody
	}
}

// gossipTick sends news to a few members: to the dead as well for a while, so that they can refute.
func (m *Machine) gossipTick(t *core.Turn) {
	m.gossip.next = m.gossip.after(m.now, m.cfg.GossipInterval)
	targets := m.pick(t, m.cfg.GossipNodes<<(4*m.bug(mutant.GossipToAll)), func(id ID, row *Row) bool {
		dead := row.State == Dead && m.now.Sub(row.Since) < m.cfg.GossipToDead
		return id != m.self && (!row.State.Gone() || dead)
	})
	for _, id := range targets {
		t.Gossip(m.table.Identity(id).Addr)
	}
}

// armGossip starts the gossip clock when there is news and somebody to tell, and stops it when there is not.
func (m *Machine) armGossip() {
	mourned := m.counts[Dead] > 0 && m.now.Sub(m.lastDeath) < m.cfg.GossipToDead
	if m.queue.Len() == 0 || m.peers() == 0 && !mourned {
		m.gossip.next = core.Never
	} else if m.gossip.next == core.Never {
		m.gossip.next = m.gossip.after(m.now, m.cfg.GossipInterval)
	}
}

// after is the first tick of the phase that is later than now.
func (g *gossiper) after(now core.Instant, interval time.Duration) core.Instant {
	if now < g.phase {
		return g.phase
	}
	return now.Add(interval - now.Sub(g.phase)%interval)
}

// Gossip implements core.Gossiper.
func (m *Machine) Gossip(d *core.Datagram) {
	if queued := m.queue.Len(); queued > 0 && m.cfg.Mutant != mutant.MuteGossip {
		m.queue.Fill(d, m.cfg.retransmits(m.members())+1000*m.bug(mutant.EndlessGossip))
		if m.queue.Len() < queued || m.queue.HasSpread() || m.peers() == 0 { // or else no deadline has moved
			m.rearm()
		}
	}
}

// syncTick exchanges everything with one random alive member.
func (m *Machine) syncTick(t *core.Turn) {
	m.sync.next = m.now.Add(m.cfg.pushPullInterval(m.members()))
	m.snapshot(t)
	if m.sync.running {
		return
	}
	picked := m.pick(t, 1, m.aliveOther)
	if len(picked) > 0 {
		m.sync.running = true
		until := m.now.Add(m.cfg.StreamTimeout)
		m.dial(t, m.table.Identity(picked[0]).Addr, &exchange{kind: pushPull, until: until})
	}
}
