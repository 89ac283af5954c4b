package sim

import (
	"encoding/binary"
	"math/bits"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
)

// hash is the rolling hash of everything that went into and came out of nodes. Two runs with equal
// hashes took the same steps. It is made of integers alone, so it is the same on every platform.
type hash struct {
	sum  uint64
	text []byte // scratch for the texts of events
}

// pair adds two words.
func (h *hash) pair(a, b uint64) { h.sum = fold(h.sum, a, b) }

// fold adds two words to a sum. Whatever they are, no earlier word is lost: for given words it is nearly a
// bijection of the sum.
func fold(sum, a, b uint64) uint64 {
	hi, lo := bits.Mul64(sum^a^0x9e3779b97f4a7c15, 0xd1342543de82ef95)
	return bits.RotateLeft64(hi^lo, 29) + b*0xaf251af3b0f025b5
}

// bytes adds what b holds, filled up with zeros. Its length must be added before, so that nothing else looks
// the same.
func (h *hash) bytes(b []byte) {
	sum := h.sum
	for ; len(b) >= 16; b = b[16:] {
		sum = fold(sum, binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:16]))
	}
	switch n := len(b); {
	case n > 8:
		sum = fold(sum, binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[n-8:])>>(128-8*n))
	case n > 0:
		sum = fold(sum, short(b), 0)
	}
	h.sum = sum
}

// short reads up to eight bytes as one word, without a loop.
func short(b []byte) uint64 {
	n := len(b)
	if n >= 4 {
		return uint64(binary.LittleEndian.Uint32(b)) | uint64(binary.LittleEndian.Uint32(b[n-4:]))<<(8*n-32)
	}
	return uint64(b[0]) | uint64(b[n/2])<<(8*(n/2)) | uint64(b[n-1])<<(8*n-8)
}

// step adds one input to one node.
func (h *hash) step(now core.Instant, node int, from int32, in *core.Input) {
	what := uint64(node)<<32 | uint64(in.Kind)<<8 | uint64(in.Fault)
	if in.At != 0 { // seldom
		what |= 1 << 16
	}
	if h.pair(uint64(now), what); in.At != 0 {
		h.pair(uint64(in.At), 0)
	}
	switch in.Kind {
	case core.InputWake:
		return
	case core.InputDatagram:
		h.pair(uint64(uint32(from)), uint64(len(in.Data)))
	case core.InputUp, core.InputRead, core.InputFlushed, core.InputDown:
		h.pair(uint64(in.Link), uint64(in.Size)<<32|uint64(len(in.Data)))
	default:
		h.pair(uint64(in.Token), uint64(in.Wall))
		h.pair(uint64(in.Proto), uint64(len(in.Data)))
	}
	h.bytes(in.Data)
}

// effect adds one effect of the step.
func (h *hash) effect(e *core.Effect) {
	data := e.Data
	switch e.Kind {
	case core.EffectEmit:
		h.text, _ = e.Event.AppendText(h.text[:0])
		h.text = append(h.text, payload(e.Event)...)
		data = h.text
	case core.EffectResolve:
		h.text = append(h.text[:0], e.Name...)
		data = h.text
	}
	h.pair(uint64(e.Kind)<<56|uint64(e.Proto)<<48|uint64(e.To.Port())<<32|uint64(len(data)), uint64(e.Link))
	switch e.Kind {
	case core.EffectSend, core.EffectDial:
		ip := e.To.Addr().As16()
		h.pair(binary.LittleEndian.Uint64(ip[8:]), binary.LittleEndian.Uint64(ip[:8]))
	case core.EffectResolve, core.EffectAppend, core.EffectCompact:
		h.pair(uint64(e.Token), 0)
	}
	h.bytes(data)
}

// payload is what the text of an event may quote the beginning of only.
func payload(ev core.Event) []byte {
	switch ev := ev.(type) {
	case *swim.Ready:
		return ev.Self.Meta
	case *swim.Joined:
		return ev.Member.Meta
	case *swim.Updated:
		return ev.Member.Meta
	case *swim.UserReceived:
		return ev.Data
	case *swim.UserStateReceived:
		return ev.Data
	}
	return nil
}
