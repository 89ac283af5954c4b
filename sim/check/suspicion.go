package check

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/core/timer"
)

// suspicions are those a member holds against others.
type suspicions struct {
	open  map[int32]*suspicion // looked up only
	times timer.Heap[*suspicion]
	free  []*suspicion
}

// suspicion is one of them. Who confirms it is known from what its holder heard in datagrams; its holder may
// itself confirm it without a word, by a probe, or a push/pull if it follows memberlist. So its length is known up
// to that one.
type suspicion struct {
	subject  int32
	addr     netip.AddrPort // where it lives
	since    core.Instant
	min, max time.Duration
	wanted   int           // confirmations that make it shortest
	grace    time.Duration // that a confirmation leaves at least
	latest   core.Instant  // when it must have ended
	heard    []int32       // accusers that its holder must have counted, the first included
	said     []int32       // accusers that its holder may have counted
	warned   bool          // its holder has told the subject, or need not
	timer    timer.Timer[*suspicion]
}

// slack is how far from the true length a suspicion may end, for it is rounded.
func (s *suspicion) slack() time.Duration { return time.Millisecond + (s.max-s.min)/100_000 }

// suspected opens a suspicion, of who lives at addr.
func (c *Checker) suspected(i, s int, addr netip.AddrPort) {
	m := &c.members[i]
	ss := &m.suspicions
	if ss.open == nil {
		ss.open = map[int32]*suspicion{}
	}
	one := new(suspicion)
	if n := len(ss.free); n > 0 {
		one, ss.free = ss.free[n-1], ss.free[:n-1]
	}
	n := m.states[swim.Alive] + m.states[swim.Suspect]
	if m.swim.Fidelity == swim.Memberlist {
		n += m.states[swim.Dead] + m.states[swim.Left]
	}
	one.subject, one.addr, one.since = int32(s), addr, c.now
	one.min, one.max = suspicionBounds(m.swim, n)
	one.wanted = confirmations(m.swim, n)
	one.heard, one.said = one.heard[:0], append(one.said[:0], int32(i))
	ss.open[one.subject] = one
	for _, a := range c.traffic.accusers {
		if a.subject == one.subject {
			one.said = appendNew(one.said, a.from)
		}
	}
	if m.swim.Fidelity == swim.Improved {
		one.grace = m.swim.GossipInterval
	}
	one.latest = one.ends(len(one.heard)-1, one.slack())
	ss.times.Set(&one.timer, one, one.latest)
	m.load.grant(m.limit * one.wanted)
	if one.warned = !warns(m.swim); !one.warned {
		m.load.grant(1)
	}
}

// warns says whether members so configured warn whom they are about to declare dead.
func warns(s *swim.Config) bool { return s.Fidelity == swim.Improved && !s.NoBuddy }

// warning says whether an accusation, in a datagram to some address, is the last warning to the accused, which does
// not wait its turn, and however late it comes leaves it a grace to answer. Any warning counts.
func (c *Checker) warning(i int, a *swim.Accuse, to netip.AddrPort) bool {
	m := &c.members[i]
	one := m.suspicions.open[int32(Index(a.Node))]
	if one == nil || to != one.addr || Index(a.From) != i {
		return false
	}
	one.warned = true
	last := c.now >= one.ends(len(one.said)-1, -one.slack()-max(m.swim.ProbeTimeout, m.swim.GossipInterval))
	if last {
		c.coverage.hit(markWarned)
		one.latest = max(one.latest, c.now.Add(one.grace+one.slack()))
		m.suspicions.times.Set(&one.timer, one, one.latest)
	}
	return last
}

// accuser says who accused a member first, here.
func (c *Checker) accuser(i int, name, from string) {
	if one := c.members[i].suspicions.open[int32(Index(name))]; one != nil && len(one.heard) == 0 {
		one.heard = append(one.heard, int32(Index(from)))
		one.said = appendNew(one.said, int32(Index(from)))
	}
}

// confirmed notes an accusation that a member has heard.
func (c *Checker) confirmed(i int, a accuser) {
	m := &c.members[i]
	one := m.suspicions.open[a.subject]
	if one == nil {
		return
	}
	one.said = appendNew(one.said, a.from)
	if !m.leaving && a.incarnation >= c.row(i, int(a.subject)).incarnation && len(one.heard) > 0 {
		if before := len(one.heard); before <= one.wanted {
			one.heard = appendNew(one.heard, a.from)
			if len(one.heard) > before {
				c.coverage.hit(markConfirmed)
				soonest := max(one.ends(len(one.heard)-1, one.slack()), c.now.Add(one.grace+one.slack()))
				one.latest = min(one.latest, soonest)
				m.suspicions.times.Set(&one.timer, one, one.latest)
			}
		}
	}
}

func appendNew(all []int32, one int32) []int32 {
	if slices.Contains(all, one) {
		return all
	}
	return append(all, one)
}

// ends is when a suspicion of so many confirmations runs out, give or take a slack.
func (s *suspicion) ends(confirmations int, slack time.Duration) core.Instant {
	return s.since.Add(suspicionLength(s.min, s.max, confirmations, s.wanted) + slack)
}

// decided closes a suspicion. If it ran out, it did so in its time.
func (c *Checker) decided(i, s int, cause swim.Cause) {
	ss := &c.members[i].suspicions
	one := ss.open[int32(s)]
	if one == nil {
		return
	}
	if at := one.ends(len(one.said)-1, -one.slack()); cause == swim.CauseSuspicion && c.now < at {
		c.violate(i, s, suspicionMin, fmt.Sprintf("a suspicion of %v runs out after %v", one.since,
			c.now.Sub(one.since)), fmt.Sprintf("not before %v, with %d accusers of at least %v to %v",
			at, len(one.said), one.min, one.max))
	}
	if cause == swim.CauseSuspicion && !one.warned {
		c.violate(i, s, suspectWarned, "is declared dead unwarned", "told so before, by who declares it")
	}
	ss.times.Stop(&one.timer)
	delete(ss.open, one.subject)
	ss.free = append(ss.free, one)
}

// judged checks, at the end of a step, that no suspicion is older than it may be.
func (c *Checker) judged(i int) {
	m := &c.members[i]
	for one, ok := m.suspicions.times.Due(c.due); ok; one, ok = m.suspicions.times.Due(c.due) {
		if !m.leaving { // who has left judges nobody
			c.violate(i, int(one.subject), suspicionMax, fmt.Sprintf("a suspicion of %v still stands", one.since),
				fmt.Sprintf("decided by %v, with %d accusers of %v to %v", one.latest, len(one.heard),
					one.min, one.max))
		}
	}
}

// failed checks what a member gives as its reasons for a failure.
func (c *Checker) failed(i int, e *swim.Failed) {
	s := Index(e.Member.Name)
	if s < 0 || s >= len(c.members) {
		return
	}
	c.alarm(i, s)
	suspects := e.Evidence.Suspects
	for k, name := range suspects {
		if slices.Contains(suspects[:k], name) {
			c.violate(i, s, distinctAccusers, name+" is counted as an accuser twice", "once")
		}
	}
	if limit := c.members[i].swim.Confirmations + 1; len(suspects) > limit {
		c.violate(i, s, distinctAccusers, fmt.Sprintf("%d accusers are counted", len(suspects)),
			fmt.Sprintf("at most %d", limit))
	}
}
