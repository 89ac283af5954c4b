package native

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/runtime"
)

// socketBuffer is the receive buffer asked of the system, so that a burst survives while the reader sleeps.
const socketBuffer = 2 << 20

// A Host is a runtime.Host on real sockets, disks and clocks.
type Host struct {
	config     Config
	tcp        *net.TCPListener
	udp        *net.UDPConn // nil: Config.TCPOnly
	bound      netip.AddrPort
	advertised netip.AddrPort
	recorder   *recorder // nil: nothing is durable

	clock    clock
	inbox    inbox
	counters counters
	conns    conns
	peers    peers
	lookups  chan struct{} // one token per lookup in flight

	accepted      atomic.Int64 // connections
	acceptedLinks atomic.Uint64

	alive   context.Context // until Close
	die     context.CancelFunc
	patient context.Context // until Close has waited for Config.CloseTimeout
	cut     context.CancelFunc
	closed  sync.Once
	failed  error
	tasks   sync.WaitGroup // every goroutine of the host

	// The loop's alone.
	links  map[core.Link]*link
	lent   *link // whose buffer the node is reading
	timer  *time.Timer
	tidyAt core.Instant // when to look for idle peers
}

// Listen opens a host's sockets and its journal. Errors say what to change: an address that is wrong or in
// use, a journal that another process holds.
func Listen(c Config) (*Host, error) {
	if err := c.validate(); err != nil {
		return nil, fmt.Errorf("native: %w", err)
	}
	c.setDefaults()
	h := &Host{
		config:  c,
		clock:   clock{start: startOfClocks},
		inbox:   inbox{ready: make(chan struct{}, 1)},
		conns:   conns{users: map[net.Conn]*stream{}},
		peers:   peers{at: map[netip.AddrPort]*peer{}},
		lookups: make(chan struct{}, c.LookupsMax),
		links:   map[core.Link]*link{},
		timer:   time.NewTimer(time.Hour),
	}
	h.patient, h.cut = context.WithCancel(context.Background())
	h.alive, h.die = context.WithCancel(h.patient)
	if err := h.open(); err != nil {
		h.Close()
		return nil, fmt.Errorf("native: %w", err)
	}
	h.spawn(h.accept)
	if h.udp != nil {
		h.spawn(h.readUDP)
	}
	if h.recorder != nil {
		h.spawn(h.recorder.run)
	}
	return h, nil
}

// open acquires what can fail, and queues the first inputs of the node's life.
func (h *Host) open() error {
	addr, err := parseBind(h.config.Bind)
	if err != nil {
		return err
	}
	if h.tcp, h.udp, err = bind(addr, h.config.TCPOnly); err != nil {
		return err
	}
	if h.udp != nil {
		_ = h.udp.SetReadBuffer(socketBuffer) // the system may grant less
	}
	h.bound = localAddr(h.tcp.Addr())
	if h.advertised, err = advertise(h.config.Advertise, h.bound); err != nil {
		return err
	}
	wall, _ := h.clock.wall()
	h.inbox.put(wall, nil)
	if h.config.Journal != "" {
		var past []core.Input
		h.recorder, past, err = openRecorder(h.config.Journal, h.config.Logger, h.config.StoresMax, h.stored)
		if err != nil {
			return err
		}
		for _, in := range past {
			h.inbox.put(in, nil)
		}
	}
	h.inbox.put(core.Input{Kind: core.InputWake}, nil)
	return nil
}

// Addr is where the host listens.
func (h *Host) Addr() netip.AddrPort { return h.bound }

// Advertised is where the others reach the host.
func (h *Host) Advertised() netip.AddrPort { return h.advertised }

// Now implements runtime.Host.
func (h *Host) Now() core.Instant { return h.clock.now() }

// Post implements runtime.Host.
func (h *Host) Post(in core.Input) error {
	if in.At == 0 {
		in.At = h.Now()
	}
	return h.inbox.post(in, h.config.PostsMax)
}

// Wait implements runtime.Host.
func (h *Host) Wait(ctx context.Context, deadline core.Instant, in *core.Input) error {
	if h.lent != nil {
		h.lent.taken <- struct{}{} // one read at a time: there is room
		h.lent = nil
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if h.alive.Err() != nil {
			return runtime.ErrClosed
		}
		if e := h.inbox.next(); e != nil {
			if e.link == nil || h.hear(e) {
				*in = e.in
				return nil
			}
			continue
		}
		if wall, due := h.clock.wall(); due {
			*in = wall
			return nil
		}
		now := h.Now()
		if now >= deadline {
			*in = core.Input{Kind: core.InputWake}
			return nil
		}
		h.timer.Reset(min(deadline, h.clock.told.Add(wallEvery), h.tidy(now)).Sub(now))
		select {
		case <-h.inbox.ready:
		case <-h.timer.C:
		case <-ctx.Done():
		case <-h.alive.Done():
		}
	}
}

