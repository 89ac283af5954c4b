package sim

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/stack"
)

// toy is a node without a protocol: it reports every input as an event, and does what an order says.
type toy struct {
	queue    []core.Effect
	deadline core.Instant
	link     core.Link // the newest link that came up, dialed or accepted
	dialed   core.Link
	tokens   core.Token
}

// order is the command that makes a toy do something.
type order struct{ effect core.Effect }

func (order) Proto() core.Proto { return 200 }
func (order) CommandID() uint64 { return 0 }

// note is the event by which a toy reports an input; it completes orders as well.
type note string

func (n note) AppendText(b []byte) ([]byte, error) { return append(b, n...), nil }
func (n note) Completes() uint64                   { return 0 }
func (n note) Outcome() core.Fault                 { return core.FaultNone }

// report is note without the completion.
type report string

func (r report) AppendText(b []byte) ([]byte, error) { return append(b, r...), nil }

func newToy(int, stack.Config) (core.Verbs, error) { return &toy{deadline: core.Never}, nil }

func (y *toy) Deadline() core.Instant { return y.deadline }

func (y *toy) Next() (core.Effect, bool) {
	if len(y.queue) == 0 {
		return core.Effect{}, false
	}
	e := y.queue[0]
	y.queue = y.queue[1:]
	return e, true
}

func (y *toy) Step(now core.Instant, in core.Input) {
	what := ""
	switch in.Kind {
	case core.InputWake:
		what, y.deadline = "wake", core.Never
	case core.InputDatagram:
		what = fmt.Sprintf("datagram %s from %v", quoted(in.Data), in.From)
	case core.InputUp:
		what, y.link = fmt.Sprintf("link %x up with %v", uint64(in.Link), in.From), in.Link
	case core.InputRead:
		what = "read " + quoted(in.Data)
	case core.InputFlushed:
		what = fmt.Sprintf("flushed %d", in.Size)
	case core.InputDown:
		what = "link down: " + in.Fault.String()
	case core.InputResolved:
		what = fmt.Sprintf("resolved %v: %v", in.Addrs, in.Fault)
	case core.InputStored:
		what = fmt.Sprintf("stored %d", in.Token)
		if in.Fault != core.FaultNone {
			what += ": " + in.Fault.String()
		}
	case core.InputWall:
		what = "wall clock"
	case core.InputRestore, core.InputReplay:
		what = fmt.Sprintf("replay %q snapshot=%v", in.Data, in.Kind == core.InputRestore)
	case core.InputCommand:
		y.obey(now, in.Command)
		return
	}
	if in.At != 0 {
		what += fmt.Sprintf(" (seen at %v)", in.At)
	}
	y.queue = append(y.queue, core.Effect{Kind: core.EffectEmit, Event: report(what)})
}

func quoted(b []byte) string {
	if len(b) <= 40 {
		return fmt.Sprintf("%q", b)
	}
	return fmt.Sprintf("%q... (%d bytes)", b[:12], len(b))
}

func (y *toy) obey(now core.Instant, c core.Command) {
	o, ok := c.(order)
	if !ok {
		return
	}
	e := o.effect
	switch e.Kind {
	case core.EffectNone: // a wake, Size from now, in Token
		y.deadline = now + core.Instant(e.Token)
		return
	case core.EffectDial:
		y.tokens++
		y.dialed = core.Link(y.tokens)
		e.Link = y.dialed
	case core.EffectWrite, core.EffectClose:
		e.Link = y.link
	case core.EffectAppend, core.EffectCompact, core.EffectResolve:
		y.tokens++
		e.Token = y.tokens
	}
	y.queue = append(y.queue, e, core.Effect{Kind: core.EffectEmit, Event: note("obeyed")})
}

func toySend(to int, text string) core.Effect {
	return core.Effect{Kind: core.EffectSend, To: address(to), Data: []byte(text)}
}

// nowhere is an address where nobody lives.
var nowhere = netip.MustParseAddrPort("192.0.2.1:7946")

// pinger sends a datagram every millisecond and allocates nothing.
type pinger struct {
	to   netip.AddrPort
	next core.Instant
	sent bool
	data [64]byte
}

func (g *pinger) Deadline() core.Instant { return g.next }

func (g *pinger) Step(now core.Instant, _ core.Input) {
	if g.sent = now >= g.next; g.sent {
		g.next = now.Add(time.Millisecond)
	}
}

func (g *pinger) Next() (core.Effect, bool) {
	if !g.sent {
		return core.Effect{}, false
	}
	g.sent = false
	return core.Effect{Kind: core.EffectSend, To: g.to, Data: g.data[:]}, true
}
