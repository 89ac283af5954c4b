package bench

import (
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
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

	// Guarded by net.mu.
	down  bool
	deaf  bool          // what arrives waits
	hears chan struct{} // closed once it does again
	held  []*memberlist.Packet
	calls []net.Conn
}

// heldMax is how many packets wait for a deaf endpoint, as in a socket buffer: what package sim has.
const heldMax = 1024

// deafen has everything that arrives wait, while what is sent leaves.
func (e *endpoint) deafen() {
	e.net.mu.Lock()
	defer e.net.mu.Unlock()
	e.deaf, e.hears = true, make(chan struct{})
}

// hear ends that: what waits is delivered, in order.
func (e *endpoint) hear() {
	e.net.mu.Lock()
	defer e.net.mu.Unlock()
	e.deaf = false
	close(e.hears)
	for _, p := range e.held {
		e.deliver(p)
	}
	for _, c := range e.calls {
		e.streams <- c
	}
	e.held, e.calls = nil, nil
}

// listen waits until the endpoint hears. It reports false if that takes too long.
func (e *endpoint) listen(patience <-chan time.Time) bool {
	e.net.mu.Lock()
	deaf, hears := e.deaf, e.hears
	e.net.mu.Unlock()
	if !deaf {
		return true
	}
	select {
	case <-hears:
		return true
	case <-patience:
		return false
	}
}

// deliver hands a packet to memberlist. net.mu is held.
func (e *endpoint) deliver(p *memberlist.Packet) {
	p.Timestamp = time.Now()
	select {
	case e.packets <- p:
	default: // a full socket buffer
	}
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
			e.net.mu.Lock()
			defer e.net.mu.Unlock()
			switch {
			case !to.deaf:
				to.deliver(p)
			case len(to.held) < heldMax:
				to.held = append(to.held, p)
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
	if !e.listen(time.After(timeout)) { // for the answer to the first packet
		return nil, errors.New("timeout")
	}
	near, far := net.Pipe()
	call := &conn{Conn: far, of: to, from: e.addr}
	e.net.mu.Lock()
	defer e.net.mu.Unlock()
	if to.deaf {
		to.calls = append(to.calls, call)
		return &conn{Conn: near, of: e, from: to.addr}, nil
	}
	select {
	case to.streams <- call:
		return &conn{Conn: near, of: e, from: to.addr}, nil
	default:
		return nil, errors.New("refused")
	}
}

func (e *endpoint) PacketCh() <-chan *memberlist.Packet { return e.packets }
func (e *endpoint) StreamCh() <-chan net.Conn           { return e.streams }
func (e *endpoint) Shutdown() error                     { return nil }

// conn is one end of a pipe that knows whose it is, and its peer. Reads wait until its endpoint hears.
type conn struct {
	net.Conn
	of   *endpoint
	from netip.AddrPort

	mu       sync.Mutex
	deadline time.Time // of reads
}

func (c *conn) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.from) }

func (c *conn) SetDeadline(t time.Time) error {
	c.setRead(t)
	return c.Conn.SetDeadline(t)
}

func (c *conn) SetReadDeadline(t time.Time) error {
	c.setRead(t)
	return c.Conn.SetReadDeadline(t)
}

func (c *conn) setRead(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deadline = t
}

func (c *conn) Read(b []byte) (int, error) {
	c.mu.Lock()
	deadline := c.deadline
	c.mu.Unlock()
	var patience <-chan time.Time // without a deadline, for ever
	if !deadline.IsZero() {
		patience = time.After(time.Until(deadline))
	}
	if !c.of.listen(patience) {
		return 0, os.ErrDeadlineExceeded
	}
	return c.Conn.Read(b)
}
