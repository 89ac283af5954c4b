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

// steady is a member among others, all silent and settled, with all the memory it will need.
type steady struct {
	node    core.Verbs
	dialect core.Dialect
	now     core.Instant
	in      core.Input
	pinged  uint32
	pings   int
	size    int // bytes of all datagrams sent
	note    func(core.Message)
	ack     swim.Ack
	part    [1][]byte
}

func newSteady(t *testing.T, c swim.Config, others int) *steady {
	c.Name, c.Addr = "n0", netip.MustParseAddrPort("10.0.0.1:7946")
	node, err := stack.New(stack.Config{Swim: c, Dialect: cbor.New(cbor.Config{})})
	require.NoError(t, err)
	s := &steady{node: node, dialect: cbor.New(cbor.Config{}), now: 1}
	s.in.From = netip.MustParseAddrPort("10.0.0.2:7946")
	s.note = func(m core.Message) {
		if p, ok := m.(*swim.Ping); ok {
			s.pinged = p.Seq
			s.pings++
		}
	}
	s.step(core.Input{Kind: core.InputWake})
	s.step(core.Input{Kind: core.InputStored, Token: 1})
	for i := range others {
		r := swim.Record{Name: string(rune('a' + i)), Incarnation: 1, Versions: swim.LAN().Versions}
		r.Addr = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 2)}), 7946)
		s.hear(&swim.Announce{Record: r})
	}
	return s
}

func (s *steady) step(in core.Input) {
	s.node.Step(s.now, in)
	for e, ok := s.node.Next(); ok; e, ok = s.node.Next() {
		if e.Kind == core.EffectSend {
			s.size += len(e.Data)
			_ = s.dialect.ReadDatagram(e.Data, s.note)
		}
	}
}

func (s *steady) hear(m core.Message) {
	s.part[0], _ = s.dialect.AppendMessage(s.part[0][:0], m)
	s.in.Kind, s.in.Data = core.InputDatagram, s.dialect.AppendDatagram(s.in.Data[:0], s.part[:])
	s.step(s.in)
}

// wake lets time pass until the node wants to be woken.
func (s *steady) wake() {
	s.now = max(s.now, s.node.Deadline())
	s.step(core.Input{Kind: core.InputWake})
}

// A probe round is a ping and its answer. It is most of what a member does all its life, and takes no memory.
func TestProbeRoundAllocatesNothing(t *testing.T) {
	c := swim.LAN()
	c.PushPullInterval, c.HealInterval = 30*24*3600*1e9, 0
	s := newSteady(t, c, 10)
	round := func() {
		for pings := s.pings; s.pings == pings; {
			s.wake()
		}
		s.ack.Seq = s.pinged
		s.hear(&s.ack)
	}
	for range 100 {
		round()
	}
	require.Zero(t, testing.AllocsPerRun(1000, round))
}

// Gossip that goes on and on takes no memory either.
func TestGossipAllocatesNothing(t *testing.T) {
	c := swim.LAN()
	c.PushPullInterval, c.HealInterval, c.ProbeInterval = 30*24*3600*1e9, 0, 3600*1e9
	c.RetransmitMult = 1000
	s := newSteady(t, c, 5)
	tick := func() {
		size := s.size
		s.wake()
		require.Greater(t, s.size, size+3*100, "three datagrams full of news")
	}
	for range 20 {
		tick()
	}
	require.Zero(t, testing.AllocsPerRun(200, s.wake))
}
