package bench

import (
	"io"
	"log"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/hashicorp/memberlist"
	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/codec/cbor"
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/stack"
	"github.com/nekton-go/nekton/core/swim"
)

var (
	pinger   = netip.MustParseAddrPort("10.0.0.1:7946")
	answerer = netip.MustParseAddrPort("10.0.0.2:7946")
)

// BenchmarkPingAck answers one ping: a datagram goes in at the public seam, the datagram with the answer
// comes out of it. Nothing is encrypted. Both sides are configured by their LAN presets; memberlist's
// compresses what it sends, so it is measured without that as well.
func BenchmarkPingAck(b *testing.B) {
	b.Run("nekton", func(b *testing.B) {
		node := newNekton(b)
		ping := core.Input{Kind: core.InputDatagram, From: pinger, Data: nektonPing(b)}
		b.ReportAllocs()
		for b.Loop() {
			if len(answer(node, ping)) == 0 {
				b.Fatal("no answer")
			}
		}
	})
	b.Run("memberlist", func(b *testing.B) { benchmarkMemberlist(b, memberlistPing, func(*memberlist.Config) {}) })
	b.Run("memberlist-uncompressed", func(b *testing.B) {
		benchmarkMemberlist(b, memberlistPing, func(c *memberlist.Config) { c.EnableCompression = false })
	})
}

func newNekton(tb testing.TB) core.Verbs {
	c := swim.LAN()
	c.Name, c.Addr = "b", answerer
	node, err := stack.New(stack.Config{Swim: c, Dialect: cbor.New(cbor.Config{})})
	require.NoError(tb, err)
	start(node)
	return node
}

// start brings a node to life as a host without a journal does.
func start(node core.Verbs) {
	for in, more := (core.Input{Kind: core.InputWake}), true; more; {
		node.Step(1, in)
		more = false
		for e, ok := node.Next(); ok; e, ok = node.Next() {
			if e.Kind == core.EffectAppend || e.Kind == core.EffectCompact {
				in, more = core.Input{Kind: core.InputStored, Token: e.Token}, true
			}
		}
	}
}

func nektonPing(tb testing.TB) []byte {
	dialect := cbor.New(cbor.Config{})
	part, err := dialect.AppendMessage(nil, &swim.Ping{Seq: 7, Target: "b"})
	require.NoError(tb, err)
	return dialect.AppendDatagram(nil, [][]byte{part})
}

// answer drives a node by one input and returns the datagram it sends.
func answer(node core.Verbs, in core.Input) (sent []byte) {
	node.Step(1, in)
	for e, ok := node.Next(); ok; e, ok = node.Next() {
		if e.Kind == core.EffectSend {
			sent = e.Data
		}
	}
	return sent
}

// memberlistPing is a ping in memberlist's encoding: the type, then MessagePack.
var memberlistPing = []byte("\x00\x82\xa5SeqNo\x07\xa4Node\xa1b")

func benchmarkMemberlist(b *testing.B, ping []byte, configure func(*memberlist.Config)) {
	seam := &seam{in: make(chan *memberlist.Packet), out: make(chan int, 1)}
	c := memberlist.DefaultLANConfig()
	c.Name, c.Transport, c.Logger = "b", seam, log.New(io.Discard, "", 0)
	c.ProbeInterval, c.PushPullInterval, c.GossipInterval = 0, 0, 0 // nothing but answers
	configure(c)
	m, err := memberlist.Create(c)
	require.NoError(b, err)
	defer m.Shutdown()
	from := net.UDPAddrFromAddrPort(pinger)
	b.ReportAllocs()
	for b.Loop() {
		seam.in <- &memberlist.Packet{Buf: ping, From: from, Timestamp: time.Now()}
		if <-seam.out == 0 {
			b.Fatal("no answer")
		}
	}
}

// seam is the memberlist.Transport that a benchmark sits on.
type seam struct {
	in  chan *memberlist.Packet
	out chan int // sizes of the packets sent
}

func (s *seam) FinalAdvertiseAddr(string, int) (net.IP, int, error) {
	return net.IP(answerer.Addr().AsSlice()), int(answerer.Port()), nil
}

func (s *seam) WriteTo(b []byte, _ string) (time.Time, error) {
	s.out <- len(b)
	return time.Now(), nil
}

func (s *seam) PacketCh() <-chan *memberlist.Packet                 { return s.in }
func (s *seam) DialTimeout(string, time.Duration) (net.Conn, error) { return nil, net.ErrClosed }
func (s *seam) StreamCh() <-chan net.Conn                           { return nil }
func (s *seam) Shutdown() error                                     { return nil }
