package seal_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/codec/seal"
	"github.com/nekton-go/nekton/core"
)

var _ core.Verbs = (*seal.Node)(nil)

// TestPassesThrough wants everything that is not bytes of the network left alone, in order.
func TestPassesThrough(t *testing.T) {
	n, _ := pair(t, key32)
	effects := []core.Effect{
		{Kind: core.EffectAppend, Proto: 1, Token: 7, Data: []byte("record")},
		{Kind: core.EffectCompact, Proto: 1, Token: 8, Data: []byte("snapshot")},
		{Kind: core.EffectResolve, Token: 9, Name: "kelp:7946"},
		{Kind: core.EffectEmit, Event: &core.Done{ID: 10}},
	}
	require.Equal(t, effects, n.does(effects...))
	for _, in := range []core.Input{
		{Kind: core.InputWake},
		{Kind: core.InputResolved, Token: 9, Fault: core.FaultTimeout},
		{Kind: core.InputStored, Token: 7},
		{Kind: core.InputWall, Wall: 1 << 60},
		{Kind: core.InputRestore, Proto: 1, Data: []byte("snapshot")},
		{Kind: core.InputReplay, Proto: 1, Data: []byte("record")},
		{Kind: core.InputCommand, Command: other{}},
	} {
		require.Equal(t, []core.Input{in}, n.hears(in))
	}
	require.Panics(t, func() {
		n.toy.say = effects
		n.Step(0, core.Input{})
		n.Step(0, core.Input{})
	})
}

type other struct{}

func (other) Proto() core.Proto { return 1 }
func (other) CommandID() uint64 { return 1 }

// TestTimersUnderGarbage wants timers that are due to run, though the inner node never sees the garbage;
// and those that were not due when the garbage was observed to wait.
func TestTimersUnderGarbage(t *testing.T) {
	n, _ := pair(t, key32)
	garbage := core.Input{Kind: core.InputDatagram, Data: []byte("garbage")}
	require.Empty(t, n.hears(garbage))
	n.toy.deadline = 1000
	require.Equal(t, core.Instant(1000), n.Deadline())
	require.Equal(t, []core.Input{{Kind: core.InputWake}}, n.hears(garbage))
	require.Equal(t, core.Never, n.Deadline())

	n.toy.deadline = 1000
	garbage.At = 999
	require.Empty(t, n.hears(garbage))
	garbage.At = 1000
	require.Equal(t, []core.Input{{Kind: core.InputWake}}, n.hears(garbage))
}

// TestDataUntilNextStep breaks a link in the step that has effects with data, so that the inner node is
// stepped twice: what it lent the first time is gone, what the host sees is not.
func TestDataUntilNextStep(t *testing.T) {
	a, b := pair(t, key32)
	c := dial(t, a, b)
	there := append(write(a, c.dialed, "push"), "\xff\xff\xff\xff"...)
	b.toy.answer = func(in core.Input) []core.Effect {
		if in.Kind != core.InputRead {
			return nil
		}
		return []core.Effect{
			{Kind: core.EffectAppend, Data: []byte("record")}, {Kind: core.EffectSend, Data: []byte("hello")},
		}
	}
	effects := b.step(core.Input{Kind: core.InputRead, Link: c.accept, Data: there})
	require.Len(t, effects, 3)
	require.Equal(t, "record", string(effects[0].Data))
	require.Equal(t, "hello", a.receives(effects[1].Data))
	require.Equal(t, core.EffectClose, effects[2].Kind)
}
