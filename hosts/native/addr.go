package native

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"
)

// bindTries is how many free ports are tried before giving up on one that is free for TCP and UDP both.
const bindTries = 16

// parseBind reads "ip:port" or ":port". An empty IP stays invalid: every interface of both families.
func parseBind(s string) (netip.AddrPort, error) {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("bind address %q: want ip:port or :port", s)
	}
	p, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("bind address %q: port %q is not a number from 0 to 65535", s, port)
	}
	if host == "" {
		return netip.AddrPortFrom(netip.Addr{}, uint16(p)), nil
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("bind address %q: %q is not an IP address", s, host)
	}
	return netip.AddrPortFrom(ip.Unmap(), uint16(p)), nil
}

// bind opens the TCP listener and, unless tcpOnly, the UDP socket of one port.
func bind(addr netip.AddrPort, tcpOnly bool) (*net.TCPListener, *net.UDPConn, error) {
	family := "" // both
	if addr.Addr().Is4() {
		family = "4"
	} else if addr.Addr().IsValid() && !addr.Addr().IsUnspecified() {
		family = "6"
	}
	for try := 1; ; try++ {
		tcp, err := net.ListenTCP("tcp"+family, net.TCPAddrFromAddrPort(addr))
		if err != nil {
			return nil, nil, bindError("tcp", addr, err)
		}
		if tcpOnly {
			return tcp, nil, nil
		}
		both := netip.AddrPortFrom(addr.Addr(), localAddr(tcp.Addr()).Port())
		udp, err := net.ListenUDP("udp"+family, net.UDPAddrFromAddrPort(both))
		if err == nil {
			return tcp, udp, nil
		}
		tcp.Close()
		if addr.Port() != 0 || try == bindTries || !errors.Is(err, syscall.EADDRINUSE) {
			return nil, nil, bindError("udp", both, err)
		}
	}
}

func bindError(network string, addr netip.AddrPort, err error) error {
	where := addr.String()
	if !addr.Addr().IsValid() {
		where = fmt.Sprintf(":%d", addr.Port())
	}
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s %s is in use; stop what listens there or bind another port: %w", network, where, err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%s %s: no interface has this address: %w", network, where, err)
	}
	return fmt.Errorf("bind %s %s: %w", network, where, err)
}

// localAddr is the address of a TCP or UDP socket's end, never IPv4 in IPv6's clothes.
func localAddr(a net.Addr) netip.AddrPort {
	var ap netip.AddrPort
	switch a := a.(type) {
	case *net.TCPAddr:
		ap = a.AddrPort()
	case *net.UDPAddr:
		ap = a.AddrPort()
	}
	return unmap(ap)
}

func unmap(ap netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()) }

// advertise completes the address to tell the others, given where the host is bound.
func advertise(want, bound netip.AddrPort) (netip.AddrPort, error) {
	want = unmap(want)
	ip, port := want.Addr(), want.Port()
	if port == 0 {
		port = bound.Port()
	}
	if ip.IsValid() && ip.IsUnspecified() {
		return netip.AddrPort{}, fmt.Errorf("advertise address %v: nobody can send to an unspecified address", want)
	}
	if !ip.IsValid() {
		ip = bound.Addr()
	}
	if !ip.IsValid() || ip.IsUnspecified() {
		addrs, err := net.InterfaceAddrs()
		if err != nil {
			return netip.AddrPort{}, fmt.Errorf("read the interfaces' addresses, or set the advertise address: %w", err)
		}
		if ip = reachable(addrs, ip.Is4()); !ip.IsValid() {
			return netip.AddrPort{}, errors.New(
				"no interface has an address that others could reach; set the advertise address")
		}
	}
	return netip.AddrPortFrom(ip, port), nil
}

// reachable picks the address others are likeliest to reach: private IPv4 first, then other IPv4, then
// private IPv6, then other IPv6. The first of a kind wins. Invalid if there is none.
func reachable(addrs []net.Addr, only4 bool) netip.Addr {
	var best netip.Addr
	rank := 0
	for _, a := range addrs {
		p, err := netip.ParsePrefix(a.String())
		if err != nil {
			continue
		}
		ip := p.Addr().Unmap()
		if !ip.IsGlobalUnicast() || only4 && !ip.Is4() {
			continue // loopback, link-local, multicast
		}
		r := 1
		if ip.Is4() {
			r += 2
		}
		if ip.IsPrivate() {
			r++
		}
		if r > rank {
			best, rank = ip, r
		}
	}
	return best
}
