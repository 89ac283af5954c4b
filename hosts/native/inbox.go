package native

import (
	"net/netip"
	"sync"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/runtime"
)

// inbox is where everything that happens waits for the loop, in the order it happened. The loop takes
// all there is at once, so that a busy node locks once per batch and an idle one wakes once per input.
type inbox struct {
	ready chan struct{} // there is something in filling

	mu      sync.Mutex
	filling batch
	closed  bool

	serving batch // the loop's alone
	served  int
}

// A batch is a run of inputs, with the bytes of its datagrams.
type batch struct {
	entries []entry
	arena   []byte
	size    int // of its datagrams, for QueueMax
	posts   int
}

// An entry is one input, and the link it is about.
type entry struct {
	in   core.Input
	link *link
}

// entrySize is what a waiting datagram is taken to cost besides its bytes.
const entrySize = 256

// keepMax is how much memory a batch keeps for the next one, after a burst.
const keepMax = 64 << 10

// datagram adds a copy of data, or reports false if max bytes already wait.
func (b *inbox) datagram(from netip.AddrPort, data []byte, at core.Instant, max int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	f := &b.filling
	if f.size+len(data)+entrySize > max {
		return false
	}
	f.size += len(data) + entrySize
	start := len(f.arena)
	f.arena = append(f.arena, data...)
	lent := f.arena[start:len(f.arena):len(f.arena)]
	b.add(entry{in: core.Input{Kind: core.InputDatagram, From: from, Data: lent, At: at}})
	return true
}

// put adds an input of which there can only be so many: one read per link, one answer per question.
func (b *inbox) put(in core.Input, l *link) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.add(entry{in, l})
}

// post adds an input from outside, unless max of them already wait.
func (b *inbox) post(in core.Input, max int) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.closed:
		return runtime.ErrClosed
	case b.filling.posts >= max:
		return core.FaultBusy
	}
	b.filling.posts++
	b.add(entry{in: in})
	return nil
}

// add appends e, and wakes the loop if it may be waiting.
func (b *inbox) add(e entry) {
	b.filling.entries = append(b.filling.entries, e)
	if len(b.filling.entries) == 1 {
		select {
		case b.ready <- struct{}{}:
		default:
		}
	}
}

// next returns the oldest entry, or nil. What it points to stays until the following call.
func (b *inbox) next() *entry {
	if b.served == len(b.serving.entries) {
		b.serving.reset()
		b.served = 0
		b.mu.Lock()
		b.filling, b.serving = b.serving, b.filling
		b.mu.Unlock()
		if len(b.serving.entries) == 0 {
			return nil
		}
	}
	b.served++
	return &b.serving.entries[b.served-1]
}

func (b *batch) reset() {
	clear(b.entries) // let go of commands and links
	b.entries, b.arena, b.size, b.posts = b.entries[:0], b.arena[:0], 0, 0
	if cap(b.arena) > keepMax {
		b.arena = nil
	}
	if cap(b.entries) > keepMax/entrySize {
		b.entries = nil
	}
}

func (b *inbox) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
}
