package sim

import (
	"math/bits"
	"slices"

	"github.com/nekton-go/nekton/core"
)

// wheel orders what will happen by (time, class, sequence). It is a hierarchy of timing wheels: time is
// cut into ticks, a tick into bytes, and an entry waits at the level of the highest byte in which its tick
// differs from the current one, in the slot that this byte names. When the current tick reaches a slot, its
// entries move down a level; if they are few, the current tick becomes the last of the slot. What is due by the
// current tick is sorted, and what is pushed before it from then on lies in a heap: the length of a tick decides
// how fast this is, never what comes out.
//
// Its zero value is empty. Nothing allocates once the wheel has held as much as it ever will.
type wheel struct {
	seq  uint64
	tick uint64  // Invariant: an entry is in due or late if and only if its tick is no later than this one.
	due  []entry // sorted, the last comes first
	late heap    // pushed since due was sorted
	size int     // entries that are in neither

	levels [wheelLevels]wheelLevel
	blocks []block // slab; blocks[0] is not used, so that 0 means none
	free   int32   // the first unused block
}

const (
	tickBits    = 16 // a tick is 2^16 ns, or 65 µs
	slotBits    = 8
	wheelSlots  = 1 << slotBits
	wheelLevels = (63 - tickBits + slotBits - 1) / slotBits // enough for every Instant
)

// wheelLevel is one wheel: a list of blocks for each slot, and which slots have any.
type wheelLevel struct {
	first  [wheelSlots]int32
	filled [wheelSlots / 64]uint64
}

// block holds entries of one slot side by side: to empty a slot is to read memory in order.
type block struct {
	entries [10]entry
	used    int32
	next    int32
}

// popped is how many entries have been popped.
func (w *wheel) popped() uint64 { return w.seq - uint64(w.size+len(w.due)+len(w.late)) }

func (w *wheel) empty() bool { return w.size == 0 && !w.ready() }

// ready reports whether something is due.
func (w *wheel) ready() bool { return len(w.due)+len(w.late) > 0 }

func (w *wheel) push(at core.Instant, c class, slot int32) {
	w.seq++
	e := entry{at, uint64(c)<<classShift | w.seq, slot}
	if tick := uint64(max(at, 0)) >> tickBits; tick <= w.tick {
		w.late.push(e)
	} else {
		w.size++
		w.put(e, tick)
	}
}

// put files an entry whose tick is yet to come.
func (w *wheel) put(e entry, tick uint64) {
	level := (bits.Len64(tick^w.tick) - 1) / slotBits
	slot := tick >> (level * slotBits) % wheelSlots
	l := &w.levels[level]
	first := l.first[slot]
	if first == 0 || int(w.blocks[first].used) == len(w.blocks[first].entries) {
		first = w.block(first)
		l.first[slot] = first
		l.filled[slot/64] |= 1 << (slot % 64)
	}
	b := &w.blocks[first]
	b.entries[b.used] = e
	b.used++
}

// block takes an empty block of the slab and puts it before another.
func (w *wheel) block(next int32) int32 {
	if len(w.blocks) == 0 {
		w.blocks = append(w.blocks, block{})
	}
	i := w.free
	if i == 0 {
		i = int32(len(w.blocks))
		w.blocks = append(w.blocks, block{})
	}
	b := &w.blocks[i]
	w.free, b.used, b.next = b.next, 0, next
	return i
}

// next is the time of the earliest entry; the wheel must not be empty.
func (w *wheel) next() core.Instant {
	for !w.ready() {
		w.turn()
	}
	if last := len(w.due) - 1; !w.lateFirst(last) {
		return w.due[last].at
	}
	return w.late[0].at
}

func (w *wheel) pop() entry {
	for !w.ready() {
		w.turn()
	}
	last := len(w.due) - 1
	if w.lateFirst(last) {
		return w.late.pop()
	}
	e := w.due[last]
	w.due = w.due[:last]
	return e
}

// lateFirst reports whether the first of late comes before the last of due.
func (w *wheel) lateFirst(last int) bool {
	return last < 0 || len(w.late) > 0 && w.late[0].before(&w.due[last])
}

// turn moves the current tick to the next slot that is filled, and what is there to where it belongs. The
// slots before it are empty at this level and at those below, so nothing is passed over.
func (w *wheel) turn() {
	for level := range w.levels {
		l := &w.levels[level]
		shift := level * slotBits
		slot, ok := l.after(w.tick >> shift % wheelSlots)
		if !ok {
			continue
		}
		w.tick = (w.tick>>shift&^(wheelSlots-1) | slot) << shift
		i := l.first[slot]
		l.first[slot] = 0
		if w.blocks[i].next == 0 { // few entries, which need no finer wheel: the whole slot is due
			w.tick += 1<<shift - 1
		}
		l.filled[slot/64] &^= 1 << (slot % 64)
		for i != 0 {
			for k := range w.blocks[i].used {
				e := w.blocks[i].entries[k]
				if tick := uint64(e.at) >> tickBits; tick > w.tick {
					w.put(e, tick)
				} else {
					w.size--
					w.due = append(w.due, e)
				}
			}
			b := &w.blocks[i]
			i, b.next, w.free = b.next, w.free, i
		}
		w.sort()
		return
	}
}

// sort orders what is due. Mostly that is little.
func (w *wheel) sort() {
	const little = 16
	if len(w.due) > little {
		slices.SortFunc(w.due, lastFirst)
		return
	}
	for i := 1; i < len(w.due); i++ {
		e, k := w.due[i], i
		for ; k > 0 && w.due[k-1].before(&e); k-- {
			w.due[k] = w.due[k-1]
		}
		w.due[k] = e
	}
}

// lastFirst is an order for slices.SortFunc. No two entries are equal.
func lastFirst(a, b entry) int {
	if a.before(&b) {
		return 1
	}
	return -1
}

// after finds the first filled slot behind another.
func (l *wheelLevel) after(slot uint64) (uint64, bool) {
	word, mask := slot/64, ^uint64(0)<<(slot%64)<<1
	for ; word < uint64(len(l.filled)); word, mask = word+1, ^uint64(0) {
		if found := l.filled[word] & mask; found != 0 {
			return word*64 + uint64(bits.TrailingZeros64(found)), true
		}
	}
	return 0, false
}
