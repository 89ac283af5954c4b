package sim

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSwarmsHold runs some seeds of every kind of swarm: no rule may break, and views must agree in time.
func TestSwarmsHold(t *testing.T) {
	for _, name := range Profiles() {
		for seed := range uint64(20) {
			c, err := Swarm(seed, name)
			require.NoError(t, err)
			r, err := Simulate(c, Harness{})
			require.NoError(t, err)
			require.True(t, r.OK, "%s, seed %d: %v %v", name, seed, r.Violations, r.Disagree)
		}
	}
}

// TestMasksShiftNothing takes every fault out of a swarm: what remains is what was there.
func TestMasksShiftNothing(t *testing.T) {
	for seed := range uint64(50) {
		whole, err := Swarm(seed, "storm")
		require.NoError(t, err)
		require.NoError(t, whole.Validate())
		for _, f := range Catalogue() {
			masked := whole.Without(f.Name)
			left := slices.DeleteFunc(slices.Clone(whole.Ops), func(op Op) bool { return op.Fault == f.Name })
			require.Equal(t, left, masked.Ops)
			require.Less(t, len(masked.Ops), len(whole.Ops), f.Name)
		}
	}
}
