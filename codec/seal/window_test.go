package seal

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestWindow compares windows with a set of numbers: none is fresh twice, and none is refused that is new
// and at most size below the largest.
func TestWindow(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, size := range []int{1, 63, 64, 65, 1024} {
		w, seen, top := newWindow(size), map[uint64]bool{}, uint64(0)
		for range 20_000 {
			n := top + uint64(rng.IntN(size/4+3))
			switch rng.IntN(100) {
			case 0:
				n += rng.Uint64N(1 << 40)
			case 1:
				n = rng.Uint64N(top + 1)
			default:
				n -= min(n, uint64(rng.IntN(2*size)))
			}
			if fresh := w.fresh(n); fresh {
				require.False(t, seen[n], "%d again, top %d", n, top)
				w.mark(n)
				require.False(t, w.fresh(n))
			} else {
				require.True(t, seen[n] || n+uint64(size) < top, "%d is new, top %d", n, top)
			}
			seen[n], top = true, max(top, n)
			require.Equal(t, top, w.top)
		}
	}
}

// TestSenders fills the table and wants the least recently heard to go.
func TestSenders(t *testing.T) {
	s := newSenders(3, 64)
	name := func(i int) (x [SessionSize]byte) { x[0] = byte(i); return x }
	for _, i := range []int{1, 2, 3, 1, 4, 1, 3} {
		x := s.known[name(i)]
		if x == nil {
			x = s.add(name(i))
		}
		s.heard(x)
		if x.datagrams.fresh(uint64(i)) {
			x.datagrams.mark(uint64(i))
		}
	}
	require.Len(t, s.known, 3)
	require.Nil(t, s.known[name(2)])
	for _, i := range []int{1, 3, 4} {
		require.False(t, s.known[name(i)].datagrams.fresh(uint64(i)), "%d", i)
	}
	var order []byte
	for x := s.recent.older; x != &s.recent; x = x.older {
		order = append(order, x.session[0])
	}
	require.Equal(t, []byte{3, 1, 4}, order)

	gone, kept := &key{}, &key{}
	s.known[name(1)].key, s.known[name(3)].key = gone, kept
	s.forget(gone)
	require.Nil(t, s.known[name(1)].key)
	require.Same(t, kept, s.known[name(3)].key)
}
