//go:build wasip1

package wasm

import (
	"unsafe"

	"github.com/nekton-go/nekton/codec/abi"
	"github.com/nekton-go/nekton/core"
)

// The exported functions are described in package codec/abi.

//go:wasmexport nekton_abi
func exportABI() uint32 { return abi.Version }

//go:wasmexport nekton_inbuf
func exportInbuf(n uint32) uint32 { return span(served.inbuf(n)).Address() }

//go:wasmexport nekton_new
func exportNew(n uint32) uint64 { return uint64(span(served.create(n))) }

//go:wasmexport nekton_step
func exportStep(node uint32, now int64, n uint32) uint64 {
	return uint64(span(served.step(node, core.Instant(now), n)))
}

//go:wasmexport nekton_stats
func exportStats(node uint32) uint64 { return uint64(span(served.stats(node))) }

//go:wasmexport nekton_free
func exportFree(node uint32) { served.free(node) }

// span is where b lies in the guest's memory. The garbage collector does not move what it names.
func span(b []byte) abi.Span {
	return abi.SpanOf(uint32(uintptr(unsafe.Pointer(unsafe.SliceData(b)))), uint32(len(b)))
}
