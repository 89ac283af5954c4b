package cbor

import (
	"encoding/binary"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
)

// Config bounds what a Dialect writes, reads and remembers. A zero field means its default.
type Config struct {
	FrameMax int // bytes of one message on a link, its length included; 16 MiB
	MetaMax  int // bytes of a member's metadata; 65,535
	NamesMax int // names remembered so that reading them again allocates nothing; 65,536
	// RecordsMax is for how many members of a push/pull room stays between one and the next; 4,096.
	RecordsMax int
}

const lengthSize = 4 // of the length before each message on a link

// A Dialect implements core.Dialect. One value serves one driver at a time.
type Dialect struct {
	frameMax int
	swim     swimWords
	opaque   opaqueWords
	names    names
}

// New returns a Dialect with c's bounds.
func New(c Config) *Dialect {
	d := &Dialect{frameMax: defaulted(c.FrameMax, 16<<20)}
	d.names.max = defaulted(c.NamesMax, 1<<16)
	d.swim.metaMax = defaulted(c.MetaMax, 1<<16-1)
	d.swim.recordsMax = defaulted(c.RecordsMax, 1<<12)
	return d
}

func defaulted(v, otherwise int) int {
	if v <= 0 {
		return otherwise
	}
	return v
}

// AppendMessage implements core.Dialect. Errors: core.FaultInvalid for a name that is empty or not UTF-8,
// an address with a port and no IP, a state that does not exist, or a message that is none of ours;
// core.FaultTooLarge for a name over 255 bytes or metadata over Config.MetaMax.
func (d *Dialect) AppendMessage(dst []byte, m core.Message) ([]byte, error) {
	w := writer{b: dst}
	d.append(&w, m)
	if w.fault != core.FaultNone {
		return dst, w.fault
	}
	return w.b, nil
}

// append finds m's words by its protocol.
func (d *Dialect) append(w *writer, m core.Message) {
	if o, ok := m.(*core.Opaque); ok {
		d.opaque.append(w, o)
		return
	}
	switch m.Proto() {
	case swim.Proto:
		d.swim.append(w, m)
	default:
		w.fail(core.FaultInvalid)
	}
}

// Overhead implements core.Dialect: a sequence has none.
func (d *Dialect) Overhead(int) int { return 0 }

// AppendDatagram implements core.Dialect.
func (d *Dialect) AppendDatagram(dst []byte, parts [][]byte) []byte {
	for _, p := range parts {
		dst = append(dst, p...)
	}
	return dst
}

// ReadDatagram implements core.Dialect. The error is core.FaultInvalid.
func (d *Dialect) ReadDatagram(b []byte, each func(core.Message)) error {
	r := reader{b: b, names: &d.names}
	for r.at < len(b) {
		m := d.read(&r)
		if r.bad {
			return core.FaultInvalid
		}
		if m != nil {
			each(m)
		}
		d.swim.release()
	}
	return nil
}

// read reads one message. It is nil if its type is not known here.
func (d *Dialect) read(r *reader) core.Message {
	fields := r.first(majorArray)
	if fields >= longHead {
		fields = r.argument(fields)
	}
	kind := r.first(majorUint)
	if kind >= longHead {
		kind = r.argument(kind)
	}
	switch {
	case typePing <= kind && kind < swimTypes:
		return d.swim.read(r, kind, fields)
	case kind == typeOpaque:
		return d.opaque.read(r, fields)
	case kind == 0:
		r.fail()
	default:
		r.skip(fields-1, depthMax)
	}
	return nil
}

// AppendFrame implements core.Dialect. Errors are those of AppendMessage, and core.FaultTooLarge over
// Config.FrameMax.
func (d *Dialect) AppendFrame(dst []byte, m core.Message) ([]byte, error) {
	start := len(dst)
	b, err := d.AppendMessage(append(dst, 0, 0, 0, 0), m)
	if err != nil {
		return dst, err
	}
	if len(b)-start > d.frameMax {
		return dst, core.FaultTooLarge
	}
	binary.BigEndian.PutUint32(b[start:], uint32(len(b)-start-lengthSize))
	return b, nil
}

// NewFrameReader implements core.Dialect.
func (d *Dialect) NewFrameReader() core.FrameReader { return frameReader{d} }

// A frameReader keeps nothing between reads: lengths say where messages end.
type frameReader struct{ d *Dialect }

// ReadFrames implements core.FrameReader. Errors: core.FaultTooLarge over Config.FrameMax, otherwise
// core.FaultInvalid.
func (f frameReader) ReadFrames(b []byte, each func(core.Message)) (n int, err error) {
	for len(b)-n >= lengthSize {
		length := int(binary.BigEndian.Uint32(b[n:]))
		if length > f.d.frameMax-lengthSize {
			return n, core.FaultTooLarge
		}
		rest := b[n+lengthSize:]
		if length > len(rest) {
			break
		}
		r := reader{b: rest[:length], names: &f.d.names}
		m := f.d.read(&r)
		if r.bad || r.at < length {
			return n, core.FaultInvalid
		}
		if m != nil {
			each(m)
		}
		f.d.swim.release()
		n += lengthSize + length
	}
	return n, nil
}
