package sim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/core"
)

// TestHeapIsASortedSlice compares the heap with a sort, over a mix of pushes and pops.
func TestHeapIsASortedSlice(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var h heap
	var model []entry
	for i := range 5000 {
		if rng.IntN(3) > 0 || len(h) == 0 {
			e := entry{core.Instant(rng.IntN(50)), uint64(rng.IntN(3))<<classShift | uint64(i), int32(i)}
			h.push(e)
			model = append(model, e)
			slices.SortFunc(model, func(a, b entry) int {
				if a.before(&b) {
					return -1
				}
				return 1
			})
			continue
		}
		require.Equal(t, model[0], h[0])
		require.Equal(t, model[0], h.pop())
		model = model[1:]
	}
}

// delays are how far ahead entries are pushed, in ns: what a cluster does, and what is hard on a wheel.
var delays = []struct {
	name  string
	delay func(*rand.Rand) int64
}{
	{"members", swimDelay},
	{"all at once", func(*rand.Rand) int64 { return 0 }},
	{"a few instants", func(r *rand.Rand) int64 { return r.Int64N(3) }},
	{"around a tick", func(r *rand.Rand) int64 { return r.Int64N(5) << (tickBits - 1) }},
	{"around the end of a wheel", func(r *rand.Rand) int64 {
		return 1<<(tickBits+slotBits*(1+r.IntN(3))) - 2 + r.Int64N(4)
	}},
	{"any distance", func(r *rand.Rand) int64 { return r.Int64() >> r.IntN(63) }},
	{"24 hours and never", func(r *rand.Rand) int64 {
		return []int64{int64(24 * time.Hour), int64(core.Never), 1}[r.IntN(3)]
	}},
	{"the past", func(r *rand.Rand) int64 { return r.Int64N(1e9) - 5e8 }},
}

// swimDelay is the mix of a cluster: mostly packets, some rounds of gossip and probes.
func swimDelay(r *rand.Rand) int64 {
	switch n := r.IntN(10); {
	case n < 7:
		return 200_000 + r.Int64N(1_800_000)
	case n < 9:
		return int64(200 * time.Millisecond)
	}
	return int64(time.Second)
}

// TestWheelIsAHeap: whatever is pushed, the wheel and the heap hand it out in the same order.
func TestWheelIsAHeap(t *testing.T) {
	for _, d := range delays {
		for _, most := range []int{1, 50, 20_000} {
			t.Run(fmt.Sprintf("%s/%d", d.name, most), func(t *testing.T) {
				for seed := range uint64(10) {
					sameOrder(t, rand.New(rand.NewPCG(seed, 7)), d.delay, most)
				}
			})
		}
	}
}

// sameOrder pushes and pops at random, with at most so many entries at a time, then pops the rest.
func sameOrder(t *testing.T, rng *rand.Rand, delay func(*rand.Rand) int64, most int) {
	var w wheel
	var h heap
	now := core.Instant(0)
	pop := func() {
		want := h.pop()
		if rng.IntN(2) == 0 && w.next() != want.at { // who pops need not ask
			t.Fatalf("at %v: next is %v, want %v", now, w.next(), want.at)
		}
		if got := w.pop(); got != want {
			t.Fatalf("at %v: popped %v, want %v", now, got, want)
		}
		now = max(now, want.at)
	}
	for i := range int32(10_000) {
		if len(h) > 0 && (len(h) == most || rng.IntN(3) == 0) {
			pop()
			continue
		}
		d := core.Instant(delay(rng))
		at := now + min(d, core.Never-now)
		c := class(rng.IntN(4))
		w.push(at, c, i)
		h.push(entry{at, uint64(c)<<classShift | w.seq, i})
	}
	for len(h) > 0 {
		require.False(t, w.empty())
		pop()
	}
	require.True(t, w.empty())
}
