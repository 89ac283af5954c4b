package cbor

import (
	"encoding/binary"
	"math"
	"net/netip"
	"unicode/utf8"
)

// depthMax is how deep arrays, maps and tags of a type not known here may nest.
const depthMax = 16

// A reader reads data items and refuses all but their core deterministic encoding. The first mistake
// sticks: from then on everything reads as zero.
type reader struct {
	b     []byte
	at    int
	bad   bool
	names *names
}

func (r *reader) fail() uint64 {
	r.bad = true
	return 0
}

// head reads the argument of an item that must be of the given major type.
func (r *reader) head(major byte) uint64 {
	if r.at < len(r.b) { // nearly all heads are one byte
		if arg := r.b[r.at] ^ major; arg < 24 && !r.bad {
			r.at++
			return uint64(arg)
		}
	}
	got, arg := r.item()
	if got != major {
		return r.fail()
	}
	return arg
}

// item reads the start of any item of definite length. The argument of a float is its bits.
func (r *reader) item() (major byte, arg uint64) {
	if r.bad || r.at >= len(r.b) {
		return 0, r.fail()
	}
	first := r.b[r.at]
	r.at++
	major, arg = first&0xe0, uint64(first&0x1f)
	if arg < 24 {
		return major, arg
	}
	size := 1 << (arg - 24)
	if arg > 27 || len(r.b)-r.at < size {
		return major, r.fail()
	}
	rest := r.b[r.at:]
	shortest := uint64(24)
	switch size {
	case 1:
		arg = uint64(rest[0])
	case 2:
		arg, shortest = uint64(binary.BigEndian.Uint16(rest)), 1<<8
	case 4:
		arg, shortest = uint64(binary.BigEndian.Uint32(rest)), 1<<16
	default:
		arg, shortest = binary.BigEndian.Uint64(rest), 1<<32
	}
	r.at += size
	if major == majorSimple {
		shortest = 0 // a float has the size of its type
		if size == 1 {
			shortest = 32 // simple values below 32 have no two-byte form (§3.3)
		}
	}
	if arg < shortest {
		return major, r.fail()
	}
	return major, arg
}

// skip passes over n items nested at most depth deep, of whatever kind.
func (r *reader) skip(n uint64, depth int) {
	for ; n > 0 && !r.bad; n-- {
		major, arg := r.item()
		switch {
		case depth == 0:
			r.bad = true
		case major == majorBytes:
			r.take(arg)
		case major == majorText:
			if !utf8.Valid(r.take(arg)) {
				r.bad = true
			}
		case major == majorArray:
			r.skip(arg, depth-1)
		case major == majorMap && arg > math.MaxInt64:
			r.bad = true
		case major == majorMap:
			r.skip(2*arg, depth-1)
		case major == majorTag:
			r.skip(1, depth-1)
		}
	}
}

// take lends the next n bytes.
func (r *reader) take(n uint64) []byte {
	if r.bad || n > uint64(len(r.b)-r.at) {
		r.bad = true
		return nil
	}
	start := r.at
	r.at += int(n)
	return r.b[start:r.at:r.at]
}

// uint reads a number of at most max.
func (r *reader) uint(max uint64) uint64 {
	v := r.head(majorUint)
	if v > max {
		return r.fail()
	}
	return v
}

func (r *reader) uint32() uint32 { return uint32(r.uint(math.MaxUint32)) }

func (r *reader) bool() bool {
	b := r.take(1)
	switch {
	case r.bad:
	case b[0] == simpleTrue:
		return true
	case b[0] != simpleFalse:
		r.bad = true
	}
	return false
}

// bytes lends a byte string of at most max bytes; an empty one is nil.
func (r *reader) bytes(max int) []byte {
	n := r.head(majorBytes)
	if n == 0 {
		return nil
	}
	if n > uint64(max) {
		r.bad = true
		return nil
	}
	return r.take(n)
}

// text lends a text string of at most max bytes.
func (r *reader) text(max int) []byte {
	b := r.take(r.head(majorText))
	if len(b) > max || !utf8.Valid(b) {
		r.bad = true
		return nil
	}
	return b
}

// name reads the name of a member.
func (r *reader) name() string {
	s := r.optionalName()
	r.bad = r.bad || s == ""
	return s
}

func (r *reader) optionalName() string {
	b := r.take(r.head(majorText))
	if len(b) == 0 {
		return ""
	}
	if s, ok := r.names.find(b); ok {
		return s // and so neither too long nor malformed
	}
	return r.newName(b)
}

// nextName reads the name of a member in a list.
func (r *reader) nextName() string {
	b := r.take(r.head(majorText))
	if s, ok := r.names.findNext(b); ok && len(b) > 0 {
		return s
	}
	r.bad = r.bad || len(b) == 0
	return r.newName(b)
}

func (r *reader) newName(b []byte) string {
	if r.bad || len(b) > nameMax || !utf8.Valid(b) {
		r.bad = true
		return ""
	}
	return r.names.add(b)
}

// addr reads what writer.addr writes.
func (r *reader) addr() netip.AddrPort {
	b := r.take(r.head(majorBytes))
	switch len(b) {
	case 0:
		return netip.AddrPort{}
	case 6:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b)), binary.BigEndian.Uint16(b[4:]))
	case 18:
		if ip := netip.AddrFrom16([16]byte(b)); !ip.Is4In6() {
			return netip.AddrPortFrom(ip, binary.BigEndian.Uint16(b[16:]))
		}
	}
	r.bad = true
	return netip.AddrPort{}
}
