// Package timer orders deadlines. A [Heap] keeps any number of [Timer]s and shows the earliest;
// setting, moving and stopping one takes logarithmic time and no memory beyond the timer itself.
//
//	var timers timer.Heap[*suspicion]
//	timers.Set(&s.timer, s, now.Add(time.Second))
//	for s, ok := timers.Due(now); ok; s, ok = timers.Due(now) {
//		s.expire() // Due has stopped it
//	}
package timer

import "github.com/nekton-go/nekton/core"

// A Timer is one deadline of a Heap[T]. Its zero value is stopped. It must not be copied while set.
type Timer[T any] struct {
	value T
	at    core.Instant
	order uint64 // ties fire in the order they were set
	place int    // index in the heap, plus one; 0 is stopped
}

// Armed reports whether the timer is set.
func (t *Timer[T]) Armed() bool { return t.place > 0 }

// At is when a set timer fires.
func (t *Timer[T]) At() core.Instant { return t.at }

// A Heap is a set of timers. Its zero value is empty and ready to use.
type Heap[T any] struct {
	timers []*Timer[T] // Invariant: no timer is before its parent, at index (i-1)/2.
	orders uint64
}

// Len is the number of set timers.
func (h *Heap[T]) Len() int { return len(h.timers) }

// Deadline is when the earliest timer fires, or core.Never.
func (h *Heap[T]) Deadline() core.Instant {
	if len(h.timers) == 0 {
		return core.Never
	}
	return h.timers[0].at
}

// Set arms t, or moves it if it is armed.
func (h *Heap[T]) Set(t *Timer[T], value T, at core.Instant) {
	h.orders++
	t.value, t.at, t.order = value, at, h.orders
	if t.place == 0 {
		h.timers = append(h.timers, t)
		t.place = len(h.timers)
	}
	h.up(t.place - 1)
	h.down(t.place - 1)
}

// Stop disarms t; it is harmless on a stopped timer.
func (h *Heap[T]) Stop(t *Timer[T]) {
	if t.place == 0 {
		return
	}
	i, last := t.place-1, len(h.timers)-1
	h.swap(i, last)
	h.timers[last] = nil
	h.timers = h.timers[:last]
	if t.place = 0; i < last {
		h.up(i)
		h.down(h.timers[i].place - 1)
	}
}

// Due stops the earliest timer if it fires at or before now, and returns its value.
func (h *Heap[T]) Due(now core.Instant) (value T, ok bool) {
	if len(h.timers) == 0 || h.timers[0].at > now {
		return value, false
	}
	t := h.timers[0]
	h.Stop(t)
	return t.value, true
}

func (h *Heap[T]) before(i, j int) bool {
	a, b := h.timers[i], h.timers[j]
	return a.at < b.at || a.at == b.at && a.order < b.order
}

func (h *Heap[T]) swap(i, j int) {
	h.timers[i], h.timers[j] = h.timers[j], h.timers[i]
	h.timers[i].place, h.timers[j].place = i+1, j+1
}

func (h *Heap[T]) up(i int) {
	for i > 0 && h.before(i, (i-1)/2) {
		h.swap(i, (i-1)/2)
		i = (i - 1) / 2
	}
}

func (h *Heap[T]) down(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(h.timers); child++ {
			if h.before(child, least) {
				least = child
			}
		}
		if least == i {
			return
		}
		h.swap(i, least)
		i = least
	}
}
