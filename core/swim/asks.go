package swim

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/internal/mutant"
)

// asks are the pings in flight that are not the prober's: those we send for others (SWIM §3.1, the
// helper's side) and those the application wants. All wait equally long, so they form a queue.
type asks struct {
	queue   []ask // oldest first
	nackers int   // queue[:nackers] have sent their nack or never will
	relays  int   // of them unanswered, and pings for the application
	pings   int
}

type ask struct {
	seq      uint32 // of the ping we sent
	done     bool
	relay    bool
	nackAt   core.Instant // core.Never: nobody wants one
	until    core.Instant
	sent     core.Instant
	asker    netip.AddrPort // relay: who gets the answer
	askerSeq uint32         // relay: under which number
	command  uint64         // PingMember
	name     string
}

// relay pings a member for somebody whose own ping had no answer.
func (m *Machine) relay(t *core.Turn, from netip.AddrPort, p *IndirectPing) {
	full := m.asks.relays >= m.cfg.RelaysMax && m.cfg.Mutant != mutant.EndlessRelays
	if full || !p.TargetAddr.IsValid() || p.TargetAddr.Port() == 0 {
		m.counters.RelaysRefused++
		return
	}
	m.counters.Relays++
	m.asks.relays++
	a := ask{relay: true, seq: t.Rand().Uint32(), nackAt: core.Never, asker: from, askerSeq: p.Seq}
	if p.Source.IsValid() && m.cfg.Fidelity == Memberlist {
		a.asker = p.Source
	}
	if p.Nack {
		a.nackAt = m.now.Add(m.cfg.nackAfter() + m.cfg.ProbeTimeout/8*time.Duration(m.bug(mutant.LateNack)))
	}
	m.ask(t, p.TargetAddr, p.Target, a)
}

// nackAfter is when a helper admits that it has no answer: early enough to reach the asker before the
// asker's round ends, whether the direct ping or the helpers get the larger part of it.
func (c *Config) nackAfter() time.Duration {
	after := c.ProbeTimeout
	if c.Fidelity == Improved {
		after = min(after, c.ProbeInterval-c.ProbeTimeout)
	}
	return after * time.Duration(c.NackPercent) / 100
}

func (m *Machine) pingMember(t *core.Turn, c PingMember) {
	id, ok := m.table.Find(c.Name)
	switch {
	case !ok:
		t.Emit(&Pong{ID: c.ID, Name: c.Name, Fault: core.FaultNotFound})
	case m.asks.pings >= m.cfg.PingsMax:
		t.Emit(&Pong{ID: c.ID, Name: c.Name, Fault: core.FaultBusy})
	default:
		m.asks.pings++
		addr := m.table.Identity(id).Addr
		m.ask(t, addr, c.Name, ask{seq: t.Rand().Uint32(), nackAt: core.Never, command: c.ID})
	}
}

func (m *Machine) ask(t *core.Turn, to netip.AddrPort, name string, a ask) {
	if len(m.asks.queue) >= m.cfg.RelaysMax+m.cfg.PingsMax {
		m.asks.dropDone()
	}
	a.name, a.sent, a.until = name, m.now, m.now.Add(m.cfg.ProbeTimeout)
	m.asks.queue = append(m.asks.queue, a)
	m.ping = Ping{Seq: a.seq, Target: name}
	t.Send(to, &m.ping)
}

// replied handles an Ack that was not the prober's.
func (m *Machine) replied(t *core.Turn, ack *Ack, at core.Instant) {
	for i := range m.asks.queue {
		a := &m.asks.queue[i]
		if a.seq != ack.Seq || a.done && m.cfg.Mutant != mutant.PassTwice {
			continue
		}
		m.asks.finish(a)
		if a.relay {
			t.Send(a.asker, &Ack{Seq: a.askerSeq})
		} else {
			t.Emit(&Pong{ID: a.command, Name: a.name, RTT: max(at.Sub(a.sent), 0)})
		}
		return
	}
}

// expireAsks sends the nacks that are due and drops what nobody waits for any more.
func (m *Machine) expireAsks(t *core.Turn, due core.Instant) {
	q := &m.asks
	for ; q.nackers < len(q.queue); q.nackers++ {
		a := &q.queue[q.nackers]
		if a.nackAt == core.Never || a.done {
			continue
		}
		if a.nackAt > due {
			break
		}
		t.Send(a.asker, &Nack{Seq: a.askerSeq})
	}
	expired := 0
	for ; expired < len(q.queue) && q.queue[expired].until <= due; expired++ {
		a := &q.queue[expired]
		if a.done {
			continue
		}
		if q.finish(a); !a.relay {
			t.Emit(&Pong{ID: a.command, Name: a.name, Fault: core.FaultTimeout})
		}
	}
	q.queue = append(q.queue[:0], q.queue[expired:]...)
	q.nackers = max(0, q.nackers-expired)
}

// dropDone makes room: what has been answered need not wait for its time to be over.
func (q *asks) dropDone() {
	kept, nackers := q.queue[:0], 0
	for i, a := range q.queue {
		if a.done {
			continue
		}
		if kept = append(kept, a); i < q.nackers {
			nackers++
		}
	}
	q.queue, q.nackers = kept, nackers
}

func (q *asks) finish(a *ask) {
	a.done = true
	if a.relay {
		q.relays--
	} else {
		q.pings--
	}
}

func (q *asks) deadline() core.Instant {
	d := core.Never
	if len(q.queue) > 0 {
		d = q.queue[0].until
	}
	for i := q.nackers; i < len(q.queue); i++ {
		if a := &q.queue[i]; a.nackAt != core.Never && !a.done {
			return min(d, a.nackAt)
		}
	}
	return d
}

func (m *Machine) sendUser(t *core.Turn, c SendUser) {
	id, ok := m.table.Find(c.To)
	fault, detail := core.FaultNone, ""
	switch {
	case !ok:
		fault, detail = core.FaultNotFound, fmt.Sprintf("no member is named %q", c.To)
	case len(c.Data) > m.cfg.UserMax:
		fault, detail = core.FaultTooLarge, fmt.Sprintf("%d bytes; Config.UserMax is %d", len(c.Data), m.cfg.UserMax)
	case c.Reliable && m.userLinks >= m.cfg.PingsMax:
		fault, detail = core.FaultBusy, "Config.PingsMax messages are on their way"
	case c.Reliable:
		m.userLinks++
		m.dial(t, m.table.Identity(id).Addr, &exchange{
			kind: userLink, command: c.ID, data: c.Data, until: m.now.Add(m.cfg.StreamTimeout),
		})
		return
	case !t.Send(m.table.Identity(id).Addr, &User{Data: c.Data}):
		fault, detail = core.FaultTooLarge, "it does not fit a datagram; send it reliably"
	}
	t.Emit(&core.Done{ID: c.ID, Fault: fault, Detail: detail})
}
