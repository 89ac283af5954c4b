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

// pinged is a node and a datagram that pings it.
type pinged struct {
	node core.Verbs
	in   core.Input
}

func newPinged(tb testing.TB, node core.Verbs) *pinged {
	dialect := cbor.New(cbor.Config{})
	part, err := dialect.AppendMessage(nil, &swim.Ping{Seq: 7, Target: "n1"})
	require.NoError(tb, err)
	p := &pinged{node: node, in: core.Input{
		Kind: core.InputDatagram, From: addr(2), Data: dialect.AppendDatagram(nil, [][]byte{part}),
	}}
	p.step(core.Input{Kind: core.InputWake})
	p.step(core.Input{Kind: core.InputStored, Token: 1})
	for range 100 { // the announcement of its own start leaves with the first answers
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
		p := newPinged(t, n)
		allocs := testing.AllocsPerRun(1000, func() { p.step(p.in) })
		require.NoError(t, n.Err())
		if !interpreter { // wazero's interpreter allocates for itself
			require.Zero(t, allocs)
		}
	}
}

// BenchmarkGuestStep answers one ping, natively and in a guest.
func BenchmarkGuestStep(b *testing.B) {
	c := configOf(1)
	c.Check = false
	run := func(name string, node func(b *testing.B) core.Verbs) {
		b.Run(name, func(b *testing.B) {
			p := newPinged(b, node(b))
			b.ReportAllocs()
			for b.Loop() {
				p.step(p.in)
			}
		})
	}
	run("native", func(b *testing.B) core.Verbs {
		n, err := stack.New(stack.Config{Seed: c.Seed, Swim: c.Swim, Dialect: cbor.New(cbor.Config{})})
		require.NoError(b, err)
		return n
	})
	run("compiler", func(b *testing.B) core.Verbs {
		return newNode(b, newInstance(b, open(b, standard, wasi.Config{})), c)
	})
	run("interpreter", func(b *testing.B) core.Verbs {
		return newNode(b, newInstance(b, open(b, standard, wasi.Config{Interpreter: true})), c)
	})
}
