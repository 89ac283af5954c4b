package codectest_test

import (
	"encoding/binary"
	"testing"

	"github.com/nekton-go/nekton/codec/codectest"
	"github.com/nekton-go/nekton/core"
)

// handles is a dialect without an encoding: a part is a number that stands for a message held in
// memory, as a simulator wants it. Held messages are never changed. The oldest are forgotten, and a
// number that outlived its message is refused like any bad byte.
type handles struct {
	held [1 << 12]core.Message
	next uint64
}

func (h *handles) AppendMessage(dst []byte, m core.Message) ([]byte, error) {
	if f := valid(m); f != core.FaultNone {
		return dst, f
	}
	h.held[h.next%uint64(len(h.held))] = codectest.Clone(m)
	h.next++
	return binary.BigEndian.AppendUint64(dst, h.next), nil
}

func (h *handles) Overhead(int) int { return 0 }

func (h *handles) AppendDatagram(dst []byte, parts [][]byte) []byte {
	for _, p := range parts {
		dst = append(dst, p...)
	}
	return dst
}

func (h *handles) ReadDatagram(b []byte, each func(core.Message)) error {
	n, err := h.ReadFrames(b, each)
	if err == nil && n < len(b) {
		err = core.FaultInvalid
	}
	return err
}

func (h *handles) AppendFrame(dst []byte, m core.Message) ([]byte, error) {
	return h.AppendMessage(dst, m)
}

func (h *handles) NewFrameReader() core.FrameReader { return h }

func (h *handles) ReadFrames(b []byte, each func(core.Message)) (n int, err error) {
	for ; len(b)-n >= 8; n += 8 {
		number := binary.BigEndian.Uint64(b[n:])
		if number == 0 || number > h.next || h.next-number >= uint64(len(h.held)) {
			return n, core.FaultInvalid
		}
		each(h.held[(number-1)%uint64(len(h.held))])
	}
	return n, nil
}

func TestHandles(t *testing.T) {
	codectest.Options{Allocates: true}.Run(t, func() core.Dialect { return new(handles) })
}
