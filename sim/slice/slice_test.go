package slice

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/sim"
)

// lost is a case in which a member dies, and a target: how another one came to know.
func lost(t *testing.T) (sim.Case, Target) {
	t.Helper()
	c, err := sim.Options{Scenario: "crash", Nodes: 6, Seed: 3}.Case()
	require.NoError(t, err)
	return c, Target{Step: 1 << 40, Node: (c.Victim + 1) % 6, About: c.Victim}
}

func simulating(c sim.Case) func(sim.Harness) error {
	return func(h sim.Harness) error {
		_, err := sim.Simulate(c, h)
		return err
	}
}

// TestSliceTellsTheStory: n3 was there, somebody missed it, that was passed on, and its suspicion ran out.
func TestSliceTellsTheStory(t *testing.T) {
	c, target := lost(t)
	s, err := Of(target, simulating(c))
	require.NoError(t, err)
	var story []string
	for _, l := range s.Lines {
		story = append(story, strings.Join(l.Changes, ""))
		require.Contains(t, l.String(), l.Input)
	}
	text := strings.Join(story, "\n")
	require.Regexp(t, `(?s)n3 unknown -> alive.*\(self\).*n3 alive@.* -> suspect.*\(probe\).*`+
		`n3 alive@.* -> suspect.*\(accuse\).*n3 suspect@.* -> dead.*\(suspicion\)`, text)
	require.LessOrEqual(t, len(s.Lines), linesMax)
	require.Equal(t, target.Node, s.Lines[len(s.Lines)-1].Node)
	require.Greater(t, s.Heard, len(s.Lines))
}

// TestSliceIsInThePast compares with vector clocks, kept the usual way.
func TestSliceIsInThePast(t *testing.T) {
	c, target := lost(t)
	var clocks [][]uint64 // of each step
	var nodes []int
	latest, steps := make([][]uint64, c.Nodes), make([]uint64, c.Nodes)
	_, err := sim.Simulate(c, sim.Harness{Watch: func(s *sim.Step) {
		clock := make([]uint64, c.Nodes)
		merge := func(other []uint64) {
			for i := range other {
				clock[i] = max(clock[i], other[i])
			}
		}
		merge(latest[s.Node])
		if s.Cause > 0 {
			merge(clocks[s.Cause-1])
		}
		steps[s.Node]++
		clock[s.Node] = steps[s.Node]
		latest[s.Node] = clock
		clocks, nodes = append(clocks, clock), append(nodes, s.Node)
	}})
	require.NoError(t, err)
	target.Step, target.Node = 60, -1 // in the rush of joining
	s, err := Of(target, simulating(c))
	require.NoError(t, err)
	past := 0
	for _, n := range clocks[target.Step-1] {
		past += int(n)
	}
	require.Equal(t, past, s.Past)
	require.Less(t, past, int(target.Step))
	require.NotEmpty(t, s.Lines)
	for _, l := range s.Lines {
		own := clocks[l.Step-1][l.Node]
		require.LessOrEqual(t, own, clocks[target.Step-1][l.Node], "%v", l)
	}
}

// TestReaderUnderstands reads everything that arrives, in however many pieces, sealed or not.
func TestReaderUnderstands(t *testing.T) {
	for _, sealed := range []bool{false, true} {
		c, err := sim.Options{Scenario: "partition", Nodes: 8, Seed: 5}.Case()
		require.NoError(t, err)
		c.Sealed = sealed
		testReader(t, c)
	}
}

func testReader(t *testing.T, c sim.Case) {
	r := NewReader("")
	exchanges, pieces := 0, 0
	require.NoError(t, simulating(c)(sim.Harness{Watch: func(s *sim.Step) {
		r.Follow(s)
		text := r.Input(s, 1)
		require.NotEmpty(t, text)
		for _, line := range r.Effects(s) {
			require.NotRegexp(t, `sends .*: \d+ bytes$`, line)
		}
		switch s.Input.Kind {
		case core.InputDatagram:
			require.NotRegexp(t, `\d+ bytes$`, text)
		case core.InputRead:
			if pieces++; strings.Contains(text, "push-pull {") {
				exchanges++
			}
		}
	}}))
	require.Greater(t, exchanges, 100)
	require.Greater(t, pieces, exchanges)
}

func TestSpeaksOf(t *testing.T) {
	for text, want := range map[string]bool{
		"": false, "n1": true, "n10": false, "xn1": false, "n10 n1": true, "bury n1@4": true, "n1n1": false,
	} {
		require.Equal(t, want, speaksOf(text, "n1"), text)
	}
}

func TestErrorsOfTheRun(t *testing.T) {
	broken := errors.New("broken")
	_, err := Of(Target{Step: 1}, func(sim.Harness) error { return broken })
	require.ErrorIs(t, err, broken)
	s, err := Of(Target{Step: 1, Node: 3}, func(sim.Harness) error { return nil })
	require.NoError(t, err)
	require.Empty(t, s)
}
