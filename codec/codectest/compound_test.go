package codectest_test

import (
	"bytes"
	"compress/lzw"
	"encoding/binary"
	"io"
	"testing"

	"github.com/nekton-go/nekton/codec/codectest"
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
)

// compound is a dialect with the habits of HashiCorp's: a datagram of several parts is a count, lengths
// and the parts, nested where a count needs more than a byte, and compressed if that makes it smaller.
// Links carry messages without lengths, and a push/pull member by member, so that reading one takes
// memory. Pings and their kin never travel there; push/pulls travel nowhere else.
type compound struct{ inflate lzw.Reader }

const (
	compoundKind = 100
	lzwKind      = 101
	partsMax     = 255
	nestMax      = 4
	inflatedMax  = 1 << 16
)

func (*compound) AppendMessage(dst []byte, m core.Message) ([]byte, error) {
	if f := valid(m); f != core.FaultNone {
		return dst, f
	}
	if onLinksOnly(m) {
		return dst, core.FaultInvalid
	}
	return appendToy(dst, m), nil
}

func appendToy(dst []byte, m core.Message) []byte {
	start := len(dst)
	c := coder{b: append(dst, 0), write: true}
	c.b[start] = c.message(m)
	return c.b
}

func (*compound) Overhead(n int) int {
	if n == 1 {
		return 0
	}
	groups := (n + partsMax - 1) / partsMax
	return 2*n + 4*groups + 2
}

func (d *compound) AppendDatagram(dst []byte, parts [][]byte) []byte {
	b := join(parts)
	var small bytes.Buffer
	w := lzw.NewWriter(&small, lzw.LSB, 8)
	_, _ = w.Write(b)
	_ = w.Close()
	if small.Len()+1 < len(b) {
		return append(append(dst, lzwKind), small.Bytes()...)
	}
	return append(dst, b...)
}

func join(parts [][]byte) []byte {
	if len(parts) == 1 {
		return parts[0]
	}
	if len(parts) > partsMax {
		var groups [][]byte
		for len(parts) > 0 {
			n := min(len(parts), partsMax)
			groups, parts = append(groups, join(parts[:n])), parts[n:]
		}
		return join(groups)
	}
	b := []byte{compoundKind, byte(len(parts))}
	for _, p := range parts {
		b = binary.BigEndian.AppendUint16(b, uint16(len(p)))
	}
	return append(b, bytes.Join(parts, nil)...)
}

func (d *compound) ReadDatagram(b []byte, each func(core.Message)) error {
	return d.read(b, each, nestMax)
}

func (d *compound) read(b []byte, each func(core.Message), depth int) error {
	if len(b) < 2 || depth == 0 {
		return core.FaultInvalid
	}
	switch b[0] {
	case lzwKind:
		d.inflate.Reset(bytes.NewReader(b[1:]), lzw.LSB, 8)
		inflated, err := io.ReadAll(io.LimitReader(&d.inflate, inflatedMax))
		if err != nil {
			return core.FaultInvalid
		}
		return d.read(inflated, each, depth-1)
	case compoundKind:
		n := int(b[1])
		if len(b) < 2+2*n {
			return core.FaultInvalid
		}
		lengths, rest := b[2:2+2*n], b[2+2*n:]
		for ; len(lengths) > 0; lengths = lengths[2:] {
			size := int(binary.BigEndian.Uint16(lengths))
			if size > len(rest) {
				return core.FaultInvalid
			}
			if err := d.read(rest[:size], each, depth-1); err != nil {
				return err
			}
			rest = rest[size:]
		}
		return nil
	}
	m, c := blank(b[0]), coder{b: b, at: 1}
	if m == nil || onLinksOnly(m) {
		return core.FaultInvalid
	}
	c.message(m)
	if c.bad || c.short || c.at != len(b) {
		return core.FaultInvalid
	}
	each(m)
	return nil
}

func (*compound) AppendFrame(dst []byte, m core.Message) ([]byte, error) {
	if f := valid(m); f != core.FaultNone {
		return dst, f
	}
	if inDatagramsOnly(m) {
		return dst, core.FaultInvalid
	}
	b := appendToy(dst, m)
	if m, ok := m.(*swim.PushPull); ok {
		c := coder{b: b, write: true}
		n := uint32(len(m.Members))
		c.uint(&n)
		for i := range m.Members {
			c.record(&m.Members[i])
		}
		b = c.b
	}
	return b, nil
}

func (*compound) NewFrameReader() core.FrameReader { return &compoundReader{} }

// compoundReader holds a push/pull whose members are still on their way.
type compoundReader struct {
	pending *swim.PushPull
	missing uint32
}

func (r *compoundReader) ReadFrames(b []byte, each func(core.Message)) (n int, err error) {
	for n < len(b) || r.pending != nil && r.missing == 0 {
		if r.pending != nil && r.missing == 0 {
			m := r.pending
			r.pending = nil
			each(m)
			continue
		}
		size, err := r.one(b[n:], each)
		if size == 0 || err != nil {
			return n, err
		}
		n += size
	}
	return n, nil
}

// one takes one message, or one member of a push/pull, from the front of b; 0 bytes if there is none whole.
func (r *compoundReader) one(b []byte, each func(core.Message)) (size int, err error) {
	if r.pending != nil {
		var record swim.Record
		c := coder{b: b}
		c.record(&record)
		if c.short && !c.bad {
			return 0, nil
		}
		if c.bad || record.Name == "" || record.State > swim.Left {
			return 0, core.FaultInvalid
		}
		record.Meta = bytes.Clone(record.Meta) // b is only lent
		r.pending.Members = append(r.pending.Members, record)
		r.missing--
		return c.at, nil
	}
	m, c := blank(b[0]), coder{b: b, at: 1}
	if m == nil || inDatagramsOnly(m) {
		return 0, core.FaultInvalid
	}
	c.message(m)
	if m, ok := m.(*swim.PushPull); ok {
		c.uint(&r.missing)
		if !c.bad && !c.short {
			m.User = bytes.Clone(m.User)
			r.pending = m
			return c.at, nil
		}
	}
	switch {
	case c.bad:
		return 0, core.FaultInvalid
	case c.short:
		return 0, nil
	}
	each(m)
	return c.at, nil
}

func onLinksOnly(m core.Message) bool {
	switch m.(type) {
	case *swim.PushPull, *swim.Refuse:
		return true
	}
	return false
}

func inDatagramsOnly(m core.Message) bool {
	switch m.(type) {
	case *swim.PushPull, *swim.Refuse, *swim.User, *swim.Ping, *swim.Ack:
		return false
	}
	return true
}

func TestCompound(t *testing.T) {
	o := codectest.Options{Allocates: true, NoDatagram: onLinksOnly, NoFrame: inDatagramsOnly}
	o.Run(t, func() core.Dialect { return new(compound) })
}
