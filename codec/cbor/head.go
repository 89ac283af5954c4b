package cbor

import (
	"encoding/binary"
	"math"
)

// longHead is where an initial byte, less its major type, stops being the argument and says how many bytes
// after it are: 1, 2, 4 or 8.
const longHead = 24

// head reads the argument of an item that must be of the given major type.
func (r *reader) head(major byte) uint64 {
	arg := r.first(major)
	if arg >= longHead {
		arg = r.argument(arg)
	}
	return arg
}

// first reads the initial byte of an item that must be of the given major type. Below longHead it is the
// argument, and all else is for argument to read or refuse. The busiest readers call these two instead of
// head, which is too large to be inlined.
func (r *reader) first(major byte) uint64 {
	if uint(r.at) >= uint(len(r.b)) {
		return math.MaxUint8
	}
	first := r.b[r.at] ^ major
	r.at++
	return uint64(first)
}

// argument reads the argument that follows an initial byte.
func (r *reader) argument(first uint64) (arg uint64) {
	var least uint64 // that needs so many bytes
	switch rest := r.b[r.at:]; {
	case first == longHead && len(rest) >= 1:
		arg, least = uint64(rest[0]), longHead
	case first == longHead+1 && len(rest) >= 2:
		arg, least = uint64(binary.BigEndian.Uint16(rest)), 1<<8
	case first == longHead+2 && len(rest) >= 4:
		arg, least = uint64(binary.BigEndian.Uint32(rest)), 1<<16
	case first == longHead+3 && len(rest) >= 8:
		arg, least = binary.BigEndian.Uint64(rest), 1<<32
	default: // another major type, an indefinite length, or too few bytes
		return r.fail()
	}
	if arg < least {
		return r.fail()
	}
	r.at += 1 << (first - longHead)
	return arg
}

// item reads the start of any item of definite length. Of a simple value or a float that is all of it.
func (r *reader) item() (major byte, arg uint64) {
	first := byte(r.first(0))
	major, arg = first&0xe0, uint64(first&0x1f)
	switch {
	case arg < longHead:
	case major == majorSimple:
		r.simple(arg)
	default:
		arg = r.argument(arg)
	}
	return major, arg
}

// simple passes over what follows the initial byte of a simple value or a float, which has the size of its
// type.
func (r *reader) simple(first uint64) {
	if first > longHead+3 {
		r.fail()
		return
	}
	b := r.take(1 << (first - longHead))
	if len(b) == 1 && b[0] < 32 {
		r.fail() // simple values below 32 have no two-byte form (§3.3)
	}
}
