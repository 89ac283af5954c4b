package swim_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/codec/cbor"
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/stack"
	"github.com/nekton-go/nekton/core/swim"
)

// pinged is a member and a datagram that pings it: what BenchmarkPingAck measures.
type pinged struct {
	node core.Verbs
	now  core.Instant
	in   core.Input
}

func newPinged(tb testing.TB) *pinged {
	c := swim.LAN()
	c.Name, c.Addr = "b", netip.MustParseAddrPort("10.0.0.2:7946")
	node, err := stack.New(stack.Config{Swim: c, Dialect: cbor.New(cbor.Config{})})
	require.NoError(tb, err)
	p := &pinged{node: node, now: 1}
	p.step(core.Input{Kind: core.InputWake})
	p.step(core.Input{Kind: core.InputStored, Token: 1})
	dialect := cbor.New(cbor.Config{})
	part, err := dialect.AppendMessage(nil, &swim.Ping{Seq: 7, Target: "b"})
	require.NoError(tb, err)
	p.in = core.Input{
		Kind: core.InputDatagram, From: netip.MustParseAddrPort("10.0.0.1:7946"),
		Data: dialect.AppendDatagram(nil, [][]byte{part}),
	}
	for range 100 { // the announcement of its own start leaves with the first answers
		require.NotEmpty(tb, p.answer())
	}
	return p
}

// step drives the node by one input and returns the last datagram it sent.
func (p *pinged) step(in core.Input) (sent []byte) {
	p.node.Step(p.now, in)
	for e, ok := p.node.Next(); ok; e, ok = p.node.Next() {
		if e.Kind == core.EffectSend {
			sent = e.Data
		}
	}
	return sent
}

func (p *pinged) answer() []byte { return p.step(p.in) }

func TestPingAnswerAllocatesNothing(t *testing.T) {
	p := newPinged(t)
	require.Zero(t, testing.AllocsPerRun(1000, func() { p.answer() }))
}

// BenchmarkPingAck answers one ping: a datagram in, a datagram out, through the three verbs.
func BenchmarkPingAck(b *testing.B) {
	p := newPinged(b)
	b.ReportAllocs()
	for b.Loop() {
		p.answer()
	}
}
