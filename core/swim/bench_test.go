package swim_test

import (
	"fmt"
	"net/netip"
	"slices"
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
	return core.Effect{Kind: core.EffectSend, To: pinger, Data: p.data}, true
}

const batchSize = 1 << 12

var pinger = netip.MustParseAddrPort("192.0.2.2:7946")

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
		p.node, err = seal.New(inner, seal.Config{Label: "reef", Keys: keys, Session: [16]byte{1}})
		require.NoError(tb, err)
		p.pinger, err = seal.New(p.pinger, seal.Config{Label: "reef", Keys: keys, Session: [16]byte{2}})
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
	return p.step(core.Input{Kind: core.InputDatagram, From: pinger, Data: b})
}

func TestPingAnswerAllocatesNothing(t *testing.T) {
	for name, keys := range map[string][][]byte{"plain": nil, "sealed": {make([]byte, 32)}} {
		t.Run(name, func(t *testing.T) {
			p := newPinged(t, keys...)
			p.prepare()
			require.Zero(t, testing.AllocsPerRun(batchSize/2, func() {
				if p.answer() == 0 {
					t.Error("no answer")
				}
			}))
		})
	}
}

// BenchmarkPingAck answers one ping: a datagram in, a datagram out. The pinger's work is not counted.
func BenchmarkPingAck(b *testing.B) { benchmarkPingAck(b) }

// BenchmarkPingAckSealed is the same with everything sealed with AES-256.
func BenchmarkPingAckSealed(b *testing.B) { benchmarkPingAck(b, make([]byte, 32)) }

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

// BenchmarkPushPull answers a member that knows the same members: each row is read, compared, described and
// written. The other's list is in another order from the middle on, as lists are that grew apart.
func BenchmarkPushPull(b *testing.B) {
	const members = 10_000
	var all []swim.Record
	for i := range members {
		all = append(all, swim.Record{
			Name: fmt.Sprintf("squid-%d", i), Incarnation: 1, Meta: []byte("of the reef"), Versions: swim.LAN().Versions,
			Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), 7946),
		})
	}
	c := swim.LAN()
	c.Name, c.Addr, c.Table = "kelp", netip.MustParseAddrPort("192.0.2.1:7946"), filled(all...)
	node, err := stack.New(stack.Config{Swim: c, Dialect: cbor.New(cbor.Config{RecordsMax: members})})
	require.NoError(b, err)
	slices.Reverse(all[members/2:])
	frame, err := cbor.New(cbor.Config{}).AppendFrame(nil, &swim.PushPull{Members: all})
	require.NoError(b, err)
	step := func(in core.Input) (written int) {
		node.Step(1, in)
		for e, ok := node.Next(); ok; e, ok = node.Next() {
			if e.Kind == core.EffectWrite {
				written += len(e.Data)
			}
		}
		return written
	}
	step(core.Input{Kind: core.InputWake})
	step(core.Input{Kind: core.InputStored, Token: 1})
	links := uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		links++
		link := core.Accepted(links)
		step(core.Input{Kind: core.InputUp, Link: link, From: pinger})
		if step(core.Input{Kind: core.InputRead, Link: link, Data: frame}) < len(frame) {
			b.Fatal("no answer")
		}
		step(core.Input{Kind: core.InputDown, Link: link})
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/members, "ns/row")
}
