package native

import (
	"crypto/tls"
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
	// Resolver looks names up. Default: DNS behind a cache.
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
