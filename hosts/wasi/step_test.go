package wasi_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/codec/cbor"
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/stack"
	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/hosts/wasi"
)

// pinged is a node and a datagram that pings it, with gossip that is not news.
type pinged struct {
	node core.Verbs
	in   core.Input
}

func newPinged(tb testing.TB, node core.Verbs, gossip int) *pinged {
	dialect := cbor.New(cbor.Config{})
	parts := make([][]byte, 1+gossip)
	var err error
	parts[0], err = dialect.AppendMessage(nil, &swim.Ping{Seq: 7, Target: "n1"})
	require.NoError(tb, err)
	for k := range gossip {
		c := configOf(100 + k).Swim
		parts[1+k], err = dialect.AppendMessage(nil, &swim.Announce{Record: swim.Record{
			Name: c.Name, Addr: c.Addr, Incarnation: 1, Versions: c.Versions,
		}})
		require.NoError(tb, err)
	}
	p := &pinged{node: node, in: core.Input{
		Kind: core.InputDatagram, From: addr(2), Data: dialect.AppendDatagram(nil, parts),
	}}
	p.step(core.Input{Kind: core.InputWake})
	p.step(core.Input{Kind: core.InputStored, Token: 1})
	for range 1000 { // what is news leaves with the first answers
		require.NotZero(tb, p.step(p.in))
	}
	return p
}

// step drives the node by one input, as any host does, and returns how many datagrams it sent.
func (p *pinged) step(in core.Input) (sent int) {
	p.node.Step(1, in)
	for e, ok := p.node.Next(); ok; e, ok = p.node.Next() {
		if e.Kind == core.EffectSend {
			sent++
		}
	}
	_ = p.node.Deadline()
	return sent
}

func TestAPingStepAllocatesNothing(t *testing.T) {
	c := configOf(1)
	c.Check = false
	for _, interpreter := range []bool{false, true} {
		n := newNode(t, newInstance(t, open(t, standard, wasi.Config{Interpreter: interpreter})), c)
		p := newPinged(t, n, 0)
		allocs := testing.AllocsPerRun(1000, func() { p.step(p.in) })
		require.NoError(t, n.Err())
		if !interpreter { // wazero's interpreter allocates for itself
			require.Zero(t, allocs)
		}
	}
}

// BenchmarkGuestStep answers a ping, alone or with twenty announcements in the same datagram, natively and
// in a guest.
func BenchmarkGuestStep(b *testing.B) {
	c := configOf(1)
	c.Check = false
	native := func(b *testing.B) core.Verbs {
		n, err := stack.New(stack.Config{Seed: c.Seed, Swim: c.Swim, Dialect: cbor.New(cbor.Config{})})
		require.NoError(b, err)
		return n
	}
	guest := func(engine wasi.Config) func(b *testing.B) core.Verbs {
		return func(b *testing.B) core.Verbs { return newNode(b, newInstance(b, open(b, standard, engine)), c) }
	}
	for _, step := range []struct {
		name   string
		gossip int
	}{{"ping", 0}, {"gossip", 20}} {
		for _, engine := range []struct {
			name string
			node func(b *testing.B) core.Verbs
		}{
			{"native", native}, {"compiler", guest(wasi.Config{})}, {"interpreter", guest(wasi.Config{Interpreter: true})},
		} {
			b.Run(step.name+"/"+engine.name, func(b *testing.B) {
				p := newPinged(b, engine.node(b), step.gossip)
				b.ReportAllocs()
				for b.Loop() {
					p.step(p.in)
				}
			})
		}
	}
}
