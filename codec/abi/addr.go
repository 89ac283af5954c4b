package abi

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"github.com/nekton-go/nekton/core"
)

// Families of an address.
const (
	familyNone = 0
	familyV4   = 4
	familyV6   = 6
)

// family names the kind of a and the zone that does not fit its 16 bytes.
func family(a netip.Addr) (f byte, zone string) {
	switch {
	case a.Is4():
		return familyV4, ""
	case a.Is6():
		return familyV6, a.Zone()
	}
	return familyNone, ""
}

// putAddr writes a's 16 bytes.
func putAddr(b []byte, a netip.Addr) {
	if a.IsValid() {
		*(*[16]byte)(b) = a.As16()
	}
}

// addrOf is the inverse of family and putAddr.
func addrOf(f byte, b, zone []byte) (netip.Addr, error) {
	switch {
	case f == familyNone && len(zone) == 0:
		return netip.Addr{}, nil
	case f == familyV4 && len(zone) == 0:
		return netip.AddrFrom4([4]byte(b[12:16])), nil
	case f == familyV6 && len(zone) == 0:
		return netip.AddrFrom16([16]byte(b)), nil
	case f == familyV6:
		// An IPv4-mapped address has no zone; WithZone would drop it and the record would not be exact.
		if a := netip.AddrFrom16([16]byte(b)); !a.Is4In6() {
			return a.WithZone(string(zone)), nil
		}
	}
	return netip.Addr{}, malformed("address of family %d with a zone of %d bytes", f, len(zone))
}

const addrHeader = 20 // of one of Addrs, before its zone

func appendAddrPort(dst []byte, a netip.AddrPort) ([]byte, error) {
	f, zone := family(a.Addr())
	if len(zone) > ZoneMax {
		return dst, errZone
	}
	dst = append(dst, f, byte(len(zone)))
	dst = binary.LittleEndian.AppendUint16(dst, a.Port())
	dst = append(dst, make([]byte, 16)...)
	putAddr(dst[len(dst)-16:], a.Addr())
	return append(dst, zone...), nil
}

// readAddrPort reads one of Addrs and returns what follows it.
func readAddrPort(b []byte) (netip.AddrPort, []byte, error) {
	if len(b) < addrHeader || len(b) < addrHeader+int(b[1]) {
		return netip.AddrPort{}, nil, malformed("address cut short")
	}
	end := addrHeader + int(b[1])
	a, err := addrOf(b[0], b[4:addrHeader], b[addrHeader:end])
	return netip.AddrPortFrom(a, binary.LittleEndian.Uint16(b[2:])), b[end:], err
}

var errZone = fmt.Errorf("abi: IPv6 zone of more than %d bytes: %w", ZoneMax, core.FaultTooLarge)

func malformed(format string, args ...any) error {
	return fmt.Errorf("abi: "+format+": %w", append(args, core.FaultInvalid)...)
}