// Do implements runtime.Host.
func (h *Host) Do(e core.Effect) {
	switch e.Kind {
	case core.EffectSend:
		h.send(e.To, e.Data)
	case core.EffectDial:
		h.dial(e.Link, e.To)
	case core.EffectWrite:
		if l := h.links[e.Link]; l != nil {
			l.write(nil, e.Data, 0) // the node keeps to its window
		}
	case core.EffectClose:
		if l := h.links[e.Link]; l != nil {
			h.drop(l)
		}
	case core.EffectResolve:
		h.resolve(e.Token, e.Name)
	case core.EffectAppend, core.EffectCompact:
		if h.recorder != nil {
			h.recorder.store(e)
		} else {
			h.stored(e.Token, nil)
		}
	}
}

// stored tells the node how one of its records fared.
func (h *Host) stored(token core.Token, err error) {
	in := core.Input{Kind: core.InputStored, Token: token, At: h.Now()}
	if err != nil {
		h.counters.storesFailed.Add(1)
		in.Fault = core.FaultStorage
	}
	h.inbox.put(in, nil)
}

// resolve looks a name up, elsewhere.
func (h *Host) resolve(token core.Token, name string) {
	in := core.Input{Kind: core.InputResolved, Token: token}
	select {
	case h.lookups <- struct{}{}:
	default:
		h.counters.lookupsRefused.Add(1)
		in.Fault = core.FaultBusy
		h.inbox.put(in, nil)
		return
	}
	h.spawn(func() {
		defer func() { <-h.lookups }()
		ctx, cancel := context.WithTimeout(h.alive, h.config.DialTimeout)
		defer cancel()
		addrs, err := h.config.Resolver.Lookup(ctx, name)
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			in.Fault = core.FaultTimeout
		case err != nil:
			in.Fault = core.FaultNotFound
		}
		if err != nil {
			h.config.Logger.Warn("lookup failed", "name", name, "error", err)
		}
		in.Addrs, in.At = addrs, h.Now()
		h.inbox.put(in, nil)
	})
}

// unanswered tells a resolver that remembers names (resolver.Cached) that one of its answers is no good.
func (h *Host) unanswered(addr netip.AddrPort) {
	if r, ok := h.config.Resolver.(interface{ Failed(netip.AddrPort) }); ok {
		r.Failed(addr)
	}
}

// readUDP takes in datagrams until the socket closes.
func (h *Host) readUDP() {
	buf := make([]byte, datagramMax+1)
	for {
		n, from, err := h.udp.ReadFromUDPAddrPort(buf)
		switch {
		case err == nil:
			h.receive(unmap(from), buf[:n])
		case errors.Is(err, net.ErrClosed):
			return
		default: // some systems report here what became of datagrams sent
			select {
			case <-time.After(time.Millisecond):
			case <-h.alive.Done():
			}
		}
	}
}

// receive queues one datagram for the node, if it may come in and there is room.
func (h *Host) receive(from netip.AddrPort, data []byte) {
	switch {
	case !h.allowed(from.Addr()):
		h.counters.datagramsForeign.Add(1)
	case !h.inbox.datagram(from, data, h.Now(), h.config.QueueMax):
		h.counters.datagramsDropped.Add(1)
	default:
		h.counters.datagramsIn.Add(1)
		h.counters.bytesIn.Add(uint64(len(data)))
	}
}

// spawn starts a goroutine that Close waits for.
func (h *Host) spawn(f func()) {
	h.tasks.Add(1)
	go func() { // ends with f, which ends when h.alive does or a socket closes
		defer h.tasks.Done()
		f()
	}()
}

// Close implements runtime.Host. What was written to links and journals before gets Config.CloseTimeout
// to leave.
func (h *Host) Close() error {
	h.closed.Do(func() { h.failed = h.close() })
	return h.failed
}

func (h *Host) close() error {
	h.inbox.close()
	var errs []error
	if h.tcp != nil {
		errs = append(errs, h.tcp.Close())
	}
	if h.udp != nil {
		errs = append(errs, h.udp.Close())
	}
	h.hangUpAll()
	h.hangUpPeers()
	h.die()
	if h.recorder != nil {
		h.recorder.end()
	}
	cut := time.AfterFunc(h.config.CloseTimeout, h.cutAll)
	h.tasks.Wait()
	cut.Stop()
	h.cut()
	h.timer.Stop()
	if h.recorder != nil {
		errs = append(errs, h.recorder.close())
	}
	return errors.Join(errs...)
}
