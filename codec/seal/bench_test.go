package seal_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/codec/cbor"
	"github.com/nekton-go/nekton/codec/seal"
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/stack"
	"github.com/nekton-go/nekton/core/swim"
)

// A pinged is a member, and someone who pings it. Pings are sealed ahead of time, in batches.
type pinged struct {
	node   core.Verbs
	pinger core.Verbs
	size   int    // of one ping
	batch  []byte // pings, end to end
	at     int    // batch[at:] has not been sent
}

// A parrot is an inner node that sends the same datagram with every step.
type parrot struct {
	data []byte
	said bool
}

func (p *parrot) Step(core.Instant, core.Input) { p.said = false }
func (p *parrot) Deadline() core.Instant        { return core.Never }
func (p *parrot) Next() (core.Effect, bool) {
	if p.said {
		return core.Effect{}, false
	}
	p.said = true
	return core.Effect{Kind: core.EffectSend, To: peer, Data: p.data}, true
}

const batchSize = 1 << 12

func newPinged(tb testing.TB, keys ...[]byte) *pinged {
	tb.Helper()
	c := swim.LAN()
	c.Name, c.Addr = "kelp", netip.MustParseAddrPort("192.0.2.1:7946")
	inner, err := stack.New(stack.Config{Swim: c, Dialect: cbor.New(cbor.Config{})})
	require.NoError(tb, err)
	ping, err := cbor.New(cbor.Config{}).AppendMessage(nil, &swim.Ping{Seq: 7001, Target: "kelp"})
	require.NoError(tb, err)
	p := &pinged{node: inner, pinger: &parrot{data: ping}}
	if len(keys) > 0 {
		p.node, err = seal.New(inner, seal.Config{Label: "reef", Keys: keys, Session: session(1)})
		require.NoError(tb, err)
		p.pinger, err = seal.New(p.pinger, seal.Config{Label: "reef", Keys: keys, Session: session(2)})
		require.NoError(tb, err)
	}
	p.step(core.Input{Kind: core.InputWake})
	p.step(core.Input{Kind: core.InputStored, Token: 1})
	for p.prepare(); p.at < len(p.batch); { // its own news leaves with the first answers
		require.Positive(tb, p.answer())
	}
	return p
}

func (p *pinged) prepare() {
	p.batch, p.at = p.batch[:0], 0
	for range batchSize {
		p.pinger.Step(1, core.Input{})
		e, _ := p.pinger.Next()
		p.batch, p.size = append(p.batch, e.Data...), len(e.Data)
		p.pinger.Next()
	}
}

func (p *pinged) step(in core.Input) (sent int) {
	p.node.Step(1, in)
	for e, ok := p.node.Next(); ok; e, ok = p.node.Next() {
		if e.Kind == core.EffectSend {
			sent += len(e.Data)
		}
	}
	return sent
}

// answer answers one ping of the batch and returns how many bytes that took.
func (p *pinged) answer() int {
	b := p.batch[p.at:][:p.size]
	p.at += p.size
	return p.step(core.Input{Kind: core.InputDatagram, From: peer, Data: b})
}

func TestSealedPingAnswerAllocatesNothing(t *testing.T) {
	p := newPinged(t, key32)
	p.prepare()
	require.Zero(t, testing.AllocsPerRun(batchSize/2, func() {
		if p.answer() == 0 {
			t.Error("no answer")
		}
	}))
}

// BenchmarkPingAck answers one ping: a datagram in, a datagram out. The pinger's work is not counted.
func BenchmarkPingAck(b *testing.B) { benchmarkPingAck(b) }

// BenchmarkPingAckSealed is the same with everything sealed.
func BenchmarkPingAckSealed(b *testing.B) {
	b.Run("AES-128", func(b *testing.B) { benchmarkPingAck(b, key16) })
	b.Run("AES-256", func(b *testing.B) { benchmarkPingAck(b, key32) })
}

func benchmarkPingAck(b *testing.B, keys ...[]byte) {
	p := newPinged(b, keys...)
	b.ReportAllocs()
	for b.Loop() {
		if p.at == len(p.batch) {
			b.StopTimer()
			p.prepare()
			b.StartTimer()
		}
		p.answer()
	}
}

// BenchmarkNewSender is the price of a header that was never seen, with a hint that fits: what a hostile
// datagram can cost at most.
func BenchmarkNewSender(b *testing.B) {
	_, n := pair(b, key32)
	a := newNode(b, seal.Config{Label: "reef", Keys: [][]byte{key32}, Session: session(9)})
	forged := a.send("hello")
	forged[len(forged)-1] ^= 1
	b.ReportAllocs()
	for b.Loop() {
		n.Step(1, core.Input{Kind: core.InputDatagram, Data: forged})
	}
}
