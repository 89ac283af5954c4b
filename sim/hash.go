package sim

import (
	"encoding/binary"
	"math/bits"

	"github.com/nekton-go/nekton/core"
)

// hash is the rolling hash of everything that went into and came out of nodes. Two runs with equal
// hashes took the same steps. It is made of integers alone, so it is the same on every platform.
type hash struct {
	sum  uint64
	text []byte // scratch for the texts of events
}

func (h *hash) word(w uint64) {
	hi, lo := bits.Mul64(h.sum^w^0x9e3779b97f4a7c15, 0xd1342543de82ef95)
	h.sum = bits.RotateLeft64(hi^lo, 29) + w
}

func (h *hash) bytes(b []byte) {
	h.word(uint64(len(b)))
	for len(b) >= 8 {
		h.word(binary.LittleEndian.Uint64(b))
		b = b[8:]
	}
	if len(b) > 0 {
		var tail [8]byte
		copy(tail[:], b)
		h.word(binary.LittleEndian.Uint64(tail[:]))
	}
}

// step adds one input to one node.
func (h *hash) step(now core.Instant, node int, from int32, in *core.Input) {
	h.word(uint64(now))
	h.word(uint64(node)<<32 | uint64(in.Kind)<<8 | uint64(in.Fault))
	h.word(uint64(in.At))
	switch in.Kind {
	case core.InputWake:
		return
	case core.InputDatagram:
		h.word(uint64(uint32(from)))
		h.bytes(in.Data)
	case core.InputUp, core.InputRead, core.InputFlushed, core.InputDown:
		h.word(uint64(in.Link))
		h.word(uint64(in.Size))
		h.bytes(in.Data)
	default:
		h.word(uint64(in.Token) ^ uint64(in.Proto)<<56)
		h.word(uint64(in.Wall))
		h.bytes(in.Data)
	}
}

// effect adds one effect of the step.
func (h *hash) effect(e *core.Effect) {
	h.word(uint64(e.Kind)<<8 | uint64(e.Proto))
	switch e.Kind {
	case core.EffectSend, core.EffectDial:
		ip := e.To.Addr().As16()
		h.word(binary.LittleEndian.Uint64(ip[8:]))
		h.word(binary.LittleEndian.Uint64(ip[:8]) ^ uint64(e.To.Port()))
	case core.EffectEmit:
		h.text, _ = e.Event.AppendText(h.text[:0])
		h.bytes(h.text)
		return
	}
	h.word(uint64(e.Link))
	h.word(uint64(e.Token))
	h.text = append(h.text[:0], e.Name...)
	h.bytes(h.text)
	h.bytes(e.Data)
}
