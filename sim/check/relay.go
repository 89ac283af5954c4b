package check

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
)

// A request is an indirect ping that a member has heard in this step.
type request struct {
	seq    uint32
	nack   bool
	served bool
	target string
	addr   netip.AddrPort
	asker  netip.AddrPort
}

// relays are the pings that a member has sent for others, oldest first.
type relays struct{ queue []relay }

type relay struct {
	seq      uint32 // of the ping
	askerSeq uint32
	asker    netip.AddrPort
	nackAt   core.Instant // Never: nobody wants one, or it has been sent
	until    core.Instant
	acked    bool
	passed   bool // the ack, to the asker
}

// relayBegins notes a ping for somebody else.
func (c *Checker) relayBegins(i int, r *request, seq uint32) {
	rs, now, s := &c.members[i].relays, c.now, c.members[i].swim
	one := relay{
		seq: seq, asker: r.asker, askerSeq: r.seq, nackAt: core.Never, until: now.Add(s.ProbeTimeout),
	}
	if r.nack {
		one.nackAt = now.Add(nackAfter(s))
	}
	rs.queue = append(rs.queue, one)
	c.coverage.hit(markRelay)
	if open := rs.open(); open > s.RelaysMax {
		c.violate(i, -1, relaysBounded, fmt.Sprintf("%d pings for others under way", open),
			fmt.Sprintf("at most %d", s.RelaysMax))
	}
}

// open is how many have no answer yet.
func (rs *relays) open() (n int) {
	for k := range rs.queue {
		if !rs.queue[k].acked {
			n++
		}
	}
	return n
}

// nackAfter is when a helper must admit that it has no answer (Lifeguard §IV-A; HashiCorp's: too late).
func nackAfter(c *swim.Config) time.Duration {
	after := c.ProbeTimeout
	if rest := c.ProbeInterval - c.ProbeTimeout; c.Fidelity == swim.Improved && rest < after {
		after = rest
	}
	return after * time.Duration(c.NackPercent) / 100
}

func (rs *relays) acked(seq uint32) {
	for k := range rs.queue {
		if rs.queue[k].seq == seq {
			rs.queue[k].acked = true
		}
	}
}

// forwarded reports whether a member may pass an ack on.
func (rs *relays) forwarded(asker netip.AddrPort, seq uint32) bool {
	for k := range rs.queue {
		if r := &rs.queue[k]; r.askerSeq == seq && r.asker == asker && r.acked && !r.passed {
			r.passed = true
			return true
		}
	}
	return false
}

// sayNack checks that a nack was asked for, is true and comes at its time.
func (c *Checker) sayNack(i int, seq uint32) {
	rs := &c.members[i].relays
	for k := range rs.queue {
		r := &rs.queue[k]
		if r.askerSeq != seq || r.asker != c.traffic.to || r.nackAt == core.Never || r.acked {
			continue
		}
		if c.now < r.nackAt {
			c.violate(i, -1, nackInTime, "a nack", fmt.Sprintf("not before %v", r.nackAt))
		}
		r.nackAt = core.Never
		return
	}
	c.unasked(i, "a nack", "a helper without an answer, and an asker who wants to know")
}

// relayed checks, at the end of a step, that nacks that were due have left. It forgets what is over.
func (c *Checker) relayed(i int) {
	q := c.members[i].relays.queue
	if len(q) == 0 {
		return
	}
	for k := range q {
		if r := &q[k]; r.nackAt <= c.due && !r.acked {
			c.violate(i, -1, nackInTime, fmt.Sprintf("no nack for %v", r.asker), fmt.Sprintf("one at %v", r.nackAt))
			r.nackAt = core.Never
		}
	}
	over := 0
	for over < len(q) && q[over].until <= c.due {
		over++
	}
	if over > 0 {
		c.members[i].relays.queue = append(q[:0], q[over:]...)
	}
}

func (c *Checker) unasked(i int, what, expected string) {
	c.violate(i, -1, answersAsked, what+" for "+c.traffic.to.String(), expected)
}
