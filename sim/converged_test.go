package sim

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
)

// TestConvergedIsCalm: members that know each other from the start have nothing to say but pings, and what they
// are asked; and nobody has to be told of anybody.
func TestConvergedIsCalm(t *testing.T) {
	for nodes, preset := range map[int]swim.Config{64: swim.LAN(), 65: swim.LAN().AsMemberlist(), 1000: swim.LAN()} {
		events := 0
		o := Options{Scenario: "calm", Nodes: nodes, Seed: 3, Converged: true, Preset: preset}
		o.Watch = func(s *Step) {
			for i := range s.Effects {
				e := &s.Effects[i]
				if e.Kind != core.EffectEmit {
					continue
				}
				switch e.Event.(type) {
				case *swim.Ready:
					require.Less(t, s.At, core.Instant(10*time.Millisecond))
				case *swim.Info:
				default:
					events++
				}
			}
		}
		r := mustRun(t, o)
		require.True(t, r.OK, "%v %v", r.Violations, r.Disagree)
		require.Zero(t, r.ConvergedMS)
		require.Zero(t, events)
		require.InDelta(t, 2, r.PacketsPerNodeS, 0.1, "a ping and an answer, however many members there are")
	}
}

// TestConvergedScenarios: every scenario can begin there, with the same rules.
func TestConvergedScenarios(t *testing.T) {
	for _, name := range Scenarios() {
		r := mustRun(t, Options{Scenario: name, Nodes: 16, Seed: 5, Converged: true})
		require.True(t, r.OK, "%s: %v %v", name, r.Violations, r.Disagree)
		if name == "crash" {
			require.Positive(t, r.FirstDetectionMS)
			require.GreaterOrEqual(t, r.FullDisseminationMS, r.FirstDetectionMS)
		}
	}
}

// TestConvergedSealed: sealed members begin there as well.
func TestConvergedSealed(t *testing.T) {
	c, err := Options{Scenario: "crash", Nodes: 16, Seed: 2, Converged: true}.Case()
	require.NoError(t, err)
	c.Sealed = true
	r, err := Simulate(c, Harness{})
	require.NoError(t, err)
	require.True(t, r.OK, "%v %v", r.Violations, r.Disagree)
}

// TestConvergedPhasesAreSpread: members that start together do not act together.
func TestConvergedPhasesAreSpread(t *testing.T) {
	var first [10]int // pings by tenth of the first interval
	o := Options{Scenario: "calm", Nodes: 500, Seed: 1, Converged: true, For: 2 * time.Second}
	o.Watch = func(s *Step) {
		tenth := int(s.At / core.Instant(100*time.Millisecond))
		for i := range s.Effects {
			if s.Effects[i].Kind == core.EffectSend && s.Input.Kind == core.InputWake && tenth < len(first) {
				first[tenth]++
			}
		}
	}
	require.True(t, mustRun(t, o).OK)
	for _, n := range first {
		require.InDelta(t, 50, n, 30, "%v", first)
	}
}

// TestConvergedCases: how a case begins is part of it.
func TestConvergedCases(t *testing.T) {
	c, err := Options{Scenario: "crash", Nodes: 5, Converged: true}.Case()
	require.NoError(t, err)
	text, err := c.MarshalJSON()
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(text), `"converged":true`))
	again := Case{}
	require.NoError(t, again.UnmarshalJSON(text))
	require.Equal(t, c, again)
	require.Len(t, c.Ops, 1, "nobody starts or joins")
}

// TestConvergedStarts: whoever's first interval begins last, when its journal is ready, still probes in time.
func TestConvergedStarts(t *testing.T) {
	r := mustRun(t, Options{Scenario: "calm", Nodes: 4096, Seed: 1, Converged: true, For: 1100 * time.Millisecond})
	require.Empty(t, r.Violations)
}

// TestConvergedMemory: what a member costs at the start does not depend on how many others it knows.
func TestConvergedMemory(t *testing.T) {
	perNode := func(nodes int) uint64 {
		c, err := Options{Scenario: "calm", Nodes: nodes, Converged: true}.Case()
		require.NoError(t, err)
		w := newWorld(&c, &Harness{})
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		w.converge()
		runtime.ReadMemStats(&after)
		return (after.TotalAlloc - before.TotalAlloc) / uint64(nodes)
	}
	few, many := perNode(500), perNode(4000)
	require.Less(t, many, few+few/4, "bytes per node, of 4000 and of 500")
}
