package sim

// counts numbers what goes from one member to another. Only pairs that talk take memory: each sender has a
// small open-addressing table of those it has sent to.
type counts []tally

// tally is one sender's table. A used slot is the receiver, from 1, above its count; a free one is 0.
type tally struct {
	slots []uint64
	used  int
}

// next counts one more and returns how many that makes.
func (c counts) next(from, to int) uint64 {
	t := &c[from]
	if 4*t.used >= 3*len(t.slots) {
		t.grow()
	}
	slot := t.find(uint64(to + 1))
	if *slot == 0 {
		*slot = uint64(to+1) << 32
		t.used++
	}
	*slot++
	return *slot & (1<<32 - 1)
}

// find returns the slot of a key, or the free one where it belongs. Members are numbered densely and talk to
// others at random, so that their numbers are as good as hashes of them.
func (t *tally) find(key uint64) *uint64 {
	mask := uint64(len(t.slots) - 1)
	for i := key & mask; ; i = (i + 1) & mask {
		if slot := &t.slots[i]; *slot == 0 || *slot>>32 == key {
			return slot
		}
	}
}

func (t *tally) grow() {
	old := t.slots
	t.slots = make([]uint64, max(8, 2*len(old)))
	for _, slot := range old {
		if slot != 0 {
			*t.find(slot >> 32) = slot
		}
	}
}
