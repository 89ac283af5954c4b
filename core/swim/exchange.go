package swim

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/timer"
)

// An exchange is one conversation over one link: a request and at most one answer. Whoever dialed hangs
// up. Its deadline covers all of it, the dial included.
type exchange struct {
	kind    exchangeKind
	link    core.Link
	peer    netip.AddrPort
	until   core.Instant
	timer   timer.Timer[*exchange]
	seq     uint32   // streamPing
	command uint64   // userLink
	data    []byte   // userLink
	attempt *attempt // joinPull
	seed    string   // healPull, if with a seed
	served  bool     // accepted: the one request has been answered
}

type exchangeKind uint8

const (
	accepted   exchangeKind = iota // a peer dialed us
	streamPing                     // the prober's
	userLink                       // SendUser
	pushPull                       // periodic anti-entropy
	healPull                       // with a lost member or seed
	joinPull                       // Join
)

// dial starts an exchange.
func (m *Machine) dial(t *core.Turn, to netip.AddrPort, x *exchange) core.Link {
	x.link, x.peer = t.Dial(to), to
	m.exchanges[x.link] = x
	m.exchangeTimers.Set(&x.timer, x, x.until)
	return x.link
}

// linkUp sends the request of an exchange we dialed, or expects one from a peer.
func (m *Machine) linkUp(t *core.Turn, in *core.Input) {
	if in.Link.Accepted() {
		x := &exchange{kind: accepted, link: in.Link, peer: in.From, until: m.now.Add(m.cfg.StreamTimeout)}
		m.exchanges[x.link] = x
		m.exchangeTimers.Set(&x.timer, x, x.until)
		return
	}
	x := m.exchanges[in.Link]
	if x == nil {
		return
	}
	var fault core.Fault
	switch x.kind {
	case streamPing:
		who := m.table.Identity(m.prober.target)
		m.ping = Ping{Seq: x.seq, Target: who.Name}
		fault = t.Write(x.link, &m.ping)
	case userLink:
		fault = t.Write(x.link, &User{Data: x.data})
	default:
		fault = t.Write(x.link, m.everything(x.kind == joinPull))
	}
	if fault != core.FaultNone {
		m.finish(t, x, fault, "")
	}
}

// linkFlushed completes a reliable message once the host has taken all of it.
func (m *Machine) linkFlushed(t *core.Turn, in *core.Input) {
	if x := m.exchanges[in.Link]; x != nil && x.kind == userLink && t.Unflushed(x.link) == 0 {
		m.finish(t, x, core.FaultNone, "")
	}
}

// linkDown ends an exchange whose link is gone.
func (m *Machine) linkDown(t *core.Turn, in *core.Input) {
	if x := m.exchanges[in.Link]; x != nil {
		fault := in.Fault
		if fault == core.FaultNone {
			fault = core.FaultClosed
		}
		m.finish(t, x, fault, "")
	}
}

// expireExchanges hangs up on peers that took too long.
func (m *Machine) expireExchanges(t *core.Turn, due core.Instant) {
	for x, ok := m.exchangeTimers.Due(due); ok; x, ok = m.exchangeTimers.Due(due) {
		m.finish(t, x, core.FaultTimeout, "")
	}
}

// converse handles a message on a link.
func (m *Machine) converse(t *core.Turn, in *core.Input) {
	x := m.exchanges[in.Link]
	if x == nil {
		return
	}
	if pull, ok := in.Message.(*PushPull); !m.running {
		m.postpone(t, x, pull, ok)
		return
	}
	switch msg := in.Message.(type) {
	case *PushPull:
		m.exchangeState(t, x, msg)
	case *Refuse:
		m.finish(t, x, core.FaultRefused, msg.Reason)
	case *Ping:
		if x.kind != accepted || msg.Target != m.cfg.Name {
			m.finish(t, x, core.FaultInvalid, "")
			return
		}
		m.ack.Seq = msg.Seq
		m.answer(t, x, &m.ack)
	case *Ack:
		if x.kind != streamPing || msg.Seq != x.seq {
			m.finish(t, x, core.FaultInvalid, "")
			return
		}
		m.streamAnswered(t, x.link)
		m.hangUp(t, x.link)
	case *User:
		if x.kind == accepted && len(msg.Data) <= m.cfg.UserMax {
			t.Emit(&UserReceived{From: x.peer, Data: bytes.Clone(msg.Data), Reliable: true})
			return
		}
		m.finish(t, x, core.FaultInvalid, "")
	default:
		m.counters.Invalid++
		m.finish(t, x, core.FaultInvalid, "")
	}
}

// exchangeState merges what a peer knows; on a link it dialed, it then gets what we know, what we have
// just learnt included.
func (m *Machine) exchangeState(t *core.Turn, x *exchange, theirs *PushPull) {
	if x.kind == streamPing || x.kind == userLink || x.served {
		m.counters.Invalid++
		m.finish(t, x, core.FaultInvalid, "")
		return
	}
	x.served = x.kind == accepted
	if why := m.objection(x, theirs); why != "" {
		m.counters.Refused++
		if x.kind == accepted {
			m.answer(t, x, &Refuse{Reason: why})
		} else {
			m.finish(t, x, core.FaultRefused, why)
		}
		return
	}
	answerFirst := m.cfg.Fidelity == Memberlist
	if x.kind == accepted && answerFirst {
		m.answer(t, x, m.everything(theirs.Join))
	}
	for i := range theirs.Members {
		m.merge(t, &theirs.Members[i])
	}
	if len(theirs.User) > 0 && len(theirs.User) <= m.cfg.UserStateMax {
		t.Emit(&UserStateReceived{From: x.peer, Data: bytes.Clone(theirs.User), Join: theirs.Join})
	}
	switch {
	case x.kind != accepted:
		m.finish(t, x, core.FaultNone, "")
	case !answerFirst:
		m.answer(t, x, m.everything(theirs.Join))
	}
}

