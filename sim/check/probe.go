package check

import (
	"fmt"
	"slices"
	"time"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
)

// probedMax is up to how many members the order of probes is followed: it takes memory for each pair, and the
// order does not depend on how many there are.
const probedMax = 1024

// prober is what a member's probes look like from outside. A round is one probe.
type prober struct {
	running  bool // at least one has started
	answered bool // the last one
	target   int32
	seq      uint32
	helpers  uint32   // asked
	before   struct { // the one before
		target int32
		seq    uint32
	}
	sent    core.Instant // the last one
	next    core.Instant // not before this
	help    core.Instant // is not asked for before this
	by      core.Instant // nor later
	rounds  int
	settled int               // since this round the members to probe are the same
	probed  []visits          // of every member
	wanted  []swim.PingMember // by the application, and not sent yet
}

// visits are the last two rounds in which a member was probed.
type visits struct{ last, before int32 }

// acked notes an answer; it reports false if no probe waits for it.
func (p *prober) acked(seq uint32, c *Coverage) bool {
	nth := seq - p.seq
	if !p.running || nth > p.helpers {
		return false
	}
	if !p.answered && nth > 0 {
		c.hit(markIndirectAck)
	}
	p.answered = true
	return true
}

// unsettle says that who is probed from now on does not follow from who was before.
func (p *prober) unsettle() { p.settled = p.rounds }

// sayPing tells a probe from a ping for somebody else. Who has no room for that may still begin a probe, by chance of
// the same member.
func (c *Checker) sayPing(i int, ping *swim.Ping) {
	t, m := &c.traffic, &c.members[i]
	full := m.relays.open() >= m.swim.RelaysMax && c.now >= m.prober.next
	for k := range t.requests {
		if r := &t.requests[k]; !full && !r.served && r.target == ping.Target && r.addr == t.to {
			r.served = true
			c.relayBegins(i, r, ping.Seq)
			return
		}
	}
	for k := range m.prober.wanted {
		if m.prober.wanted[k].Name == ping.Target {
			m.prober.wanted = slices.Delete(m.prober.wanted, k, k+1)
			return
		}
	}
	if s := c.subject(i, ping.Target); s >= 0 {
		c.probeStarted(i, s, ping.Seq)
	}
}

func (c *Checker) probeStarted(i, s int, seq uint32) {
	m, now := &c.members[i], c.now
	p := &m.prober
	if p.running && now < p.next {
		c.violate(i, s, probeInterval, "a probe begins", fmt.Sprintf("none before %v: one began at %v, at health %d",
			p.next, p.sent, time.Duration(p.next-p.sent)/m.swim.ProbeInterval-1))
	}
	p.before.target, p.before.seq = p.target, p.seq
	p.running, p.answered, p.target, p.seq, p.helpers, p.sent = true, false, int32(s), seq, 0, now
	p.next = now.Add(m.swim.ProbeInterval * time.Duration(m.score+1))
	if p.help = now.Add(m.swim.ProbeTimeout); m.swim.Fidelity == swim.Improved {
		p.help = now.Add(m.swim.ProbeTimeout * time.Duration(m.score+1))
	}
	p.by = p.next
	p.rounds++
	if c.traffic.unsettled {
		p.unsettle() // who to probe was decided before: datagrams come last
	}
	c.traffic.probed = true
	if c.row(i, s).state == swim.Suspect || c.traffic.unsettled {
		m.load.grant(1) // the buddy system tells it so, if it was suspect when the probe began
	}
	c.inTurn(i, s)
}

