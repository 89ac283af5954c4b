package timer_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/timer"
)

// set is one timer that the model knows to be set.
type set struct {
	at    core.Instant
	order int
	which int
}

// A heap and a sorted slice agree on everything: what fires when, in which order, and what is left.
func TestHeapIsASortedSlice(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		var h timer.Heap[int]
		timers := make([]timer.Timer[int], 1+r.IntN(40))
		var model []set
		now := core.Instant(0)
		for step := range 500 {
			which := r.IntN(len(timers))
			without := slices.DeleteFunc(slices.Clone(model), func(s set) bool { return s.which == which })
			switch r.IntN(4) {
			case 0, 1:
				at := now + core.Instant(r.IntN(30)-5)
				h.Set(&timers[which], which, at)
				model = append(without, set{at, step, which})
				slices.SortFunc(model, func(a, b set) int {
					if a.at != b.at {
						return int(a.at - b.at)
					}
					return a.order - b.order
				})
				require.Equal(t, at, timers[which].At())
			case 2:
				h.Stop(&timers[which])
				model = without
			case 3:
				now += core.Instant(r.IntN(10))
				for len(model) > 0 && model[0].at <= now {
					got, ok := h.Due(now)
					require.True(t, ok)
					require.Equal(t, model[0].which, got, "seed %d, step %d", seed, step)
					model = model[1:]
				}
				_, ok := h.Due(now)
				require.False(t, ok)
			}
			require.Equal(t, len(model), h.Len())
			want := core.Never
			if len(model) > 0 {
				want = model[0].at
			}
			require.Equal(t, want, h.Deadline(), "seed %d, step %d", seed, step)
			armed := slices.ContainsFunc(model, func(s set) bool { return s.which == which })
			require.Equal(t, armed, timers[which].Armed())
		}
	}
}

func TestZeroHeap(t *testing.T) {
	var h timer.Heap[string]
	var x timer.Timer[string]
	require.Equal(t, core.Never, h.Deadline())
	_, ok := h.Due(core.Never)
	require.False(t, ok)
	h.Stop(&x) // harmless
	h.Set(&x, "x", core.Never)
	require.Equal(t, core.Never, h.Deadline())
	got, ok := h.Due(core.Never)
	require.True(t, ok)
	require.Equal(t, "x", got)
	require.False(t, x.Armed())
}

func TestTiesFireInTheOrderTheyWereSet(t *testing.T) {
	var h timer.Heap[int]
	var timers [10]timer.Timer[int]
	for i := range timers {
		h.Set(&timers[i], i, 5)
	}
	h.Set(&timers[3], 3, 5) // set again: last now
	var fired []int
	for i, ok := h.Due(5); ok; i, ok = h.Due(5) {
		fired = append(fired, i)
	}
	require.Equal(t, []int{0, 1, 2, 4, 5, 6, 7, 8, 9, 3}, fired)
}

func TestSettingAllocatesNothing(t *testing.T) {
	var h timer.Heap[int]
	var timers [64]timer.Timer[int]
	at := core.Instant(0)
	run := func() {
		for i := range timers {
			at = at*6364136223846793005 + 1442695040888963407
			h.Set(&timers[i], i, at>>40)
		}
		for i := range 32 {
			h.Stop(&timers[i*2])
		}
		for _, ok := h.Due(core.Never); ok; _, ok = h.Due(core.Never) {
		}
	}
	run()
	require.Zero(t, testing.AllocsPerRun(100, run))
}
