package seal_test

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/codec/seal"
	"github.com/nekton-go/nekton/core"
)

var (
	key16   = []byte("sixteen byte key")
	key24   = []byte("twenty-four bytes of key")
	key32   = []byte("thirty-two bytes are a long key.")
	peer    = netip.MustParseAddrPort("192.0.2.7:7946")
	session = func(b byte) (s [seal.SessionSize]byte) {
		for i := range s {
			s[i] = b
		}
		return s
	}
)

// A toy is an inner node that says what the test told it to, and remembers what it heard. Like core.Node
// with Check it overwrites what it lent once the loan is over.
type toy struct {
	heard    []core.Input
	say      []core.Effect // with the next step
	deadline core.Instant
	answer   func(core.Input) []core.Effect

	out  []core.Effect
	lent [][]byte
}

func newToy() *toy { return &toy{deadline: core.Never} }

func (t *toy) Step(now core.Instant, in core.Input) {
	if len(t.out) > 0 {
		panic("toy: Step called before Next was drained")
	}
	takeBack(t.lent...)
	t.lent = nil
	in.Data = bytes.Clone(in.Data)
	t.heard = append(t.heard, in)
	t.out, t.say = t.say, nil
	if t.answer != nil {
		t.out = append(t.out, t.answer(in)...)
	}
	if in.Kind == core.InputWake {
		t.deadline = core.Never
	}
}

// takeBack overwrites what was lent.
func takeBack(lent ...[]byte) {
	for _, b := range lent {
		for i := range b {
			b[i] = 0xDB
		}
	}
}

func (t *toy) Next() (core.Effect, bool) {
	if len(t.out) == 0 {
		return core.Effect{}, false
	}
	e := t.out[0]
	e.Data = bytes.Clone(e.Data)
	t.lent = append(t.lent, e.Data)
	t.out = t.out[1:]
	return e, true
}

func (t *toy) Deadline() core.Instant { return t.deadline }

// node is a sealed toy.
type node struct {
	*seal.Node
	toy *toy
	t   testing.TB
}

func newNode(t testing.TB, c seal.Config) *node {
	t.Helper()
	inner := newToy()
	n, err := seal.New(inner, c)
	require.NoError(t, err)
	return &node{n, inner, t}
}

// step steps the node and returns copies of its effects, taken when all of them are out.
func (n *node) step(in core.Input) (effects []core.Effect) {
	n.Step(1000, in)
	for e, ok := n.Next(); ok; e, ok = n.Next() {
		effects = append(effects, e)
	}
	for i := range effects {
		effects[i].Data = bytes.Clone(effects[i].Data)
	}
	return effects
}

// does makes the toy ask for effects and returns what the host sees of them.
func (n *node) does(effects ...core.Effect) []core.Effect {
	n.toy.say = effects
	return n.step(core.Input{Kind: core.InputWake})
}

// send returns the datagram that carries data.
func (n *node) send(data string) []byte {
	n.t.Helper()
	effects := n.does(core.Effect{Kind: core.EffectSend, To: peer, Data: []byte(data)})
	require.Len(n.t, effects, 1)
	require.Equal(n.t, peer, effects[0].To)
	return effects[0].Data
}

// hears steps the node by in and returns what that makes the toy hear.
func (n *node) hears(in core.Input) []core.Input {
	n.toy.heard = nil
	n.step(in)
	return n.toy.heard
}

// receives delivers a datagram and returns what the toy hears of it; "" if nothing.
func (n *node) receives(b []byte) string {
	n.t.Helper()
	lent := bytes.Clone(b)
	heard := n.hears(core.Input{Kind: core.InputDatagram, From: peer, Data: lent})
	require.Equal(n.t, b, lent, "what is lent must not change")
	takeBack(lent)
	if len(heard) == 0 {
		return ""
	}
	require.Len(n.t, heard, 1)
	require.Equal(n.t, core.InputDatagram, heard[0].Kind)
	require.Equal(n.t, peer, heard[0].From)
	return string(heard[0].Data)
}

// keys runs a command and returns its completion.
func (n *node) keys(c core.Command) *seal.Keys {
	n.t.Helper()
	effects := n.step(core.Input{Kind: core.InputCommand, Command: c})
	require.Len(n.t, effects, 1)
	require.Equal(n.t, core.EffectEmit, effects[0].Kind)
	done := effects[0].Event.(*seal.Keys)
	require.Equal(n.t, c.CommandID(), done.Completes())
	return done
}

// pair returns two nodes with the same keys and label.
func pair(t testing.TB, keys ...[]byte) (a, b *node) {
	t.Helper()
	c := seal.Config{Label: "reef", Keys: keys, Session: session(0xa1)}
	a = newNode(t, c)
	c.Session = session(0xb2)
	return a, newNode(t, c)
}
