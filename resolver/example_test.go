package resolver_test

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/nekton-go/nekton/resolver"
)

func Example() {
	r := resolver.NewCached(resolver.Chain{
		resolver.Static{"seed:7946": {netip.MustParseAddrPort("10.0.0.7:7946")}},
		resolver.DNS{},
	}, resolver.CacheConfig{})
	for _, name := range []string{"seed:7946", "10.0.0.8:7946", "[::1]"} {
		addrs, err := r.Lookup(context.Background(), name)
		fmt.Println(addrs, err)
	}
	// Output:
	// [10.0.0.7:7946] <nil>
	// [10.0.0.8:7946] <nil>
	// [] "[::1]": not among the 1 names known; add it or use an IP
	// "[::1]": want host:port, or _service._proto.name for SRV records
}
