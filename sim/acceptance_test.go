package sim_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/sim"
)

// What docs/TESTING.md says of detection: 128 members by the LAN preset lose one, 20 seeds.
func TestCrashIsDetectedInTime(t *testing.T) {
	seeds := 20
	if testing.Short() {
		seeds = 4
	}
	for _, lossPPM := range []int{0, 50_000} {
		var firsts []int64
		for seed := range uint64(seeds) {
			r, err := sim.Run(sim.Options{
				Scenario: "crash", Nodes: 128, For: 90 * time.Second, Seed: seed + 1, LossPPM: lossPPM, Preset: swim.LAN(),
			})
			require.NoError(t, err)
			require.True(t, r.OK, "seed %d: %v %v", r.Seed, r.Violations, r.Disagree)
			require.Zero(t, r.FalsePositives, "seed %d", r.Seed)
			require.LessOrEqual(t, r.FullDisseminationMS-r.FirstDetectionMS, int64(600), "seed %d", r.Seed)
			firsts = append(firsts, r.FirstDetectionMS)
		}
		slices.Sort(firsts)
		median := (firsts[(seeds-1)/2] + firsts[seeds/2]) / 2
		t.Logf("loss %d ppm: first detection %v ms, median %d", lossPPM, firsts, median)
		require.GreaterOrEqual(t, median, int64(8400))
		require.LessOrEqual(t, median, int64(11500))
	}
}

// Halves that were apart ten times longer than memberlist remembers the dead are whole again within a
// minute, unaided.
func TestPartitionHeals(t *testing.T) {
	for seed := range uint64(5) {
		r, err := sim.Run(sim.Options{Scenario: "partition", Nodes: 32, For: 15 * time.Minute, Seed: seed + 1})
		require.NoError(t, err)
		require.True(t, r.OK, "seed %d: %v %v", r.Seed, r.Violations, r.Disagree)
		require.Zero(t, r.FalsePositives, "seed %d", r.Seed)
		require.LessOrEqual(t, r.ConvergedMS, int64(60_000), "seed %d", r.Seed)
	}
}

// Half of the members restart at once and have forgotten their incarnations: all views are right within
// a push/pull and twice the longest suspicion.
func TestMassRestart(t *testing.T) {
	const bound = 30_000 + 2*36_120 // LAN, 32 members
	for seed := range uint64(5) {
		r, err := sim.Run(sim.Options{Scenario: "restart", Nodes: 32, Seed: seed + 1})
		require.NoError(t, err)
		require.True(t, r.OK, "seed %d: %v %v", r.Seed, r.Violations, r.Disagree)
		require.LessOrEqual(t, r.ConvergedMS, int64(bound), "seed %d", r.Seed)
	}
}

var update = flag.Lookup("update")

// The hashes in testdata are what these runs have on every machine: whatever process, processor or
// compiler setting this test runs under, they must come out. They change with the protocol; -update.
func TestHashesAreTheSameEverywhere(t *testing.T) {
	var out strings.Builder
	for seed := range uint64(5) {
		r, err := sim.Run(sim.Options{Scenario: "partition", Nodes: 16, For: 8 * time.Minute, Seed: seed + 1})
		require.NoError(t, err)
		fmt.Fprintf(&out, "%d %s\n", r.Seed, r.TraceHash)
	}
	const file = "testdata/hashes.txt"
	if update.Value.String() == "true" {
		require.NoError(t, os.WriteFile(file, []byte(out.String()), 0o666))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), out.String())
}
