package check

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
)

// sampled is of how many datagrams one is written again: a rule of the dialect alone needs no more.
const sampled = 16

// traffic is what the datagrams of the present step say, as far as an oracle cares.
type traffic struct {
	// Heard.
	from      netip.AddrPort
	pings     []uint32 // their numbers, until they are answered
	requests  []request
	accusers  []accuser
	hearOne   func(core.Message)
	probed    bool // a probe has started
	unsettled bool // the members to probe have changed
	spares    int  // datagrams of news that may leave out of turn
	peers     int  // of the member, before the step
	datagrams uint64

	// Said, in the present datagram.
	to      netip.AddrPort
	solicit bool // it asks or answers something: it does more than spread news
	news    int  // messages that spread
	sayOne  func(core.Message)

	again   []byte
	ends    []int // of messages in again
	parts   [][]byte
	copyOne func(core.Message)
}

// An accuser is who said that a member is suspect, as of an incarnation.
type accuser struct {
	subject, from int32
	incarnation   uint32
}

func (t *traffic) bind(c *Checker) {
	t.hearOne = c.hearMessage
	t.sayOne = c.sayMessage
	t.copyOne = c.copyMessage
}

func (t *traffic) begin() {
	t.pings, t.requests, t.accusers = t.pings[:0], t.requests[:0], t.accusers[:0]
	t.probed, t.unsettled, t.spares = false, false, 0
}

// hear reads a datagram that a member is about to handle. One that was damaged on its way says nothing.
func (c *Checker) hear(i int, in *core.Input) {
	if c.config.Dialect == nil || !c.members[i].entered {
		return
	}
	c.traffic.from = in.From
	_ = c.config.Dialect.ReadDatagram(in.Data, c.traffic.hearOne)
}

func (c *Checker) hearMessage(msg core.Message) {
	t, i := &c.traffic, c.log.node
	m := &c.members[i]
	switch msg := msg.(type) {
	case *swim.Ping:
		t.pings = append(t.pings, msg.Seq)
	case *swim.Ack:
		if !m.prober.acked(msg.Seq, &c.coverage) {
			m.relays.acked(msg.Seq)
		}
	case *swim.Nack:
		if nth := msg.Seq - m.prober.seq; 0 < nth && nth <= m.prober.helpers {
			c.coverage.hit(markNack)
		}
	case *swim.IndirectPing:
		t.requests = append(t.requests, request{
			seq: msg.Seq, nack: msg.Nack, target: msg.Target, addr: msg.TargetAddr, asker: t.from,
		})
	case *swim.Announce:
		c.heardNews(i)
		c.hearAnnounce(i, msg)
	case *swim.Accuse:
		c.heardNews(i)
		c.hearAccuse(i, Index(msg.Node), Index(msg.From), msg.Incarnation)
	case *swim.Bury:
		c.heardNews(i)
		if Index(msg.Node) == i {
			c.accusedSelf(i, msg.Incarnation)
		}
	}
}

// hearAnnounce marks what an announcement shows.
func (c *Checker) hearAnnounce(i int, a *swim.Announce) {
	s := Index(a.Name)
	if s < 0 || s >= len(c.members) {
		return
	}
	r := c.row(i, s)
	switch {
	case s == i && a.Incarnation > r.incarnation:
		c.coverage.hit(markReminded)
	case s == i && a.Incarnation == r.incarnation && identity(&a.Record) != r.identity:
		c.coverage.hit(markReused)
	case r.known && r.state.Gone() && a.Incarnation <= r.incarnation:
		c.coverage.hit(markStaleClaim)
	}
}

// hearAccuse notes who accuses whom.
func (c *Checker) hearAccuse(i, s, from int, incarnation uint32) {
	if s == i {
		c.accusedSelf(i, incarnation)
		return
	}
	if s >= 0 && s < len(c.members) {
		a := accuser{int32(s), int32(from), incarnation}
		c.traffic.accusers = append(c.traffic.accusers, a)
		c.confirmed(i, a)
	}
}

// accusedSelf notes that a member has to refute.
func (c *Checker) accusedSelf(i int, incarnation uint32) {
	m := &c.members[i]
	if !m.leaving && incarnation >= c.row(i, i).incarnation && incarnation < incarnationMax {
		m.accused = max(m.accused, incarnation)
		c.coverage.hit(markAccused)
	}
}

// incarnationMax is beyond refuting.
const incarnationMax = 1<<31 - 1

// say reads a datagram that a member sends.
func (c *Checker) say(i int, e *core.Effect) {
	if len(e.Data) > c.config.MTU {
		c.tooLarge(i, len(e.Data))
	}
	if c.config.Dialect == nil {
		return
	}
	t := &c.traffic
	t.to, t.solicit, t.news = e.To, false, 0
	t.datagrams++
	if err := c.config.Dialect.ReadDatagram(e.Data, t.sayOne); err != nil {
		c.unreadable(i, err)
		return
	}
	c.spent(i)
	if t.datagrams%sampled == 0 {
		c.canonical(i, e.Data)
	}
}

func (c *Checker) sayMessage(msg core.Message) {
	t, i := &c.traffic, c.log.node
	m := &c.members[i]
	switch msg := msg.(type) {
	case *swim.Ping:
		t.solicit = true
		c.sayPing(i, msg)
	case *swim.Ack:
		t.solicit = true
		if at := slices.Index(t.pings, msg.Seq); at >= 0 {
			t.pings = slices.Delete(t.pings, at, at+1)
		} else if !m.relays.forwarded(t.to, msg.Seq) {
			c.unasked(i, "an ack", "a ping to answer, or an ack to pass on")
		}
	case *swim.Nack:
		t.solicit = true
		c.sayNack(i, msg.Seq)
	case *swim.IndirectPing:
		t.solicit = true
		c.sayIndirect(i, msg)
	case *swim.Accuse:
		t.news++
		if c.warning(i, msg, t.to) {
			t.solicit = true // an answer, that is
		}
	case *swim.Announce, *swim.Bury:
		t.news++
	default:
		t.solicit = true
	}
}

// canonical writes a datagram again as it was read. It must come out the same.
func (c *Checker) canonical(i int, b []byte) {
	t, d := &c.traffic, c.config.Dialect
	t.again, t.ends, t.parts = t.again[:0], t.ends[:0], t.parts[:0]
	_ = d.ReadDatagram(b, t.copyOne)
	start := 0
	for _, end := range t.ends {
		t.parts = append(t.parts, t.again[start:end])
		start = end
	}
	t.again = d.AppendDatagram(t.again, t.parts)
	if !bytes.Equal(t.again[start:], b) {
		c.notCanonical(i, b, t.again[start:])
	}
}

func (c *Checker) copyMessage(m core.Message) {
	t := &c.traffic
	if b, err := c.config.Dialect.AppendMessage(t.again, m); err == nil {
		t.again = b
	}
	t.ends = append(t.ends, len(t.again))
}

func (c *Checker) tooLarge(i, size int) {
	c.violate(i, -1, datagramFits, fmt.Sprintf("a datagram of %d bytes", size), fmt.Sprintf("at most %d", c.config.MTU))
}

func (c *Checker) unreadable(i int, err error) {
	c.violate(i, -1, canonicalBytes, "a datagram that nobody can read: "+err.Error(), "")
}

func (c *Checker) notCanonical(i int, b, again []byte) {
	c.violate(i, -1, canonicalBytes, fmt.Sprintf("a datagram of %x", b), fmt.Sprintf("%x says the same", again))
}
