package resolver

import (
	"context"
	"net/netip"
)

// A Resolver turns "host:port" into addresses. Implementations may be used by many goroutines.
type Resolver interface {
	// Lookup returns at least one address, or an error that says what to do. IPv4 addresses are never
	// returned in their IPv6-mapped form.
	Lookup(ctx context.Context, name string) ([]netip.AddrPort, error)
}
