package sim

import "github.com/nekton-go/nekton/core"

// queue orders what will happen by (time, class, sequence): a 4-ary heap whose keys lie inline, so
// that sifting touches one cache line a level and allocates nothing.
type queue struct {
	heap []entry
	seq  uint64
}

// entry is one thing to happen. slot says what: an event in the slab, or a node to wake (see wakeSlot).
type entry struct {
	at    core.Instant
	order uint64 // class, then sequence
	slot  int32
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

func (q *queue) push(at core.Instant, c class, slot int32) {
	q.seq++
	e := entry{at, uint64(c)<<classShift | q.seq, slot}
	q.heap = append(q.heap, e)
	i := len(q.heap) - 1
	for i > 0 {
		parent := (i - 1) / 4
		if !e.before(&q.heap[parent]) {
			break
		}
		q.heap[i] = q.heap[parent]
		i = parent
	}
	q.heap[i] = e
}

func (q *queue) empty() bool { return len(q.heap) == 0 }

// next is the time of the earliest entry; the queue must not be empty.
func (q *queue) next() core.Instant { return q.heap[0].at }

func (q *queue) pop() entry {
	top := q.heap[0]
	last := len(q.heap) - 1
	e := q.heap[last]
	q.heap = q.heap[:last]
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
			if q.heap[child].before(&q.heap[least]) {
				least = child
			}
		}
		if !q.heap[least].before(&e) {
			break
		}
		q.heap[i] = q.heap[least]
		i = least
	}
	q.heap[i] = e
	return top
}
