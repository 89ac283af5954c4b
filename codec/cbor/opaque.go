package cbor

import (
	"math"

	"github.com/nekton-go/nekton/core"
)

// opaqueMin is the first protocol whose messages may be opaque, stack.FirstFree: those below have words of
// their own.
const opaqueMin = 32

// opaqueWords writes and reads messages that are bytes to everyone but their machine.
type opaqueWords struct{ message core.Opaque }

func (o *opaqueWords) append(w *writer, m *core.Opaque) {
	if m.Protocol < opaqueMin {
		w.fail(core.FaultInvalid)
	}
	w.message(typeOpaque, 3)
	w.uint(uint32(m.Protocol))
	w.bytes(m.Data)
}

func (o *opaqueWords) read(r *reader, fields uint64) core.Message {
	protocol := r.uint(math.MaxUint8)
	if fields != 3 || protocol < opaqueMin {
		r.fail()
	}
	o.message = core.Opaque{Protocol: core.Proto(protocol), Data: r.bytes(math.MaxInt)}
	return &o.message
}
