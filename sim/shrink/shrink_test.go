package shrink_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/stack"
	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/internal/mutant"
	"github.com/nekton-go/nekton/sim"
	"github.com/nekton-go/nekton/sim/shrink"
)

// forgetful is a node that never tells its application when a suspect turns out to be well.
type forgetful struct{ core.Verbs }

func (f forgetful) Next() (core.Effect, bool) {
	e, ok := f.Verbs.Next()
	if _, refuted := e.Event.(*swim.Refuted); refuted {
		return f.Next()
	}
	return e, ok
}

// planted simulates clusters of forgetful nodes.
func planted(c sim.Case) (sim.Result, error) {
	return sim.Simulate(c, sim.Harness{FirstOnly: true, NewNode: func(_ int, c stack.Config) (core.Verbs, error) {
		node, err := stack.New(c)
		return forgetful{node}, err
	}})
}

// plain are faults that need few members to break something.
var plain = []string{"crash", "amnesia", "pause", "leave", "loss", "duplicate", "reorder", "cut", "one-way"}

// TestShrinks finds a planted bug by swarm and shrinks every finding.
func TestShrinks(t *testing.T) {
	found := 0
	for seed := uint64(0); found < 3; seed++ {
		require.Less(t, seed, uint64(50), "found only %d", found)
		c, err := sim.Swarm(seed, "default")
		require.NoError(t, err)
		c.Ops = slices.DeleteFunc(c.Ops, func(op sim.Op) bool {
			return op.Fault != "" && !slices.Contains(plain, op.Fault)
		})
		before, err := planted(c)
		require.NoError(t, err)
		if before.Broken() == "" {
			continue
		}
		found++
		s := shrink.Shrinker{Run: planted}
		small, err := s.Shrink(c)
		require.NoError(t, err)
		t.Logf("seed %d: %d members, %d operations, %v: %d runs\n%s", seed, small.Nodes, len(small.Ops), small.For,
			s.Runs(), small.Ops)
		again, err := planted(small)
		require.NoError(t, err)
		require.Equal(t, before.Broken(), again.Broken())
		require.Equal(t, s.Result(), again)
		require.Equal(t, fmt.Sprintf("shrunk from swarm default, seed %d", seed), small.Name)
		require.LessOrEqual(t, small.Nodes, 4)
		require.LessOrEqual(t, small.Faults(), 4)
		require.LessOrEqual(t, len(small.Tuned()), 2)

		mended, err := sim.Simulate(small, sim.Harness{})
		require.NoError(t, err)
		require.True(t, mended.OK, "it has no bug, but %v", mended.Broken())
	}
}

// TestFillsMeta has many members with a little to say each, and a bug that takes a full datagram: three that have
// much to say will do.
func TestFillsMeta(t *testing.T) {
	c, err := sim.Options{Scenario: "calm", Nodes: 24}.Case()
	require.NoError(t, err)
	c.Ops = append(c.Ops, sim.Op{Kind: sim.SetMeta, At: 30 * time.Second, Nodes: sim.Pick(1, 1, 24, 24), Size: 60})
	c.Swim.Mutant = mutant.OverMTU
	s := shrink.Shrinker{Run: func(c sim.Case) (sim.Result, error) {
		return sim.Simulate(c, sim.Harness{FirstOnly: true})
	}}
	small, err := s.Shrink(c)
	require.NoError(t, err)
	t.Logf("%d runs\n%s", s.Runs(), small.Ops)
	require.Equal(t, "S7a", s.Result().Violations[0].Oracle)
	require.LessOrEqual(t, small.Nodes, 4)
}

func TestRefusesWhatPasses(t *testing.T) {
	c, err := sim.Options{Scenario: "calm", Nodes: 3}.Case()
	require.NoError(t, err)
	s := shrink.Shrinker{Run: planted}
	small, err := s.Shrink(c)
	require.ErrorIs(t, err, shrink.ErrPasses)
	require.Equal(t, c, small)
}

// TestStopsAnyTime gives a budget of a few runs: the case returned still fails.
func TestStopsAnyTime(t *testing.T) {
	c, err := sim.Options{Scenario: "flap", Nodes: 8}.Case()
	require.NoError(t, err)
	for budget := range 12 {
		s := shrink.Shrinker{Run: planted}
		s.Stop = func() bool { return s.Runs() >= budget }
		small, err := s.Shrink(c)
		require.NoError(t, err)
		r, err := planted(small)
		require.NoError(t, err)
		require.NotEmpty(t, r.Broken())
	}
}

// TestKeepsWhatItHas lets runs fail: the smallest case so far comes back beside the error.
func TestKeepsWhatItHas(t *testing.T) {
	broken := errors.New("out of luck")
	c, err := sim.Options{Scenario: "flap", Nodes: 8}.Case()
	require.NoError(t, err)
	runs := 0
	s := shrink.Shrinker{Run: func(c sim.Case) (sim.Result, error) {
		if runs++; runs > 6 {
			return sim.Result{}, broken
		}
		return planted(c)
	}}
	small, err := s.Shrink(c)
	require.ErrorIs(t, err, broken)
	r, err := planted(small)
	require.NoError(t, err)
	require.NotEmpty(t, r.Broken())
}

// TestShrinksWhatIsTruncated begins with a case that ends at its failure, as a kept one does, long after its Mark: that
// is no reason to believe that members should have recovered.
func TestShrinksWhatIsTruncated(t *testing.T) {
	c, err := sim.Options{Scenario: "flap", Nodes: 8}.Case()
	require.NoError(t, err)
	r, err := planted(c)
	require.NoError(t, err)
	c.For = time.Duration(r.Violations[0].At) + 1
	c.Mark, c.Within, c.Truncated = time.Second, 0, true
	s := shrink.Shrinker{Run: planted}
	small, err := s.Shrink(c)
	require.NoError(t, err)
	require.True(t, small.Truncated)
	last := s.Result()
	require.Equal(t, r.Broken(), last.Broken())
	require.Equal(t, time.Duration(last.Violations[0].At)+1, small.For)
}
