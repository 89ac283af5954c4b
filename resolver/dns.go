package resolver

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// DNS looks names up in the domain name system. "host:port" asks for A and AAAA records, IPv4 first.
// "_service._proto.name" asks for SRV records, and then for the addresses of what they point to, in
// their order of priority and weight. Literal IPs are not asked for.
type DNS struct {
	Net *net.Resolver // nil means net.DefaultResolver
}

// Lookup implements Resolver. Errors: *net.DNSError among them, which says whether the name exists.
func (d DNS) Lookup(ctx context.Context, name string) ([]netip.AddrPort, error) {
	if ap, err := netip.ParseAddrPort(name); err == nil {
		return literal(ap, name)
	}
	if err := ctx.Err(); err != nil { // a quick answer would win against it now and then
		return nil, err
	}
	if strings.HasPrefix(name, "_") {
		return d.service(ctx, name)
	}
	host, port, err := splitHostPort(name)
	if err != nil {
		return nil, err
	}
	return d.host(ctx, host, port)
}

func (d DNS) net() *net.Resolver {
	if d.Net == nil {
		return net.DefaultResolver
	}
	return d.Net
}

func (d DNS) host(ctx context.Context, host string, port uint16) ([]netip.AddrPort, error) {
	ips, err := d.net().LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, fmt.Errorf("look up %s: %w", host, err)
	}
	var v4, v6 []netip.AddrPort
	for _, ip := range ips {
		if ap := netip.AddrPortFrom(ip.Unmap(), port); ap.Addr().Is4() {
			v4 = append(v4, ap)
		} else {
			v6 = append(v6, ap)
		}
	}
	return append(v4, v6...), nil
}

// service looks up SRV records. Targets without an address are passed over if another has one.
func (d DNS) service(ctx context.Context, name string) ([]netip.AddrPort, error) {
	_, records, err := d.net().LookupSRV(ctx, "", "", name)
	if err != nil {
		return nil, fmt.Errorf("look up %s: %w", name, err)
	}
	var all []netip.AddrPort
	for i, r := range records {
		if i == servicesMax {
			break
		}
		addrs, targetErr := d.host(ctx, r.Target, r.Port)
		if targetErr != nil {
			err = targetErr
			continue
		}
		all = append(all, addrs...)
	}
	if len(all) == 0 && err == nil {
		err = fmt.Errorf("look up %s: it has no SRV records", name)
	}
	if len(all) > 0 {
		err = nil
	}
	return all, err
}

// servicesMax is how many targets of one service are looked up.
const servicesMax = 16

func literal(ap netip.AddrPort, name string) ([]netip.AddrPort, error) {
	if ap.Port() == 0 || ap.Addr().IsUnspecified() {
		return nil, fmt.Errorf("%s: want an IP and a port that can be reached", name)
	}
	return []netip.AddrPort{netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())}, nil
}

func splitHostPort(name string) (host string, port uint16, err error) {
	host, service, err := net.SplitHostPort(name)
	if err != nil {
		return "", 0, fmt.Errorf("%q: want host:port, or _service._proto.name for SRV records", name)
	}
	p, err := strconv.ParseUint(service, 10, 16)
	if err != nil || p == 0 || host == "" {
		return "", 0, fmt.Errorf("%q: want a host, and a port from 1 to 65535", name)
	}
	return host, uint16(p), nil
}
