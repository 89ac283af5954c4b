package sim

import "github.com/nekton-go/nekton/core"

// entry is one thing to happen. Entries are ordered by (time, class, sequence).
type entry struct {
	at    core.Instant
	order uint64 // class, then sequence
	slot  int32  // what happens: an event in the slab, or, negative, the wake of a node
}

// class orders what happens at one instant.
type class uint64

const (
	classSchedule class = iota // operations first: a cut at t stops a packet sent at t
	classInput                 // then inputs: an answer that arrives at its deadline is in time
	classWake                  // then deadlines
	classProbe                 // then the harness's own questions
)

const classShift = 60 // leaves 2^60 sequence numbers

func (e *entry) before(f *entry) bool {
	return e.at < f.at || e.at == f.at && e.order < f.order
}

// heap is a 4-ary heap of entries whose keys lie inline, so that sifting touches one cache line a level
// and allocates nothing. It holds what comes late to a wheel, and on its own is what wheels are tested against.
type heap []entry

func (h *heap) push(e entry) {
	*h = append(*h, e)
	q := *h
	i := len(q) - 1
	for i > 0 {
		parent := (i - 1) / 4
		if !e.before(&q[parent]) {
			break
		}
		q[i] = q[parent]
		i = parent
	}
	q[i] = e
}

func (h *heap) pop() entry {
	q := *h
	top := q[0]
	last := len(q) - 1
	e := q[last]
	q = q[:last]
	*h = q
	if last == 0 {
		return top
	}
	i := 0
	for {
		first := 4*i + 1
		if first >= last {
			break
		}
		least := first
		for child := first + 1; child < min(first+4, last); child++ {
			if q[child].before(&q[least]) {
				least = child
			}
		}
		if !q[least].before(&e) {
			break
		}
		q[i] = q[least]
		i = least
	}
	q[i] = e
	return top
}
