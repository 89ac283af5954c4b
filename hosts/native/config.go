package native

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"github.com/nekton-go/nekton/resolver"
)

// Config configures a Host. The zero value of a field means its default.
type Config struct {
	// Bind is where to listen, for datagrams and connections alike: "ip:port". Without an IP it is every
	// interface, IPv4 and IPv6; "0.0.0.0" is every IPv4 one; port 0 picks a free port. Default ":7946".
	Bind string
	// Advertise is where the others reach this node. An unset IP means Bind's or, where that is every
	// interface, the interface's: private IPv4 first, then other IPv4, then IPv6. Port 0 means the bound one.
	Advertise netip.AddrPort
	// Allow is whose datagrams and connections are accepted; none means everybody's.
	Allow []netip.Prefix
	// TLS wraps every connection; it must have Certificates, and RootCAs and ClientCAs to be mutual (see
	// LoadTLS). Without a ServerName, a peer's certificate must name the IP that was dialed. Datagrams on
	// UDP stay as they are: seal them with keys.
	TLS *tls.Config
	// TCPOnly carries datagrams over connections, for networks without UDP. All members must agree.
	TCPOnly bool
	// Journal is the directory to keep machines' journals in; it is created, and locked while in use.
	// Without one nothing is durable, and machines are told that all is stored.
	Journal string
	// Resolver looks names up. One with a method Failed(netip.AddrPort) is told of addresses where nobody
	// answers. Default: DNS behind a resolver.Cached.
	Resolver resolver.Resolver
	Logger   *slog.Logger // default slog.Default()

	// Bounds. What exceeds one is refused and counted.

	QueueMax   int // bytes of datagrams that wait for the node; default 4 MiB
	PostsMax   int // commands and other posts that wait for the node; default 4,096
	AcceptMax  int // connections accepted at one time; default 512
	PeersMax   int // connections kept for datagrams, oldest closed first; default 256
	BacklogMax int // bytes of datagrams that wait for one connection; default 256 KiB
	LookupsMax int // names being looked up at one time; default 64
	StoresMax  int // bytes that wait for the disk; default 64 MiB

	DialTimeout  time.Duration // for a connection and its handshake, either way; default 5 s
	WriteTimeout time.Duration // for a connection that takes no bytes; default 30 s
	IdleTimeout  time.Duration // after which an unused connection for datagrams is closed; default 2 m
	CloseTimeout time.Duration // for what was written to leave; default 2 s
}

func (c *Config) setDefaults() {
	c.Bind = defaulted(c.Bind, ":7946")
	c.QueueMax = defaulted(c.QueueMax, 4<<20)
	c.PostsMax = defaulted(c.PostsMax, 4096)
	c.AcceptMax = defaulted(c.AcceptMax, 512)
	c.PeersMax = defaulted(c.PeersMax, 256)
	c.BacklogMax = defaulted(c.BacklogMax, 256<<10)
	c.LookupsMax = defaulted(c.LookupsMax, 64)
	c.StoresMax = defaulted(c.StoresMax, 64<<20)
	c.DialTimeout = defaulted(c.DialTimeout, 5*time.Second)
	c.WriteTimeout = defaulted(c.WriteTimeout, 30*time.Second)
	c.IdleTimeout = defaulted(c.IdleTimeout, 2*time.Minute)
	c.CloseTimeout = defaulted(c.CloseTimeout, 2*time.Second)
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Resolver == nil {
		c.Resolver = resolver.NewCached(resolver.DNS{}, resolver.CacheConfig{})
	}
}

func defaulted[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// validate reports the first thing wrong with c.
func (c *Config) validate() error {
	for _, bound := range []struct {
		name string
		ok   bool
	}{
		{"QueueMax", c.QueueMax >= 0}, {"PostsMax", c.PostsMax >= 0}, {"AcceptMax", c.AcceptMax >= 0},
		{"PeersMax", c.PeersMax >= 0}, {"BacklogMax", c.BacklogMax >= 0}, {"LookupsMax", c.LookupsMax >= 0},
		{"StoresMax", c.StoresMax >= 0}, {"DialTimeout", c.DialTimeout >= 0}, {"WriteTimeout", c.WriteTimeout >= 0},
		{"IdleTimeout", c.IdleTimeout >= 0}, {"CloseTimeout", c.CloseTimeout >= 0},
	} {
		if !bound.ok {
			return fmt.Errorf("%s is negative; leave it 0 for its default", bound.name)
		}
	}
	for _, p := range c.Allow {
		if !p.IsValid() {
			return errors.New("invalid prefix in Allow; write 10.0.0.0/8 or fd00::/8")
		}
	}
	if c.TLS != nil && len(c.TLS.Certificates) == 0 && c.TLS.GetCertificate == nil {
		return errors.New("no certificate in TLS; see LoadTLS")
	}
	return nil
}
