package sim

import (
	"net/netip"
	"strings"

	"github.com/nekton-go/nekton/sim/check"
)

// Every member lives at an address, which is a number: its own, until it moves. Whoever asks for its name
// learns where it lives now.

// address is the address with a number.
func address(home int) netip.AddrPort {
	i := home + 1 // 10.0.0.0 names a network
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 7946)
}

// addressOf is where member i lives.
func (w *world) addressOf(i int) netip.AddrPort { return address(int(w.nodes[i].home)) }

// home is the number of an address, or -1 if nobody ever lived there.
func (w *world) home(addr netip.AddrPort) int32 {
	ip := addr.Addr().Unmap()
	if !ip.Is4() || addr.Port() != 7946 {
		return -1
	}
	b := ip.As4()
	i := int32(b[1])<<16 | int32(b[2])<<8 | int32(b[3])
	if b[0] != 10 || i == 0 || int(i) > len(w.tenants) {
		return -1
	}
	return i - 1
}

// index is who lives at an address, or -1.
func (w *world) index(addr netip.AddrPort) int {
	if home := w.home(addr); home >= 0 {
		return int(w.tenants[home])
	}
	return -1
}

// settle lets everybody live at their own number.
func (w *world) settle() {
	w.tenants = make([]int32, len(w.nodes))
	for i := range w.nodes {
		w.tenants[i], w.nodes[i].home = int32(i), int32(i)
	}
}

// move gives members that do not run another address each: one that was never used, or, if they swap, that
// of the next of them.
func (w *world) move(members []int, swap bool) {
	var movers []*process
	for _, i := range members {
		if p := &w.nodes[i]; !p.running {
			movers = append(movers, p)
			w.tenants[p.home] = never
		}
	}
	if len(movers) == 0 {
		return
	}
	first := movers[0].home
	for k, p := range movers {
		switch {
		case !swap:
			w.tenants = append(w.tenants, never)
			p.home = int32(len(w.tenants) - 1)
		case k == len(movers)-1:
			p.home = first
		default:
			p.home = movers[k+1].home
		}
		w.faults.Moves++
	}
	for _, i := range members {
		if !w.nodes[i].running {
			w.tenants[w.nodes[i].home] = int32(i)
		}
	}
}

// arrives makes a datagram one for whoever lives where it was sent to, and reports whether there is somebody.
func (w *world) arrives(slot int32) bool {
	ev := &w.events[slot]
	if w.nodes[ev.node].home != int32(ev.boot) {
		ev.node = w.tenants[ev.boot]
	}
	if ev.node < 0 {
		ev.node = 0
		w.faults.Stray++
		return false
	}
	return true
}

// resolve is the name table: "n<i>:7946" is where member i lives, and an address is itself. It returns -1 for
// any other name.
func (w *world) resolve(name string) int32 {
	if addr, err := netip.ParseAddrPort(name); err == nil {
		return w.home(addr)
	}
	host, ok := strings.CutSuffix(name, port)
	if i := check.Index(host); ok && i >= 0 && i < len(w.nodes) {
		return w.nodes[i].home
	}
	return -1
}
