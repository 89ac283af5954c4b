package seal

// A window tells numbers seen before from new ones, as RFC 4303 §3.4.3 does: everything below it counts as
// seen, and it slides with the largest. Its bitmap is a ring of words (RFC 6479).
type window struct {
	top  uint64 // the largest number seen
	bits []uint64
}

// newWindow returns a window in which numbers up to size below the largest are told apart.
func newWindow(size int) window { return window{bits: make([]uint64, (size+63)/64+1)} }

// fresh reports whether n has not been seen.
func (w *window) fresh(n uint64) bool {
	words := uint64(len(w.bits))
	switch {
	case n > w.top:
		return true
	case n/64+words-1 < w.top/64:
		return false
	}
	return w.bits[n/64%words]&(1<<(n%64)) == 0
}

// mark makes n, which is fresh, seen.
func (w *window) mark(n uint64) {
	words := uint64(len(w.bits))
	if n > w.top {
		for i := range min(n/64-w.top/64, words) {
			w.bits[(w.top/64+1+i)%words] = 0
		}
		w.top = n
	}
	w.bits[n/64%words] |= 1 << (n % 64)
}
