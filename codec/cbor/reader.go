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
// sticks: it leaves nothing to read, and from then on everything reads as zero.
type reader struct {
	b     []byte
	at    int
	bad   bool
	names *names
}

func (r *reader) fail() uint64 {
	r.bad, r.at = true, len(r.b)
	return 0
}

// skip passes over n items nested at most depth deep, of whatever kind.
func (r *reader) skip(n uint64, depth int) {
	for ; n > 0 && !r.bad; n-- {
		major, arg := r.item()
		switch {
		case depth == 0:
			r.fail()
		case major == majorBytes:
			r.take(arg)
		case major == majorText:
			if !utf8.Valid(r.take(arg)) {
				r.fail()
			}
		case major == majorArray:
			r.skip(arg, depth-1)
		case major == majorMap && arg > math.MaxInt64:
			r.fail()
		case major == majorMap:
			r.skip(2*arg, depth-1)
		case major == majorTag:
			r.skip(1, depth-1)
		}
	}
}

// take lends the next n bytes.
func (r *reader) take(n uint64) []byte {
	rest := r.b[r.at:]
	if n > uint64(len(rest)) {
		r.fail()
		return nil
	}
	r.at += int(n)
	return rest[:n:n]
}

// uint reads a number of at most max.
func (r *reader) uint(max uint64) uint64 {
	v := r.head(majorUint)
	if v > max {
		return r.fail()
	}
	return v
}

// uint32 reads a number of 32 bits. Incarnations mostly need more than 16 of them: they start with the time.
func (r *reader) uint32() uint32 {
	if rest := r.b[r.at:]; len(rest) > 4 && rest[0] == majorUint|26 {
		if v := binary.BigEndian.Uint32(rest[1:]); v > math.MaxUint16 {
			r.at += 5
			return v
		}
	}
	return uint32(r.uint(math.MaxUint32))
}

func (r *reader) bool() bool {
	b := r.take(1)
	switch {
	case r.bad:
	case b[0] == simpleTrue:
		return true
	case b[0] != simpleFalse:
		r.fail()
	}
	return false
}

// bytes lends a byte string of at most max bytes; an empty one is nil.
func (r *reader) bytes(max int) []byte {
	n := r.first(majorBytes)
	if n == 0 {
		return nil
	}
	if n >= longHead {
		n = r.argument(n)
	}
	if n > uint64(max) {
		r.fail()
		return nil
	}
	return r.take(n)
}

// text lends a text string of at most max bytes.
func (r *reader) text(max int) []byte {
	b := r.take(r.head(majorText))
	if len(b) > max || !utf8.Valid(b) {
		r.fail()
		return nil
	}
	return b
}

// name reads the name of a member.
func (r *reader) name() (s string) {
	if s = r.optionalName(); s == "" {
		r.fail()
	}
	return s
}

func (r *reader) optionalName() string {
	n := r.first(majorText)
	if n >= longHead {
		n = r.argument(n)
	}
	b := r.take(n)
	if len(b) == 0 {
		return ""
	}
	if s := r.names.find(b); s != "" {
		return s // and so neither too long nor malformed
	}
	return r.newName(b)
}

// nextName reads the name of a member in a list.
func (r *reader) nextName() string {
	b := r.take(r.head(majorText))
	if len(b) == 0 {
		r.fail()
		return ""
	}
	if s := r.names.findNext(b); s != "" {
		return s
	}
	return r.newName(b)
}

func (r *reader) newName(b []byte) string {
	if len(b) > nameMax || !utf8.Valid(b) {
		r.fail()
		return ""
	}
	return r.names.add(b)
}

// addr reads what writer.addr writes.
func (r *reader) addr() netip.AddrPort {
	switch rest := r.b[r.at:]; {
	case len(rest) > 6 && rest[0] == majorBytes|6:
		r.at += 7
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(rest[1:])), binary.BigEndian.Uint16(rest[5:]))
	case len(rest) > 0 && rest[0] == majorBytes:
		r.at++
		return netip.AddrPort{}
	case len(rest) > 18 && rest[0] == majorBytes|18:
		r.at += 19
		if ip := netip.AddrFrom16([16]byte(rest[1:])); !ip.Is4In6() {
			return netip.AddrPortFrom(ip, binary.BigEndian.Uint16(rest[17:]))
		}
	}
	r.fail()
	return netip.AddrPort{}
}
