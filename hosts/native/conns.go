package native

import (
	"crypto/tls"
	"maps"
	"net"
	"sync"
)

// conns are the open connections, so that Close can end them.
type conns struct {
	mu     sync.Mutex
	users  map[net.Conn]*stream // nil until it is known what the connection carries
	ending bool                 // only streams that still have something to say may begin
	cut    bool                 // none may
}

// keepConn registers a connection, or closes it and reports false if the host is closing.
func (h *Host) keepConn(conn net.Conn) bool {
	h.conns.mu.Lock()
	defer h.conns.mu.Unlock()
	if h.conns.ending {
		conn.Close()
		return false
	}
	h.conns.users[raw(conn)] = nil
	return true
}

// useConn registers who uses a connection, or reports false if the host is closing. s.mu is held.
func (h *Host) useConn(conn net.Conn, s *stream) bool {
	h.conns.mu.Lock()
	defer h.conns.mu.Unlock()
	if h.conns.cut || h.conns.ending && !s.hungUp {
		return false
	}
	h.conns.users[raw(conn)] = s
	return true
}

// closeConn closes a connection and forgets it. It does not wait for TLS to say goodbye; halfClose does.
func (h *Host) closeConn(conn net.Conn) {
	raw(conn).Close()
	h.conns.mu.Lock()
	defer h.conns.mu.Unlock()
	delete(h.conns.users, raw(conn))
}

// hangUpAll lets every stream finish writing, and closes what is not a stream yet.
func (h *Host) hangUpAll() {
	h.conns.mu.Lock()
	h.conns.ending = true
	users := maps.Clone(h.conns.users)
	h.conns.mu.Unlock()
	for conn, s := range users {
		if s != nil {
			s.hangUp()
		} else {
			conn.Close()
		}
	}
}

// cutAll closes every connection as it stands.
func (h *Host) cutAll() {
	h.cut()
	h.conns.mu.Lock()
	defer h.conns.mu.Unlock()
	h.conns.cut = true
	for conn := range h.conns.users {
		conn.Close()
	}
}

// raw is the connection below TLS, which closes without waiting for anything to be written.
func raw(conn net.Conn) net.Conn {
	if t, ok := conn.(*tls.Conn); ok {
		return t.NetConn()
	}
	return conn
}
