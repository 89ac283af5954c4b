package sim

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestDrawsAreEven looks for bias and for correlation between neighbouring keys.
func TestDrawsAreEven(t *testing.T) {
	const n = 1 << 16
	for _, p := range []purpose{forLatency, forLoss} {
		var hits, both int
		for k := range uint64(n) {
			hit := chance(draw(7, p, 1, 2, k), 250_000)
			if hit {
				hits++
			}
			if hit && chance(draw(7, p, 2, 1, k), 250_000) {
				both++
			}
		}
		require.InDelta(t, n/4, hits, n/100)
		require.InDelta(t, n/16, both, n/200)
	}
}

// TestOptions pins what is refused, and that the message helps.
func TestOptions(t *testing.T) {
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{Scenario: "storm"}, `unknown scenario "storm"; use one of calm, crash, loss, partition, flap, restart`},
		{Options{}, `unknown scenario ""`},
		{Options{Scenario: "calm", Nodes: 1}, "1 nodes; calm takes 2 to 4096, or 16384 that are Converged"},
		{Options{Scenario: "restart", Nodes: 3}, "3 nodes; restart takes 4 to 4096, or"},
		{Options{Scenario: "calm", Nodes: 5000}, "5000 nodes"},
		{Options{Scenario: "calm", Nodes: 20_000, Converged: true}, "20000 nodes; calm takes 2 to 16384"},
		{Options{Scenario: "calm", For: -time.Second}, "a duration of -1s"},
		{Options{Scenario: "calm", For: 25 * time.Hour}, "a duration of 25h0m0s"},
		{Options{Scenario: "crash", For: 10 * time.Second}, "10s; crash with 16 nodes needs more than 30."},
		{Options{Scenario: "calm", LossPPM: 1_000_000}, "a loss of 1000000 ppm; use 0 to 900000"},
		{Options{Scenario: "calm", LossPPM: -1}, "a loss of -1 ppm"},
		{Options{Scenario: "calm", Network: Network{LatencyMin: 2, LatencyMax: 1}}, "a latency of 2ns to 1ns"},
	} {
		_, err := Run(c.o)
		require.ErrorIs(t, err, ErrOptions)
		require.ErrorContains(t, err, c.want)
	}
}

func TestSchedulesAreSound(t *testing.T) {
	for _, name := range Scenarios() {
		for _, n := range []int{4, 5, 32, 129} {
			o := Options{Scenario: name, Nodes: n}
			sc, err := o.complete()
			require.NoError(t, err)
			p := sc.build(setting{nodes: n, seed: 3, swim: o.Preset})
			require.Less(t, p.mark, sc.usual, name)
			for _, op := range p.ops {
				for _, i := range append(slices.Clone(op.Nodes), op.Peers...) {
					require.True(t, i >= 0 && i < n, "%s: %v", name, op)
				}
				require.True(t, op.Until == 0 || op.Until > op.At, "%s: %v", name, op)
				require.NoError(t, op.validate(n), "%s: %v", name, op)
			}
		}
	}
}
