// Host is a whole host for a nekton node: what package core's documentation describes, written out. It keeps
// no journal. Package hosts/native is the one to use.
//
//	go run ./examples/host -name a -listen 127.0.0.1:7001
//	go run ./examples/host -name b -join 127.0.0.1:7001
package main

import (
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/nekton-go/nekton/codec/cbor"
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/stack"
	"github.com/nekton-go/nekton/core/swim"
)

func main() {
	name, join := flag.String("name", "", "this member's name"), flag.String("join", "", "any member's address")
	listen := flag.String("listen", "127.0.0.1:0", "where to listen")
	flag.Parse()
	fmt.Println(run(context.Background(), *name, *listen, *join, func(e core.Event) {
		line, _ := e.AppendText(nil)
		fmt.Printf("%s: %s\n", *name, line)
	}))
}

// run is one member, until ctx is done.
func run(ctx context.Context, name, listen, join string, tell func(core.Event)) error {
	h, err := newHost(listen, tell)
	if err != nil {
		return err
	}
	defer h.close()
	config := swim.Local()
	config.Name, config.Addr, config.Seeds = name, h.addr, strings.Fields(join)
	assembly := stack.Config{Swim: config, Dialect: cbor.New(cbor.Config{})}
	rand.Read(assembly.Seed[:]) // never fails
	node, err := stack.New(assembly)
	if err != nil {
		return err
	}
	h.step(node, core.Input{Kind: core.InputWall, Wall: time.Now().UnixNano()})
	in := core.Input{Kind: core.InputWake} // there is no journal to restore: start
	for {
		h.step(node, in)
		if in, err = h.wait(ctx, node.Deadline()); err != nil {
			return err
		}
	}
}

type host struct {
	addr   netip.AddrPort
	udp    *net.UDPConn
	tcp    net.Listener
	conns  sync.Map // core.Link to net.Conn
	start  time.Time
	inputs chan core.Input
	done   chan struct{}
	tell   func(core.Event)
}

func newHost(listen string, tell func(core.Event)) (*host, error) {
	tcp, err := net.Listen("tcp", listen)
	if err != nil {
		return nil, err
	}
	addr := tcp.Addr().(*net.TCPAddr).AddrPort()
	udp, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(addr))
	if err != nil {
		return nil, err
	}
	h := &host{addr: addr, udp: udp, tcp: tcp, start: time.Now(), tell: tell}
	h.inputs, h.done = make(chan core.Input, 64), make(chan struct{})
	go h.receive()
	go h.accept()
	return h, nil
}

func (h *host) now() core.Instant { return core.Instant(time.Since(h.start)) }

// step is the heart: one input in, every effect out.
func (h *host) step(node core.Verbs, in core.Input) {
	node.Step(h.now(), in)
	for e, ok := node.Next(); ok; e, ok = node.Next() {
		switch e.Kind {
		case core.EffectSend:
			h.udp.WriteToUDPAddrPort(e.Data, e.To) // datagrams may get lost
		case core.EffectDial:
			go h.dial(e.Link, e.To)
		case core.EffectWrite:
			if c, ok := h.conns.Load(e.Link); ok {
				c.(net.Conn).SetWriteDeadline(time.Now().Add(time.Second))
				c.(net.Conn).Write(e.Data) // if this fails, so does the read, which says so
				go h.put(core.Input{Kind: core.InputFlushed, Link: e.Link, Size: len(e.Data)})
			}
		case core.EffectClose:
			if c, ok := h.conns.LoadAndDelete(e.Link); ok {
				c.(net.Conn).Close()
			}
		case core.EffectResolve:
			go h.resolve(e.Token, e.Name)
		case core.EffectAppend, core.EffectCompact: // nothing is kept, so nothing has to be waited for
			go h.put(core.Input{Kind: core.InputStored, Token: e.Token})
		case core.EffectEmit:
			h.tell(e.Event)
		}
	}
}

// wait returns the next input, or an InputWake at the deadline.
func (h *host) wait(ctx context.Context, deadline core.Instant) (core.Input, error) {
	select {
	case in := <-h.inputs:
		return in, nil
	case <-time.After(deadline.Sub(h.now())):
		return core.Input{Kind: core.InputWake}, nil
	case <-ctx.Done():
		return core.Input{}, ctx.Err()
	}
}

func (h *host) put(in core.Input) {
	select {
	case h.inputs <- in:
	case <-h.done:
	}
}

func (h *host) receive() {
	for {
		b := make([]byte, 1<<16)
		n, from, err := h.udp.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		h.put(core.Input{Kind: core.InputDatagram, From: unmap(from), Data: b[:n]})
	}
}

func (h *host) accept() {
	for n := uint64(1); ; n++ {
		c, err := h.tcp.Accept()
		if err != nil {
			return
		}
		go h.read(core.Accepted(n), c)
	}
}

func (h *host) dial(l core.Link, to netip.AddrPort) {
	c, err := net.DialTimeout("tcp", to.String(), time.Second)
	if err != nil {
		h.put(core.Input{Kind: core.InputDown, Link: l, Fault: core.FaultUnreachable})
		return
	}
	h.read(l, c)
}

func (h *host) read(l core.Link, c net.Conn) {
	h.conns.Store(l, c)
	h.put(core.Input{Kind: core.InputUp, Link: l, From: unmap(c.RemoteAddr().(*net.TCPAddr).AddrPort())})
	for {
		b := make([]byte, 1<<14)
		n, err := c.Read(b)
		if n > 0 {
			h.put(core.Input{Kind: core.InputRead, Link: l, Data: b[:n]})
		}
		if err != nil {
			h.conns.Delete(l)
			h.put(core.Input{Kind: core.InputDown, Link: l, Fault: core.FaultClosed})
			return
		}
	}
}

func (h *host) resolve(token core.Token, name string) {
	in := core.Input{Kind: core.InputResolved, Token: token} // without addresses, if there are none
	if a, err := net.ResolveUDPAddr("udp", name); err == nil {
		in.Addrs = []netip.AddrPort{unmap(a.AddrPort())}
	}
	h.put(in)
}

func (h *host) close() {
	close(h.done)
	h.udp.Close()
	h.tcp.Close()
	h.conns.Range(func(_, c any) bool { c.(net.Conn).Close(); return true })
}

func unmap(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }
