package pages

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestClonesAreCopies does the same to arrays and to plain slices of which each is a copy.
func TestClonesAreCopies(t *testing.T) {
	const length = 5*size + 3
	rng := rand.New(rand.NewPCG(1, 2))
	arrays, models := make([]Array[int], 1), [][]int{make([]int, length)}
	for range 20_000 {
		k, i := rng.IntN(len(arrays)), rng.IntN(length)
		switch rng.IntN(100) {
		case 0:
			arrays, models = append(arrays, arrays[k].Clone()), append(models, slices.Clone(models[k]))
		case 1:
			arrays[k], models[k] = Array[int]{}, make([]int, length)
		default:
			v := rng.Int()
			*arrays[k].Edit(i), models[k][i] = v, v
		}
	}
	for k := range arrays {
		for i := range length + size {
			want := 0
			if i < length {
				want = models[k][i]
			}
			require.Equal(t, want, arrays[k].Get(i))
		}
	}
}

// TestClonesShare: a clone that is not written to is a list of pages, and a write copies one of them.
func TestClonesShare(t *testing.T) {
	var base Array[int]
	for i := range 10 * size {
		*base.Edit(i) = i
	}
	clone := base.Clone()
	*clone.Edit(0) = 7
	require.NotSame(t, base.pages[0], clone.pages[0])
	for k := 1; k < 10; k++ {
		require.Same(t, base.pages[k], clone.pages[k])
	}
	require.Zero(t, testing.AllocsPerRun(100, func() { *clone.Edit(1) = 8 }), "copied once")
}
