package sim

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/core"
)

// TestWatchShowsCauses follows every input of a stormy run back to the step that sent it.
func TestWatchShowsCauses(t *testing.T) {
	c, err := Swarm(3, "storm")
	require.NoError(t, err)
	c = c.Without("hostile", "move", "swap") // nobody's steps cause what strangers do; addresses are members
	blind, err := Simulate(c, Harness{})
	require.NoError(t, err)

	var nodes []int // whose step it was, by number
	var last Step
	causes := map[core.InputKind]int{}
	watched, err := Simulate(c, Harness{Watch: func(s *Step) {
		require.EqualValues(t, len(nodes)+1, s.Number)
		require.GreaterOrEqual(t, s.At, last.At)
		require.Less(t, s.Cause, s.Number)
		if nodes = append(nodes, s.Node); s.Cause > 0 {
			causes[s.Input.Kind]++
		}
		last = *s
		if s.Input.Kind == core.InputDatagram {
			require.Equal(t, s.Input.From, address(nodes[s.Cause-1]))
		}
	}})
	require.NoError(t, err)
	require.Equal(t, blind, watched, "who looks does not disturb")
	require.Equal(t, watched.TraceHash, fmt.Sprintf("%016x", last.Hash))
	require.EqualValues(t, watched.Steps, last.Number)
	require.Zero(t, causes[core.InputWake])
	for _, kind := range []core.InputKind{
		core.InputDatagram, core.InputUp, core.InputRead, core.InputFlushed, core.InputDown, core.InputStored,
	} {
		require.Positive(t, causes[kind], "kind %d", kind)
	}
}

// TestStop ends a run after a number of steps, and says how far it came.
func TestStop(t *testing.T) {
	c, err := Swarm(3, "lite")
	require.NoError(t, err)
	var steps uint64
	r, err := Simulate(c, Harness{
		Watch: func(s *Step) { steps = s.Number },
		Stop:  func() bool { return steps >= 100 },
	})
	require.ErrorIs(t, err, ErrStopped)
	require.EqualValues(t, 100, r.Steps)
	require.False(t, r.OK)
	require.Less(t, r.VirtualMS, int64(60_000))
}
