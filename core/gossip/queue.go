// Package gossip spreads news by infection: a [Queue] holds encoded messages and puts each into a
// limited number of datagrams, those that have left least often first (SWIM §4.1).
package gossip

import (
	"slices"
	"sort"

	"github.com/nekton-go/nekton/core"
)

// A Key groups messages of which only the newest matters: a new one replaces the queued one. Unique
// messages, key 0, never replace each other.
type Key uint64

// A Ticket is how the sender of a message recognises it once it is spread. 0 means nobody waits.
type Ticket uint64

// A Queue is a transmit-limited broadcast queue. Its zero value is empty and holds any number of
// messages; set Max to bound it.
type Queue struct {
	Max     int // messages; when exceeded, the one that has left most often is dropped; 0 is no bound
	Dropped uint64

	// Invariant: sorted by transmissions, then longest first, then newest first; ids are never reused.
	queued []*broadcast
	keyed  map[Key]*broadcast
	ids    uint64
	picked []*broadcast // scratch of Fill
	done   []Ticket
	free   []*broadcast
}

type broadcast struct {
	key     Key
	ticket  Ticket
	id      uint64
	sent    int
	encoded []byte
}

// Len is the number of queued messages.
func (q *Queue) Len() int { return len(q.queued) }

// Put queues a copy of one encoded message. A queued message with the same key, unless that is 0, is
// replaced and counts as spread.
func (q *Queue) Put(key Key, ticket Ticket, encoded []byte) {
	if key != 0 {
		q.Cancel(key)
	}
	if q.Max > 0 && len(q.queued) >= q.Max {
		q.drop()
	}
	b := q.take()
	q.ids++
	b.key, b.ticket, b.id, b.sent = key, ticket, q.ids, 0
	b.encoded = append(b.encoded[:0], encoded...)
	if key != 0 {
		if q.keyed == nil {
			q.keyed = map[Key]*broadcast{}
		}
		q.keyed[key] = b
	}
	q.queued = slices.Insert(q.queued, q.place(b, len(q.queued)), b)
}

// drop removes the message that has left most often, but rather none that somebody waits for.
func (q *Queue) drop() {
	i := len(q.queued) - 1
	for ; i > 0 && q.queued[i].ticket != 0; i-- {
	}
	if q.queued[i].ticket != 0 {
		i = len(q.queued) - 1
	}
	b := q.queued[i]
	q.queued = slices.Delete(q.queued, i, i+1)
	q.finish(b)
	q.Dropped++
}

// Cancel removes the message with that key, if there is one; it counts as spread.
func (q *Queue) Cancel(key Key) {
	b := q.keyed[key]
	if b == nil {
		return
	}
	i := sort.Search(len(q.queued), func(i int) bool { return !before(q.queued[i], b) })
	q.queued = slices.Delete(q.queued, i, i+1)
	q.finish(b)
}

// Fill adds messages to d while they fit. A message that has now left limit times is spread.
func (q *Queue) Fill(d *core.Datagram, limit int) {
	q.picked = q.picked[:0]
	kept := q.queued[:0]
	for i := 0; i < len(q.queued); {
		b := q.queued[i]
		if d.Add(b.encoded) {
			b.sent++
			q.picked = append(q.picked, b)
			i++
			continue
		}
		// Among those sent as often the longest come first: skip to one that fits, or to the next tier.
		room, rest := d.Room(), q.queued[i:]
		skip := sort.Search(len(rest), func(j int) bool {
			return rest[j].sent > b.sent || len(rest[j].encoded) <= room
		})
		kept = append(kept, rest[:skip]...)
		i += skip
	}
	if len(q.picked) == 0 {
		return
	}
	clear(q.queued[len(kept):])
	q.queued = kept
	left := q.picked[:0]
	for _, b := range q.picked {
		if b.sent >= limit {
			q.finish(b)
		} else {
			left = append(left, b)
		}
	}
	q.merge(left)
}

// merge puts back what Fill has taken out, which is still in order: all have left once more.
func (q *Queue) merge(left []*broadcast) {
	others := len(q.queued)
	q.queued = append(q.queued, left...)
	end := others
	for n := len(left) - 1; n >= 0 && others > 0; n-- {
		i := q.place(left[n], end)
		copy(q.queued[i+n+1:], q.queued[i:end])
		q.queued[i+n], end = left[n], i
	}
}

// Spread returns a ticket whose message is spread, replaced or dropped; false when there is none left.
func (q *Queue) Spread() (Ticket, bool) {
	if len(q.done) == 0 {
		return 0, false
	}
	t := q.done[0]
	q.done = slices.Delete(q.done, 0, 1)
	return t, true
}

// HasSpread reports whether Spread would return one.
func (q *Queue) HasSpread() bool { return len(q.done) > 0 }

func before(a, b *broadcast) bool {
	switch {
	case a.sent != b.sent:
		return a.sent < b.sent
	case len(a.encoded) != len(b.encoded):
		return len(a.encoded) > len(b.encoded)
	}
	return a.id > b.id
}

// place is where b belongs among the first n.
func (q *Queue) place(b *broadcast, n int) int {
	return sort.Search(n, func(i int) bool { return before(b, q.queued[i]) })
}

// finish retires a message that has left the queue.
func (q *Queue) finish(b *broadcast) {
	if b.key != 0 {
		delete(q.keyed, b.key)
	}
	if b.ticket != 0 {
		q.done = append(q.done, b.ticket)
	}
	if len(q.free) < freeMax {
		q.free = append(q.free, b)
	}
}

// freeMax bounds the retired messages kept for reuse.
const freeMax = 64

func (q *Queue) take() *broadcast {
	if n := len(q.free); n > 0 {
		b := q.free[n-1]
		q.free = q.free[:n-1]
		return b
	}
	return new(broadcast)
}
