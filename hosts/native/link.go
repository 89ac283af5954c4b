package native

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"

	"github.com/nekton-go/nekton/core"
)

// How much of a link is read at a time: most carry one short message, and some a whole cluster.
const (
	readFirst = 2 << 10
	readMax   = 32 << 10
)

// A link is a stream that the node reads and writes.
type link struct {
	stream
	id     core.Link
	peer   netip.AddrPort
	cancel context.CancelFunc // of the dial
	taken  chan struct{}      // the node has seen what was read last
	gone   bool               // the loop's: the node hears no more of it
}

func (h *Host) newLink(id core.Link, peer netip.AddrPort) *link {
	l := &link{id: id, peer: peer, taken: make(chan struct{}, 1), cancel: func() {}}
	l.host = h
	l.flushed = func(n int) { h.inbox.put(core.Input{Kind: core.InputFlushed, Link: id, Size: n}, l) }
	return l
}

// dial performs EffectDial.
func (h *Host) dial(id core.Link, to netip.AddrPort) {
	l := h.newLink(id, to)
	h.links[id] = l
	h.counters.linksOut.Add(1)
	ctx, cancel := context.WithTimeout(h.alive, h.config.DialTimeout)
	l.cancel = cancel
	h.spawn(func() {
		defer cancel()
		conn, err := h.connect(ctx, to, carriesLink)
		if err != nil {
			h.unanswered(to)
			h.inbox.put(core.Input{Kind: core.InputDown, Link: id, From: to, Fault: dialFault(err), At: h.Now()}, l)
			return
		}
		if l.open(conn) {
			l.run()
		}
	})
}

// run tells the node that the link is up, and everything that arrives on it until it ends.
func (l *link) run() {
	h := l.host
	h.inbox.put(core.Input{Kind: core.InputUp, Link: l.id, From: l.peer, At: h.Now()}, l)
	defer l.readEnded()
	buf := make([]byte, readFirst)
	for {
		n, err := l.conn.Read(buf)
		if n > 0 && !l.isHungUp() {
			h.inbox.put(core.Input{Kind: core.InputRead, Link: l.id, From: l.peer, Data: buf[:n], At: h.Now()}, l)
			select {
			case <-l.taken:
			case <-h.alive.Done():
			}
		}
		if n == len(buf) && n < readMax {
			buf = make([]byte, 2*n)
		}
		if err != nil {
			in := core.Input{Kind: core.InputDown, Link: l.id, From: l.peer, Fault: readFault(err), At: h.Now()}
			h.inbox.put(in, l)
			return
		}
	}
}

// hear prepares an input about a link for the node, or reports false if it must not see it.
// It runs on the loop.
func (h *Host) hear(e *entry) bool {
	l := e.link
	if e.in.Kind == core.InputRead {
		h.lent = l
	}
	if l.gone {
		return false
	}
	switch e.in.Kind {
	case core.InputUp:
		h.links[l.id] = l
	case core.InputDown:
		h.drop(l)
	}
	return true
}

// drop makes the node deaf to l and hangs up. It runs on the loop.
func (h *Host) drop(l *link) {
	l.gone = true
	delete(h.links, l.id)
	l.cancel()
	l.hangUp()
}

func dialFault(err error) core.Fault {
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return core.FaultTimeout
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, errHandshake):
		return core.FaultRefused
	case errors.Is(err, context.Canceled):
		return core.FaultClosed
	}
	return core.FaultUnreachable
}

func readFault(err error) core.Fault {
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, net.ErrClosed):
		return core.FaultClosed
	case errors.Is(err, os.ErrDeadlineExceeded):
		return core.FaultTimeout
	}
	return core.FaultUnreachable
}
