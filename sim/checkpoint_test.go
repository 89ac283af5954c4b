package sim

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestCheckpointsThin: however long a run is, it keeps at most 64 of them, at equal distances.
func TestCheckpointsThin(t *testing.T) {
	c := checkpoints{every: checkpointEvery}
	most := 0
	for steps := range uint64(1_000_000) {
		c.reach(steps+1, steps+1)
		most = max(most, len(c.sums))
	}
	require.Equal(t, checkpointsMax, most)
	require.EqualValues(t, 16*checkpointEvery, c.every)
	require.Len(t, c.sums, 1_000_000/int(c.every))
	for i, sum := range c.sums {
		require.Equal(t, uint64(i+1)*c.every, sum)
	}
}

// TestDiverge compares a run with some in which one thing differs: what the checkpoints say must be true of
// the hashes after every step.
func TestDiverge(t *testing.T) {
	run := func(nodes int, last time.Duration, faults ...Op) (Result, []uint64) {
		c, err := Options{Scenario: "calm", Nodes: nodes, For: last, Seed: 3}.Case()
		require.NoError(t, err)
		c.Ops = append(c.Ops, faults...)
		var sums []uint64
		r, err := Simulate(c, Harness{Watch: func(s *Step) { sums = append(sums, s.Hash) }})
		require.NoError(t, err)
		require.EqualValues(t, len(sums), r.Steps)
		return r, sums
	}
	base, baseSums := run(8, 8*time.Minute)
	require.NotEmpty(t, base.Checkpoints.Hashes)
	for i, sum := range base.Checkpoints.Hashes {
		require.Equal(t, hashText(baseSums[uint64(i+1)*base.Checkpoints.Every-1]), sum)
	}
	_, _, differ := Diverge(&base, &base)
	require.False(t, differ)

	cut := Op{Kind: Cut, Nodes: []int{0}, Peers: []int{1}, At: 5 * time.Minute, Until: 5*time.Minute + 3*time.Second}
	late := Op{Kind: Cut, At: 8*time.Minute - time.Second}
	for _, c := range []struct {
		nodes  int
		last   time.Duration
		faults []Op
	}{
		{8, 8 * time.Minute, []Op{cut}}, {8, 8 * time.Minute, []Op{late}}, {8, time.Minute, nil},
		{8, 50 * time.Minute, nil}, {8, 50 * time.Minute, []Op{cut}}, {7, 8 * time.Minute, nil},
	} {
		other, sums := run(c.nodes, c.last, c.faults...)
		first := 0 // steps that are equal
		for first < min(len(sums), len(baseSums)) && sums[first] == baseSums[first] {
			first++
		}
		after, by, differ := Diverge(&base, &other)
		require.True(t, differ)
		require.LessOrEqual(t, after, uint64(first))
		require.Less(t, uint64(first), by)
		require.Less(t, by-after, max(base.Checkpoints.Every, other.Checkpoints.Every)+1)
	}
}
