package resolver

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
)

// Static knows the names it holds, and literal IPs. It must not change while in use.
type Static map[string][]netip.AddrPort

// Lookup implements Resolver.
func (s Static) Lookup(_ context.Context, name string) ([]netip.AddrPort, error) {
	if addrs := s[name]; len(addrs) > 0 {
		return slices.Clone(addrs), nil
	}
	if ap, err := netip.ParseAddrPort(name); err == nil {
		return literal(ap, name)
	}
	return nil, fmt.Errorf("%q: not among the %d names known; add it or use an IP", name, len(s))
}

// Chain asks one resolver after the other and returns the first answer.
type Chain []Resolver

// Lookup implements Resolver. Errors are those of all resolvers, joined.
func (c Chain) Lookup(ctx context.Context, name string) ([]netip.AddrPort, error) {
	errs := make([]error, 0, len(c))
	for _, r := range c {
		if err := ctx.Err(); err != nil {
			return nil, errors.Join(append(errs, err)...)
		}
		addrs, err := r.Lookup(ctx, name)
		if err == nil && len(addrs) > 0 {
			return addrs, nil
		}
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("%q: no resolver knows it", name)
}
