package swim

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/nekton-go/nekton/core"
)

// The texts below are what traces and golden scripts show: one line each, no promise of stability.

// AppendText implements core.Message.
func (m *Ping) AppendText(b []byte) ([]byte, error) {
	b = fmt.Appendf(b, "ping %d %s", m.Seq, m.Target)
	return appendSource(b, m.Source, m.SourceName), nil
}

// AppendText implements core.Message.
func (m *IndirectPing) AppendText(b []byte) ([]byte, error) {
	b = fmt.Appendf(b, "indirect-ping %d %s at %v nack=%v", m.Seq, m.Target, m.TargetAddr, m.Nack)
	return appendSource(b, m.Source, m.SourceName), nil
}

// AppendText implements core.Message.
func (m *Ack) AppendText(b []byte) ([]byte, error) {
	b = fmt.Appendf(b, "ack %d", m.Seq)
	if len(m.Payload) > 0 {
		b = fmt.Appendf(b, " payload=%x", m.Payload)
	}
	return b, nil
}

// AppendText implements core.Message.
func (m *Nack) AppendText(b []byte) ([]byte, error) { return fmt.Appendf(b, "nack %d", m.Seq), nil }

// AppendText implements core.Message.
func (m *Announce) AppendText(b []byte) ([]byte, error) {
	return m.Record.AppendText(append(b, "announce "...))
}

// AppendText implements core.Message.
func (m *Accuse) AppendText(b []byte) ([]byte, error) {
	return fmt.Appendf(b, "accuse %s@%d from %s", m.Node, m.Incarnation, m.From), nil
}

// AppendText implements core.Message.
func (m *Bury) AppendText(b []byte) ([]byte, error) {
	return fmt.Appendf(b, "bury %s@%d from %s", m.Node, m.Incarnation, m.From), nil
}

// AppendText implements core.Message.
func (m *PushPull) AppendText(b []byte) ([]byte, error) {
	b = fmt.Appendf(b, "push-pull join=%v", m.Join)
	for i := range m.Members {
		b, _ = m.Members[i].AppendText(append(b, " ["...))
		b = append(b, ']')
	}
	if len(m.User) > 0 {
		b = fmt.Appendf(b, " user=%d bytes", len(m.User))
	}
	return b, nil
}

// AppendText implements core.Message.
func (m *User) AppendText(b []byte) ([]byte, error) {
	return appendData(append(b, "user "...), m.Data), nil
}

// AppendText implements core.Message.
func (m *Refuse) AppendText(b []byte) ([]byte, error) {
	return fmt.Appendf(b, "refuse %q", m.Reason), nil
}

// AppendText writes the record on one line.
func (r *Record) AppendText(b []byte) ([]byte, error) {
	b = append(appendClaim(b, r.Name, r.Incarnation), ' ')
	b = append(append(b, r.State.String()...), ' ')
	if r.Addr.IsValid() {
		b = r.Addr.AppendTo(b)
	} else {
		b = append(b, r.Addr.String()...)
	}
	if len(r.Meta) > 0 {
		b = appendData(append(b, " meta="...), r.Meta)
	}
	return b, nil
}

// appendClaim writes whom a claim is about. The events that oracles live on do without package fmt, which is
// slow.
func appendClaim(b []byte, name string, incarnation uint32) []byte {
	return strconv.AppendUint(append(append(b, name...), '@'), uint64(incarnation), 10)
}

func appendNumber(b []byte, what string, n int) []byte {
	return strconv.AppendInt(append(b, what...), int64(n), 10)
}

// dataShown is how much of an application's message or metadata a text quotes, in bytes.
const dataShown = 64

func appendData(b, data []byte) []byte {
	if len(data) <= dataShown {
		return strconv.AppendQuote(b, string(data))
	}
	b = strconv.AppendQuote(b, string(data[:dataShown]))
	return appendNumber(b, "... of bytes ", len(data))
}

func appendSource(b []byte, addr netip.AddrPort, name string) []byte {
	if name != "" || addr.IsValid() {
		b = fmt.Appendf(b, " for %s %v", name, addr)
	}
	return b
}

// AppendText implements core.Event.
func (e *Ready) AppendText(b []byte) ([]byte, error) {
	return e.Self.AppendText(append(b, "ready "...))
}

// AppendText implements core.Event.
func (e *Joined) AppendText(b []byte) ([]byte, error) {
	return e.Member.AppendText(append(b, "joined "...))
}

// AppendText implements core.Event.
func (e *Updated) AppendText(b []byte) ([]byte, error) {
	return e.Member.AppendText(append(b, "updated "...))
}

