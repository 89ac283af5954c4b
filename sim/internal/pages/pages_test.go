package pages

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestClonesAreCopies does the same to arrays and to plain slices of which each is a copy.
func TestClonesAreCopies(t *testing.T) {
	const length = 5*Size + 3
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
		for i := range length + Size {
			want := 0
			if i < length {
				want = models[k][i]
			}
			require.Equal(t, want, arrays[k].Get(i))
		}
	}
}

// TestClonesShare: a clone that is not written to takes no memory, and a write copies one page.
func TestClonesShare(t *testing.T) {
	var base Array[int]
	for i := range 10 * Size {
		*base.Edit(i) = i
	}
	clone := base.Clone()
	require.Same(t, base.list, clone.list)
	*clone.Edit(0) = 7
	require.NotSame(t, base.list.pages[0], clone.list.pages[0])
	for k := 1; k < 10; k++ {
		require.Same(t, base.list.pages[k], clone.list.pages[k])
	}
	require.Zero(t, testing.AllocsPerRun(100, func() { *clone.Edit(1) = 8 }), "copied once")
}

// TestSharedPagesStay: a page that arrays have in common is never written to, by any of them.
func TestSharedPagesStay(t *testing.T) {
	var base Array[int]
	require.Nil(t, base.Shared(1))
	*base.Edit(1), *base.Edit(Size) = 1, 1
	require.Nil(t, base.Shared(1))
	a, b := base.Clone(), base.Clone()
	page := base.Shared(1)
	require.NotNil(t, page)
	require.True(t, a.Shared(1) == page && b.Shared(0) == page)
	*base.Edit(1) = 2
	*a.Edit(1) = 1
	require.Nil(t, base.Shared(1))
	require.Nil(t, a.Shared(1))
	require.True(t, b.Shared(1) == page)
	require.True(t, base.Shared(Size) != nil && base.Shared(Size) == a.Shared(Size), "the other page")
	require.Equal(t, []int{2, 1, 1}, []int{base.Get(1), a.Get(1), b.Get(1)})
}
