// Package resolver turns names into addresses.
//
//	r := resolver.NewCached(resolver.Chain{
//		resolver.Static{"seed:7946": {netip.MustParseAddrPort("10.0.0.7:7946")}},
//		resolver.DNS{},
//	}, resolver.CacheConfig{})
//	addrs, err := r.Lookup(ctx, "_nekton._udp.example.com")
//
// A name is "host:port", "_service._proto.domain" (SRV records bring the port), or a literal IP
// and port, which no resolver looks up.
package resolver
