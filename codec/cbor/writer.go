package cbor

import (
	"encoding/binary"
	"net/netip"
	"unicode/utf8"

	"github.com/nekton-go/nekton/core"
)

// The major types of RFC 8949 §3.1, in place in the initial byte.
const (
	majorUint   byte = 0 << 5
	majorNint   byte = 1 << 5
	majorBytes  byte = 2 << 5
	majorText   byte = 3 << 5
	majorArray  byte = 4 << 5
	majorMap    byte = 5 << 5
	majorTag    byte = 6 << 5
	majorSimple byte = 7 << 5

	simpleFalse = majorSimple | 20
	simpleTrue  = majorSimple | 21
)

const nameMax = 255 // see swim.Record

// A writer appends data items in core deterministic encoding. The first fault sticks.
type writer struct {
	b     []byte
	fault core.Fault
}

func (w *writer) fail(f core.Fault) {
	if w.fault == core.FaultNone {
		w.fault = f
	}
}

// head writes the start of an item with the shortest argument (§4.2.1).
func (w *writer) head(major byte, arg uint64) {
	switch {
	case arg < 24:
		w.b = append(w.b, major|byte(arg))
	case arg < 1<<8:
		w.b = append(w.b, major|24, byte(arg))
	case arg < 1<<16:
		w.b = binary.BigEndian.AppendUint16(append(w.b, major|25), uint16(arg))
	case arg < 1<<32:
		w.b = binary.BigEndian.AppendUint32(append(w.b, major|26), uint32(arg))
	default:
		w.b = binary.BigEndian.AppendUint64(append(w.b, major|27), arg)
	}
}

// message starts the array of one message.
func (w *writer) message(kind uint64, fields int) {
	w.head(majorArray, uint64(fields))
	w.head(majorUint, kind)
}

func (w *writer) uint(v uint32) { w.head(majorUint, uint64(v)) }

func (w *writer) bool(v bool) {
	if v {
		w.b = append(w.b, simpleTrue)
	} else {
		w.b = append(w.b, simpleFalse)
	}
}

func (w *writer) bytes(v []byte) {
	w.head(majorBytes, uint64(len(v)))
	w.b = append(w.b, v...)
}

// text writes a string of at most max bytes.
func (w *writer) text(s string, max int) {
	if len(s) > max {
		w.fail(core.FaultTooLarge)
		return
	}
	if !utf8.ValidString(s) {
		w.fail(core.FaultInvalid)
		return
	}
	w.head(majorText, uint64(len(s)))
	w.b = append(w.b, s...)
}

// name writes the name of a member.
func (w *writer) name(s string) {
	if s == "" {
		w.fail(core.FaultInvalid)
	}
	w.text(s, nameMax)
}

// addr writes an address: 4 or 16 bytes of IP and 2 of port, or nothing for the zero AddrPort. A zone
// means something on one machine only and does not travel.
func (w *writer) addr(a netip.AddrPort) {
	ip := a.Addr().Unmap()
	switch {
	case ip.Is4():
		w.b = append(w.b, majorBytes|6)
		ip4 := ip.As4()
		w.b = append(w.b, ip4[:]...)
	case ip.Is6():
		w.b = append(w.b, majorBytes|18)
		ip6 := ip.As16()
		w.b = append(w.b, ip6[:]...)
	case a.Port() == 0:
		w.b = append(w.b, majorBytes)
		return
	default:
		w.fail(core.FaultInvalid)
	}
	w.b = binary.BigEndian.AppendUint16(w.b, a.Port())
}