// inTurn checks the order of probes. Whatever the round, in passes over n members that each visit everybody
// once in any order, three visits of one span more than n rounds, and two at most 2n-1. Who has moved may be
// probed out of turn besides, but not twice in a row.
func (c *Checker) inTurn(i, s int) {
	p := &c.members[i].prober
	if p.probed == nil {
		if c.config.Nodes > probedMax {
			return
		}
		p.probed = make([]visits, c.config.Nodes)
	}
	n, v := c.members[i].peers(), &p.probed[s]
	if int(v.before) > p.settled && p.rounds-int(v.before) <= n && !c.members[s].moved {
		c.violate(i, s, probePasses, fmt.Sprintf("probed in rounds %d, %d and %d, of %d members",
			v.before, v.last, p.rounds, n), "once in each pass")
	}
	c.visited(i, s)
	v.before, v.last = v.last, int32(p.rounds)
	if k := p.rounds % c.config.Nodes; k != i && c.row(i, k).known && !c.row(i, k).state.Gone() {
		c.visited(i, k) // nobody is left out for ever
	}
}

// visited checks that a member's turn came.
func (c *Checker) visited(i, s int) {
	p := &c.members[i].prober
	n, last := c.members[i].peers(), max(int(p.probed[s].last), p.settled)
	most := max(2*n-1, 1)
	if c.moves {
		most *= 2
	}
	if p.rounds-last > most {
		c.violate(i, s, probeGap, fmt.Sprintf("not probed for %d rounds, of %d members", p.rounds-last, n),
			fmt.Sprintf("at most %d", most))
		p.settled = p.rounds // once
	}
}

// paced checks, at the end of a step, that the next probe has begun if it was due. With nobody to probe, a
// member tries again an interval later.
func (c *Checker) paced(i int) {
	m := &c.members[i]
	p := &m.prober
	switch {
	case !m.entered || m.leaving || c.traffic.probed:
	case c.traffic.peers == 0 || m.peers() == 0:
		p.by = max(p.next, c.now.Add(m.swim.ProbeInterval))
	case p.by <= c.due && c.due < c.now: // late: a round may have ended just now, and the next begins in time
	case p.by <= c.due:
		c.violate(i, -1, probePace, "no probe has begun", fmt.Sprintf("one by %v", p.by))
		p.by = c.now.Add(m.swim.ProbeInterval)
	}
}

// sayIndirect checks whom a member asks for help. Who is late may ask for one round when the next has begun.
func (c *Checker) sayIndirect(i int, ping *swim.IndirectPing) {
	p := &c.members[i].prober
	nth, target := ping.Seq-p.seq, p.target
	if before := ping.Seq - p.before.seq; c.traffic.probed && before <= helpersMax {
		nth, target = before, p.before.target
	} else if p.helpers = max(p.helpers, min(nth, helpersMax)); c.now < p.help {
		c.violate(i, int(target), probeInterval, "help is asked for", fmt.Sprintf("not before %v", p.help))
	}
	limit := uint32(c.members[i].swim.IndirectProbes)
	if nth == 0 || nth > limit || Index(ping.Target) != int(target) {
		c.violate(i, int(target), helpersBounded, fmt.Sprintf("asks %v to ping %s", c.traffic.to, ping.Target),
			fmt.Sprintf("up to %d are asked, about %s", limit, Name(int(target))))
	}
}

// helpersMax is the most that any configuration allows.
const helpersMax = 16

// health follows a member's opinion of itself.
func (c *Checker) health(i int, e *swim.HealthChanged) {
	m := &c.members[i]
	step := e.Score - e.Was
	switch {
	case e.Score < 0 || e.Score > m.swim.HealthMax:
		c.badHealth(i, e.Score)
	case e.Was != m.score || m.swim.Fidelity == swim.Improved && (step > 1 || step < -1):
		c.violate(i, -1, healthRange, fmt.Sprintf("health moves from %d to %d", e.Was, e.Score),
			fmt.Sprintf("by one, from %d", m.score))
	}
	m.score = max(e.Score, 0)
}

func (c *Checker) badHealth(i, score int) {
	c.violate(i, -1, healthRange, fmt.Sprintf("a health score of %d", score),
		fmt.Sprintf("0 to %d", c.members[i].swim.HealthMax))
}