// AppendText implements core.Event.
func (e *Suspected) AppendText(b []byte) ([]byte, error) {
	b = appendClaim(append(b, "suspected "...), e.Member.Name, e.Member.Incarnation)
	return append(append(b, " from "...), e.From...), nil
}

// AppendText implements core.Event.
func (e *Refuted) AppendText(b []byte) ([]byte, error) {
	return appendClaim(append(b, "refuted "...), e.Member.Name, e.Member.Incarnation), nil
}

// AppendText implements core.Event.
func (e *Failed) AppendText(b []byte) ([]byte, error) {
	b = appendClaim(append(b, "failed "...), e.Member.Name, e.Member.Incarnation)
	return e.Evidence.AppendText(append(b, ": "...))
}

// AppendText writes the evidence on one line.
func (e *Evidence) AppendText(b []byte) ([]byte, error) {
	b = fmt.Appendf(b, "declared by %s", e.Accuser)
	if len(e.Suspects) > 0 {
		b = fmt.Appendf(b, ", suspected by %s at %v for %v (%v to %v)",
			strings.Join(e.Suspects, " "), e.Suspected, e.Timeout, e.Min, e.Max)
	}
	if e.ProbeSent != 0 {
		b = fmt.Appendf(b, ", our probe at %v had no answer, nor had %d helpers (%d said so)",
			e.ProbeSent, len(e.Helpers), e.Nacks)
		if e.StreamPing != core.FaultNone {
			b = fmt.Appendf(b, ", link ping: %v", e.StreamPing)
		}
	}
	return fmt.Appendf(b, ", our health %d", e.Health), nil
}

// AppendText implements core.Event.
func (e *Departed) AppendText(b []byte) ([]byte, error) {
	return appendClaim(append(b, "left "...), e.Member.Name, e.Member.Incarnation), nil
}

// AppendText implements core.Event.
func (e *Reaped) AppendText(b []byte) ([]byte, error) {
	return append(append(b, "reaped "...), e.Name...), nil
}

// AppendText implements core.Event.
func (e *Conflict) AppendText(b []byte) ([]byte, error) {
	return fmt.Appendf(b, "conflict %s: %v keeps it, %v claims it", e.Name, e.Existing, e.Other), nil
}

// AppendText implements core.Event.
func (e *HealthChanged) AppendText(b []byte) ([]byte, error) {
	return appendNumber(appendNumber(b, "health ", e.Score), ", was ", e.Was), nil
}

// AppendText implements core.Event.
func (e *UserReceived) AppendText(b []byte) ([]byte, error) {
	b = appendData(append(b, "user "...), e.Data)
	b = append(append(b, " from "...), e.From.String()...)
	return strconv.AppendBool(append(b, " reliable="...), e.Reliable), nil
}

// AppendText implements core.Event.
func (e *UserStateReceived) AppendText(b []byte) ([]byte, error) {
	return fmt.Appendf(b, "user state of %d bytes from %v join=%v", len(e.Data), e.From, e.Join), nil
}

// AppendText implements core.Event.
func (e *JoinDone) AppendText(b []byte) ([]byte, error) {
	b = fmt.Appendf(b, "join done: %d reached, %v", e.Reached, e.Fault)
	for _, why := range e.Errors {
		b = append(append(b, "; "...), why...)
	}
	return b, nil
}

// AppendText implements core.Event.
func (e *Pong) AppendText(b []byte) ([]byte, error) {
	return fmt.Appendf(b, "pong %s: %v rtt=%v", e.Name, e.Fault, e.RTT), nil
}

// AppendText implements core.Event.
func (e *Info) AppendText(b []byte) ([]byte, error) {
	b = appendClaim(append(b, "info "...), e.Name, e.Incarnation)
	b = appendNumber(b, " health=", e.Health)
	b = appendNumber(b, " members=", e.Members)
	b = appendNumber(b, " dead=", e.Dead)
	b = appendNumber(b, " left=", e.Left)
	return appendNumber(b, " broadcasts=", e.Broadcasts), nil
}

// AppendText implements core.Event.
func (e *Transition) AppendText(b []byte) ([]byte, error) {
	b = append(append(append(b, "row "...), e.Name...), ' ')
	if e.Known {
		b = appendClaim(b, e.Old.State.String(), e.Old.Incarnation)
	} else {
		b = append(b, "unknown"...)
	}
	if e.Gone {
		b = append(b, " -> forgotten"...)
	} else {
		b = appendClaim(append(b, " -> "...), e.New.State.String(), e.New.Incarnation)
	}
	b = append(append(b, " ("...), e.Cause.String()...)
	return append(b, ')'), nil
}
