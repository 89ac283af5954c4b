package swim

import (
	"slices"
	"time"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/timer"
	"github.com/nekton-go/nekton/internal/mutant"
)

// A suspicion is the time a suspect member has to refute (SWIM §4.2). It starts long; each further
// member that suspects independently shortens it, down to the least (Lifeguard §IV-B).
//
// Invariant: the deadline only ever moves closer.
type suspicion struct {
	id        ID
	since     core.Instant
	min, max  time.Duration
	timeout   time.Duration
	wanted    int                     // confirmations that bring it to min
	accusers  []string                // the first, then those who confirmed; at most wanted+1
	evidence  Evidence                // what our own probe found, if it was ours that failed
	verdict   core.Instant            // when the time is over
	warned    bool                    // the suspect has been told, by us, or need not be
	deadline  timer.Timer[*suspicion] // of the warning, then of the verdict
	confirmed int
}

// suspect starts a suspicion against a member, with from as its first accuser.
func (m *Machine) suspect(id ID, from string, evidence *Evidence) {
	n := m.members()
	s := &suspicion{id: id, since: m.now, wanted: m.confirmationsWanted(n)}
	s.warned = m.cfg.Fidelity == Memberlist || m.cfg.NoBuddy
	s.accusers = append(make([]string, 0, s.wanted+1), from)
	s.min, s.max = m.cfg.suspicionBounds(n)
	lazy := 6 * m.bug(mutant.LazySuspicion)
	s.min, s.max = s.min<<lazy, s.max<<lazy
	s.timeout = suspicionTimeout(s.min, s.max, 0, s.wanted)
	if evidence != nil {
		s.evidence = *evidence
	}
	m.suspicions[id] = s
	m.patrol.note(id)
	m.schedule(s, m.now.Add(s.timeout>>m.bug(mutant.HastySuspicion)))
}

// schedule sets when a suspicion's time is over.
func (m *Machine) schedule(s *suspicion, verdict core.Instant) {
	next := verdict
	if !s.warned {
		next = verdict.Add(-max(m.cfg.ProbeTimeout, m.cfg.GossipInterval))
	}
	s.verdict = verdict
	m.suspicionTimers.Set(&s.deadline, s, next)
}

// confirmationsWanted is Lifeguard's K, or less where fewer members could confirm.
func (m *Machine) confirmationsWanted(n int) int {
	others := max(0, n-2) // neither us nor the suspect
	if m.cfg.Fidelity == Memberlist && others < m.cfg.Confirmations {
		return 0
	}
	return min(m.cfg.Confirmations, others)
}

// confirm notes one more accuser. It reports whether that was news worth spreading. If by then the time is over, we
// have heard it late, and may hear a refutation as late: it gets a GossipInterval.
func (m *Machine) confirm(s *suspicion, from string) bool {
	counted := slices.Contains(s.accusers, from) && m.cfg.Mutant != mutant.CountTwice
	if s.confirmed >= s.wanted || counted || m.cfg.Mutant == mutant.SlowSuspicion {
		return false
	}
	s.confirmed++
	s.accusers = append(s.accusers, from)
	s.timeout = suspicionTimeout(s.min, s.max, s.confirmed, s.wanted)
	soonest := s.since.Add(s.timeout)
	if m.cfg.Fidelity == Improved {
		soonest = max(soonest, m.now.Add(m.cfg.GossipInterval))
	}
	m.schedule(s, min(s.verdict, soonest))
	return true
}

// acquit ends a suspicion, if there is one, without a verdict.
func (m *Machine) acquit(id ID) {
	if s := m.suspicions[id]; s != nil && m.cfg.Mutant != mutant.KeepSuspicion {
		m.suspicionTimers.Stop(&s.deadline)
		delete(m.suspicions, id)
		m.patrol.note(id)
	}
}

// convict declares members dead whose time to refute is over. Whoever is about to be hears of it from us, in time to
// answer (the buddy system, Lifeguard §IV-C, without waiting for our next ping): it may be well, and its refutation
// of what others told it may have passed us by.
func (m *Machine) convict(t *core.Turn, due core.Instant) {
	for s, ok := m.suspicionTimers.Due(due); ok; s, ok = m.suspicionTimers.Due(due) {
		who, row := m.table.Identity(s.id), m.table.Row(s.id)
		if !s.warned {
			s.warned = true
			if m.cfg.Mutant != mutant.Unwarned {
				t.Send(who.Addr, &Accuse{Node: who.Name, Incarnation: row.Incarnation, From: m.cfg.Name})
			}
			m.schedule(s, max(s.verdict, m.now.Add(m.cfg.GossipInterval))) // later if we were late ourselves
			continue
		}
		m.counters.Failures++
		m.bury(t, &Bury{Node: who.Name, Incarnation: row.Incarnation, From: m.cfg.Name}, CauseSuspicion)
	}
}

// testimony is the evidence against a member that is now being declared dead by someone.
func (m *Machine) testimony(id ID, declaredBy string) Evidence {
	e := Evidence{}
	if s := m.suspicions[id]; s != nil {
		e = s.evidence
		e.Suspected, e.Suspects = s.since, s.accusers
		e.Timeout, e.Min, e.Max = s.timeout, s.min, s.max
	}
	e.Accuser, e.Health = declaredBy, m.health
	e.ProbeRTT = m.table.RTT(id)
	return e
}
