package check

import (
	"fmt"
	"time"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
)

// load bounds what a member sends without being asked.
type load struct {
	claims int          // messages that spread news and may still leave: each change of a row allows so many
	window core.Instant // from then on, bytes on a link allow answers again
	gossip core.Instant // when what was gossiped would have left evenly; two intervals ahead of now at most
	busyAt core.Instant // when there was news last
	round  int          // the round of probes then
}

func (l *load) grant(claims int) { l.claims += claims }

// heardNews notes a claim, which may be worth two answers: one to who brought it, one to a rival.
func (c *Checker) heardNews(i int) {
	c.members[i].load.grant(2)
	c.busy(i)
}

// heardLink notes bytes on a link: a push/pull may be worth as many answers as a member gives at all.
func (c *Checker) heardLink(i int) {
	l, s := &c.members[i].load, c.members[i].swim
	if c.now >= l.window {
		l.grant(s.AnswersMax)
		l.window = c.now.Add(s.ProbeInterval)
	}
	c.busy(i)
}

func (c *Checker) busy(i int) {
	m := &c.members[i]
	m.load.busyAt, m.load.round = c.now, m.prober.rounds
}

// atRest reports whether a member has had no news for so long that it has told all it knew. Rounds of probes
// count as time, because they pass only while its process runs.
func (c *Checker) atRest(i int) bool {
	m, s := &c.members[i], c.members[i].swim
	if len(m.suspicions.open) > 0 {
		return false // it may be confirmed any time, which is news
	}
	batches := m.limit * (1 + c.config.Nodes/max(c.config.MTU/c.recordMax, 1))
	long := s.GossipInterval * time.Duration(batches)
	return c.now.Sub(m.load.busyAt) > long && m.prober.rounds-m.load.round > batches+int(long/s.ProbeInterval)
}

// spent takes what a datagram spreads from what its sender may spread.
func (c *Checker) spent(i int) {
	t, m := &c.traffic, &c.members[i]
	if t.news == 0 {
		return
	}
	if m.load.claims -= t.news; m.load.claims < 0 {
		c.violate(i, -1, transmissionsBounded,
			fmt.Sprintf("%d messages more than all there was to say", -m.load.claims),
			fmt.Sprintf("each leaves at most %d times", m.limit))
		m.load.claims = m.limit // and go on
	}
	if t.solicit || c.log.in.kind != core.InputWake {
		return
	}
	if t.spares > 0 {
		t.spares--
		return
	}
	s := m.swim
	if c.atRest(i) {
		c.violate(i, -1, loadAtRest, "gossip, with no news for "+c.now.Sub(m.load.busyAt).String(),
			"at rest, probes and answers alone")
		return
	}
	if s.GossipNodes == 0 {
		return
	}
	if m.load.gossip < c.now {
		m.load.gossip = c.now
	}
	m.load.gossip = m.load.gossip.Add(s.GossipInterval / time.Duration(s.GossipNodes))
	if m.load.gossip > c.now.Add(2*s.GossipInterval) {
		c.violate(i, -1, loadBounded, "more gossip than that",
			fmt.Sprintf("%d datagrams every %v", s.GossipNodes, s.GossipInterval))
		m.load.gossip = c.now
	}
}

// drained checks, when a member tells how much it has queued, that it is nothing at rest.
func (c *Checker) drained(i int, info *swim.Info) {
	m := &c.members[i]
	switch {
	case info.Broadcasts == 0:
		m.load.claims = len(m.suspicions.open) * (m.limit*m.swim.Confirmations + 1) // that may yet come, and a warning
		m.load.window = c.now
	case c.config.Dialect != nil && m.peers() > 0 && m.swim.GossipNodes > 0 && c.atRest(i):
		c.violate(i, -1, queuesDrain, fmt.Sprintf("%d broadcasts queued, with no news since %v",
			info.Broadcasts, m.load.busyAt), "none")
	}
}