// An earlyPull is a push/pull that came before this member could answer it. Members that start together
// join each other, and whose journal is slower must not cost the other a timeout.
type earlyPull struct {
	link   core.Link
	theirs PushPull
}

// postpone keeps an early push/pull until this member runs. There is one at most for each accepted link.
func (m *Machine) postpone(t *core.Turn, x *exchange, theirs *PushPull, isPull bool) {
	if !isPull || x.served {
		m.finish(t, x, core.FaultInvalid, "")
		return
	}
	x.served = true
	kept := PushPull{Join: theirs.Join, Members: slices.Clone(theirs.Members), User: bytes.Clone(theirs.User)}
	for i := range kept.Members {
		kept.Members[i].Meta = bytes.Clone(kept.Members[i].Meta)
	}
	m.earlyPulls = append(m.earlyPulls, earlyPull{x.link, kept})
}

// answerEarly serves what has been postponed.
func (m *Machine) answerEarly(t *core.Turn) {
	for i := range m.earlyPulls {
		if x := m.exchanges[m.earlyPulls[i].link]; x != nil {
			x.served = false
			m.exchangeState(t, x, &m.earlyPulls[i].theirs)
		}
	}
	m.earlyPulls = nil
}

// answer writes the one answer of a link that a peer dialed. The peer hangs up.
func (m *Machine) answer(t *core.Turn, x *exchange, msg core.Message) {
	if fault := t.Write(x.link, msg); fault != core.FaultNone {
		m.counters.PushPullsFailed++
		m.finish(t, x, fault, "")
	}
}

// objection says why what a peer knows must not be merged, or nothing. Who leaves in the middle of a join
// still learns from the answer whom to tell.
func (m *Machine) objection(x *exchange, theirs *PushPull) string {
	switch {
	case m.leaving && x.kind == accepted:
		return "this member is leaving"
	case len(theirs.Members) > m.cfg.MembersMax:
		return fmt.Sprintf("%d members are more than this one has room for (%d)", len(theirs.Members), m.cfg.MembersMax)
	}
	return m.incompatible(theirs)
}

// everything is the push half of a push/pull, good for one write.
func (m *Machine) everything(join bool) *PushPull {
	return &PushPull{Join: join, Members: m.table.All(), User: m.userState}
}

// incompatible says why two clusters cannot merge: some member speaks a version that some other does
// not understand. Members that are gone have no say.
func (m *Machine) incompatible(theirs *PushPull) string {
	low, high := m.cfg.Versions.ProtocolMin, m.cfg.Versions.ProtocolMax
	appLow, appHigh := m.cfg.Versions.AppMin, m.cfg.Versions.AppMax
	last := Versions{} // nearly all are the same
	for i := range theirs.Members {
		if r := &theirs.Members[i]; r.Versions != last && !r.State.Gone() && m.sound(r) {
			last = r.Versions
			low, high = max(low, r.Versions.ProtocolMin), min(high, r.Versions.ProtocolMax)
			appLow, appHigh = max(appLow, r.Versions.AppMin), min(appHigh, r.Versions.AppMax)
		}
	}
	misfit := func(name string, v Versions) string {
		if low <= v.Protocol && v.Protocol <= high && appLow <= v.App && v.App <= appHigh {
			return ""
		}
		return fmt.Sprintf("%s speaks protocol %d and application %d; all together understand %d to %d and %d to %d",
			name, v.Protocol, v.App, low, high, appLow, appHigh)
	}
	last = Versions{}
	for i := range theirs.Members {
		if r := &theirs.Members[i]; r.Versions != last && !r.State.Gone() && m.sound(r) {
			last = r.Versions
			if why := misfit(r.Name, r.Versions); why != "" {
				return why
			}
		}
	}
	return misfit(m.cfg.Name, m.cfg.Versions)
}

// finish ends an exchange and tells whoever waits for it.
func (m *Machine) finish(t *core.Turn, x *exchange, fault core.Fault, why string) {
	m.hangUp(t, x.link)
	if x.kind >= pushPull {
		m.counters.PushPulls++
		if fault != core.FaultNone {
			m.counters.PushPullsFailed++
		}
	}
	switch x.kind {
	case streamPing:
		m.streamFailed(x.link, fault)
	case userLink:
		m.userLinks--
		t.Emit(&core.Done{ID: x.command, Fault: fault, Detail: why})
	case pushPull:
		m.sync.running = false
	case healPull:
		m.heal.running = false
		if fault == core.FaultNone && x.seed != "" {
			m.meetSeed(x.seed, x.peer)
		}
	case joinPull:
		m.attempted(t, x.attempt, x.peer, fault, why)
	}
}

// hangUp closes a link and forgets its exchange.
func (m *Machine) hangUp(t *core.Turn, l core.Link) {
	if x := m.exchanges[l]; x != nil {
		m.exchangeTimers.Stop(&x.timer)
		delete(m.exchanges, l)
		t.Close(l)
	}
}
