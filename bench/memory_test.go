package bench

import (
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
)

// memory is a network inside the process for memberlist nodes: packets take a fixed delay and may be
// lost, connections are pipes.
type memory struct {
	delay time.Duration
	loss  float64

	mu    sync.Mutex
	rng   *rand.Rand
	nodes map[string]*endpoint
	sent  int // packets
}

func newMemory(delay time.Duration, loss float64, seed uint64) *memory {
	return &memory{delay: delay, loss: loss, rng: rand.New(rand.NewPCG(seed, 0)), nodes: map[string]*endpoint{}}
}

// endpoint is one node's memberlist.Transport.
type endpoint struct {
	net     *memory
	addr    netip.AddrPort
	packets chan *memberlist.Packet
	streams chan net.Conn
	down    bool // guarded by net.mu
}

func (m *memory) attach(addr netip.AddrPort) *endpoint {
	e := &endpoint{
		net: m, addr: addr, packets: make(chan *memberlist.Packet, 1<<12), streams: make(chan net.Conn, 1<<8),
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.nodes[addr.String()] = e
	return e
}

// cut takes the endpoint off the network.
func (e *endpoint) cut() {
	e.net.mu.Lock()
	defer e.net.mu.Unlock()
	e.down = true
}

// route finds who listens at addr. It reports false for a packet that is lost on the way.
func (e *endpoint) route(addr string) (to *endpoint, ok bool) {
	m := e.net
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sent++
	to = m.nodes[addr]
	return to, to != nil && !to.down && !e.down && m.rng.Float64() >= m.loss
}

func (e *endpoint) FinalAdvertiseAddr(string, int) (net.IP, int, error) {
	return net.IP(e.addr.Addr().AsSlice()), int(e.addr.Port()), nil
}

func (e *endpoint) WriteTo(b []byte, addr string) (time.Time, error) {
	if to, ok := e.route(addr); ok {
		p := &memberlist.Packet{Buf: slices.Clone(b), From: net.UDPAddrFromAddrPort(e.addr)}
		time.AfterFunc(e.net.delay, func() {
			p.Timestamp = time.Now()
			select {
			case to.packets <- p:
			default: // a full socket buffer
			}
		})
	}
	return time.Now(), nil
}

func (e *endpoint) DialTimeout(addr string, timeout time.Duration) (net.Conn, error) {
	e.net.mu.Lock()
	to := e.net.nodes[addr]
	reachable := to != nil && !to.down && !e.down
	e.net.mu.Unlock()
	if !reachable {
		pass(timeout)
		return nil, errors.New("timeout")
	}
	near, far := net.Pipe()
	select {
	case to.streams <- &conn{far, e.addr}:
		return near, nil
	default:
		return nil, errors.New("refused")
	}
}

func (e *endpoint) PacketCh() <-chan *memberlist.Packet { return e.packets }
func (e *endpoint) StreamCh() <-chan net.Conn           { return e.streams }
func (e *endpoint) Shutdown() error                     { return nil }

// conn is a pipe that knows its peer.
type conn struct {
	net.Conn
	from netip.AddrPort
}

func (c *conn) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.from) }
