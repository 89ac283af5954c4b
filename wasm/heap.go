package wasm

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// The Go runtime marks garbage on threads of its own, and a guest has none: a collection that has begun
// creeps along with the allocations of later steps, and until it ends every write of a pointer pays for
// it. Measured, that doubles the cost of a step. So a guest collects the whole of its garbage at once, between
// two steps, when its heap has doubled. The runtime's own trigger stays behind that, for a step that
// allocates more than all before it.
const (
	heapPercent = 300     // when the runtime collects by itself
	heapFloor   = 4 << 20 // bytes a heap may always grow before it is collected
	heapLook    = 1 << 20 // bytes of records between looks at the heap: a look costs as much as some steps
	stepWork    = 256     // bytes of records that any step counts for
)

// heap decides when to collect.
type heap struct {
	sample []metrics.Sample
	work   int // bytes of records since the last look
	limit  uint64
}

func newHeap() *heap {
	if runtime.GOARCH == "wasm" {
		debug.SetGCPercent(heapPercent)
	}
	return &heap{sample: []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}}
}

// stepped counts a step that took and made n bytes of records.
func (h *heap) stepped(n int) {
	if h.work += n + stepWork; h.work < heapLook || runtime.GOARCH != "wasm" {
		return
	}
	h.work = 0
	if h.used() > h.limit {
		runtime.GC()
		live := h.used()
		h.limit = live + max(live, heapFloor)
	}
}

func (h *heap) used() uint64 {
	metrics.Read(h.sample)
	return h.sample[0].Value.Uint64()
}
