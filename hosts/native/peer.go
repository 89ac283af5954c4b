package native

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/nekton-go/nekton/core"
)

// datagramMax is the largest datagram there can be, on UDP and so everywhere.
const datagramMax = 65_507

// peers are the connections that carry datagrams, by the address they lead to. For one that the other
// side opened that is its ephemeral address, so answers go back where the question came from.
type peers struct {
	mu sync.Mutex
	at map[netip.AddrPort]*peer
	n  atomic.Int64 // len(at), to skip the lock where there are none
}

// A peer is a stream of datagrams.
type peer struct {
	stream
	addr netip.AddrPort
	used atomic.Int64 // when it last carried anything, an Instant
}

func (h *Host) newPeer(addr netip.AddrPort) *peer {
	p := &peer{addr: addr}
	p.host = h
	p.used.Store(int64(h.Now()))
	return p
}

// send performs EffectSend: over the connection there is, over UDP, or over a new connection.
func (h *Host) send(to netip.AddrPort, data []byte) {
	var ok bool
	if p := h.peerAt(to); p != nil {
		ok = p.sendDatagram(data)
	} else if h.udp != nil {
		_, err := h.udp.WriteToUDPAddrPort(data, to)
		ok = err == nil
	}
	if !ok {
		h.counters.datagramsUnsent.Add(1)
		return
	}
	h.counters.datagramsOut.Add(1)
	h.counters.bytesOut.Add(uint64(len(data)))
}

// peerAt returns the connection that leads to addr, dialing it first if there is no other way.
func (h *Host) peerAt(addr netip.AddrPort) *peer {
	if h.udp != nil && h.peers.n.Load() == 0 {
		return nil
	}
	h.peers.mu.Lock()
	p := h.peers.at[addr]
	h.peers.mu.Unlock()
	if p != nil || h.udp != nil {
		return p
	}
	p = h.newPeer(addr)
	h.keepPeer(p)
	h.spawn(func() {
		ctx, cancel := context.WithTimeout(h.patient, h.config.DialTimeout)
		defer cancel()
		conn, err := h.connect(ctx, addr, carriesDatagrams)
		if err != nil {
			h.forgetPeer(p)
			return // datagrams may be lost
		}
		if p.open(conn) {
			p.run()
		}
	})
	return p
}

// welcome carries the datagrams of a connection that the other side opened.
func (h *Host) welcome(conn net.Conn, addr netip.AddrPort) {
	p := h.newPeer(addr)
	h.keepPeer(p)
	if p.open(conn) {
		p.run()
	}
}

func (p *peer) sendDatagram(data []byte) bool {
	if len(data) > datagramMax {
		return false
	}
	p.used.Store(int64(p.host.Now()))
	var head [2]byte
	binary.BigEndian.PutUint16(head[:], uint16(len(data)))
	return p.write(head[:], data, p.host.config.BacklogMax)
}

// run takes in datagrams until the connection ends.
func (p *peer) run() {
	defer p.readEnded()
	defer p.host.forgetPeer(p)
	r := bufio.NewReader(p.conn)
	var data []byte
	for {
		var head [2]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return
		}
		size := int(binary.BigEndian.Uint16(head[:]))
		if size > datagramMax {
			p.host.counters.connsBad.Add(1)
			return
		}
		if size > len(data) {
			data = make([]byte, size)
		}
		if _, err := io.ReadFull(r, data[:size]); err != nil {
			return
		}
		p.used.Store(int64(p.host.Now()))
		p.host.receive(p.addr, data[:size])
	}
}

// keepPeer makes p findable, and the one unused for longest leave if there are too many.
func (h *Host) keepPeer(p *peer) {
	h.peers.mu.Lock()
	defer h.peers.mu.Unlock()
	if len(h.peers.at) >= h.config.PeersMax {
		var oldest *peer
		for _, q := range h.peers.at {
			if oldest == nil || q.used.Load() < oldest.used.Load() {
				oldest = q
			}
		}
		h.evict(oldest)
	}
	if old := h.peers.at[p.addr]; old != nil {
		h.evict(old)
	}
	h.peers.at[p.addr] = p
	h.peers.n.Store(int64(len(h.peers.at)))
}

// evict hangs up on p; h.peers.mu is held.
func (h *Host) evict(p *peer) {
	delete(h.peers.at, p.addr)
	h.peers.n.Store(int64(len(h.peers.at)))
	p.hangUp()
}

func (h *Host) forgetPeer(p *peer) {
	h.peers.mu.Lock()
	defer h.peers.mu.Unlock()
	if h.peers.at[p.addr] == p {
		h.evict(p)
	}
}

// tidy hangs up on the peers that carried nothing for Config.IdleTimeout, twice in that time, and says
// when to do so next. It runs on the loop.
func (h *Host) tidy(now core.Instant) (next core.Instant) {
	if h.peers.n.Load() == 0 {
		return core.Never
	}
	if now < h.tidyAt {
		return h.tidyAt
	}
	h.tidyAt = now.Add(h.config.IdleTimeout / 2)
	h.peers.mu.Lock()
	defer h.peers.mu.Unlock()
	for _, p := range h.peers.at {
		if core.Instant(p.used.Load()).Add(h.config.IdleTimeout) <= now {
			h.evict(p)
		}
	}
	return h.tidyAt
}

// hangUpPeers lets those being dialed still carry what was given to them.
func (h *Host) hangUpPeers() {
	h.peers.mu.Lock()
	defer h.peers.mu.Unlock()
	for _, p := range h.peers.at {
		h.evict(p)
	}
}
