package native

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"

	"github.com/nekton-go/nekton/core"
)

// The first byte of every connection says what it carries.
const (
	carriesLink      = 'L' // the bytes of one link
	carriesDatagrams = 'D' // datagrams, each after its length in 16 bits, big-endian
)

var errHandshake = errors.New("tls handshake failed")

// connect opens a connection and says what it will carry. The caller gives it to a stream.
func (h *Host) connect(ctx context.Context, to netip.AddrPort, what byte) (net.Conn, error) {
	conn, err := h.dialer(to).DialContext(ctx, "tcp", to.String())
	if err != nil {
		return nil, err
	}
	if h.config.TLS != nil {
		conn, err = h.secure(ctx, conn, to)
		if err != nil {
			return nil, err
		}
	}
	conn.SetWriteDeadline(time.Now().Add(h.config.DialTimeout))
	if _, err = conn.Write([]byte{what}); err != nil {
		conn.Close()
		return nil, err
	}
	conn.SetWriteDeadline(time.Time{})
	return conn, nil
}

// dialer dials from the bound address, so that others' allow-lists see the one they expect.
func (h *Host) dialer(to netip.AddrPort) *net.Dialer {
	from := h.bound.Addr()
	if !from.IsValid() || from.IsUnspecified() || from.Is4() != to.Addr().Is4() {
		return &net.Dialer{}
	}
	return &net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))}
}

func (h *Host) secure(ctx context.Context, conn net.Conn, to netip.AddrPort) (net.Conn, error) {
	config := h.config.TLS
	if config.ServerName == "" {
		config = config.Clone()
		config.ServerName = to.Addr().WithZone("").String()
	}
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, errors.Join(errHandshake, err)
	}
	return secure, nil
}

// accept takes connections until the listener closes.
func (h *Host) accept() {
	var pause time.Duration // after trouble such as too many open files
	for {
		conn, err := h.tcp.AcceptTCP()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			h.config.Logger.Warn("cannot accept connections", "error", err, "retry", pause)
			select {
			case <-time.After(pause):
			case <-h.alive.Done():
				return
			}
			continue
		}
		pause = 0
		h.admit(conn)
	}
}

// admit gives a connection a goroutine of its own, if it may have one.
func (h *Host) admit(conn *net.TCPConn) {
	peer := localAddr(conn.RemoteAddr())
	switch {
	case !h.allowed(peer.Addr()):
		h.counters.connsForeign.Add(1)
	case h.accepted.Load() >= int64(h.config.AcceptMax):
		h.counters.connsRefused.Add(1)
	case h.keepConn(conn):
		h.accepted.Add(1)
		h.spawn(func() {
			defer h.accepted.Add(-1)
			if err := h.greet(conn, peer); err != nil {
				h.closeConn(conn)
				h.counters.connsBad.Add(1)
				h.config.Logger.Debug("connection refused", "from", peer, "error", err)
			}
		})
		return
	}
	conn.Close()
}

// greet finds out what an accepted connection carries, and carries it until it ends.
func (h *Host) greet(tcp *net.TCPConn, peer netip.AddrPort) error {
	conn := net.Conn(tcp)
	conn.SetDeadline(time.Now().Add(h.config.DialTimeout))
	if h.config.TLS != nil {
		conn = tls.Server(tcp, h.config.TLS)
	}
	var what [1]byte
	if _, err := io.ReadFull(conn, what[:]); err != nil {
		return err
	}
	conn.SetDeadline(time.Time{})
	switch what[0] {
	case carriesLink:
		h.counters.linksIn.Add(1)
		l := h.newLink(core.Accepted(h.acceptedLinks.Add(1)), peer)
		if l.open(conn) {
			l.run()
		}
	case carriesDatagrams:
		h.welcome(conn, peer)
	default:
		return fmt.Errorf("unknown first byte %#x", what[0])
	}
	return nil
}

func (h *Host) allowed(ip netip.Addr) bool {
	if len(h.config.Allow) == 0 {
		return true
	}
	for _, p := range h.config.Allow {
		if p.Contains(ip.WithZone("")) {
			return true
		}
	}
	return false
}
