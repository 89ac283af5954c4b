package coretest

import (
	"container/heap"
	"fmt"
	"net/netip"
	"slices"

	"github.com/nekton-go/nekton/core"
)

// A node is one node of the world. Its journal survives a crash.
type node struct {
	name    string
	addr    netip.AddrPort
	options []string
	verbs   core.Verbs // nil: crashed
	life    int        // what was under way in an earlier life does not arrive
	started bool
	journal []core.Input
}

// A link is one connection. An end without a node is played by the script.
type link struct {
	name string
	ends [2]end // the dialer's first
}

type end struct {
	node   *node
	id     core.Link
	reader core.FrameReader // of what this end writes, for the trace
}

// A token is one operation of one node.
type token struct {
	node *node
	id   core.Token
}

// An arrival is an input on its way to a node.
type arrival struct {
	at    core.Instant
	order int // ties arrive in the order they were sent
	node  *node
	life  int
	in    core.Input
}

type queue struct {
	heap  []arrival
	order int
}

func (q *queue) Len() int      { return len(q.heap) }
func (q *queue) Swap(i, j int) { q.heap[i], q.heap[j] = q.heap[j], q.heap[i] }
func (q *queue) Push(x any)    { q.heap = append(q.heap, x.(arrival)) }
func (q *queue) Less(i, j int) bool {
	a, b := q.heap[i], q.heap[j]
	return a.at < b.at || a.at == b.at && a.order < b.order
}
func (q *queue) Pop() any {
	last := q.heap[len(q.heap)-1]
	q.heap = q.heap[:len(q.heap)-1]
	return last
}

// later sends an input to a node, one delay from now.
func (e *Env) later(n *node, in core.Input) {
	if n == nil || n.verbs == nil {
		return
	}
	in.Data = slices.Clone(in.Data)
	e.queue.order++
	heap.Push(&e.queue, arrival{e.now.Add(Delay), e.queue.order, n, n.life, in})
}

// run lets time pass until end: whatever is due first happens first, arrivals before wakes.
func (e *Env) run(end core.Instant) {
	for {
		at, sleeper := core.Never, (*node)(nil)
		for _, n := range e.nodes {
			if n.verbs != nil && n.started && n.verbs.Deadline() < at {
				at, sleeper = n.verbs.Deadline(), n
			}
		}
		arriving := len(e.queue.heap) > 0 && e.queue.heap[0].at <= at
		if arriving {
			at = e.queue.heap[0].at
		}
		if at > end {
			break
		}
		e.now = max(e.now, at)
		if !arriving {
			e.step(sleeper, core.Input{Kind: core.InputWake})
		} else if a := heap.Pop(&e.queue).(arrival); a.life == a.node.life {
			e.step(a.node, a.in)
		}
	}
	e.now = end
}

// step gives n one input and does everything it asks for.
func (e *Env) step(n *node, in core.Input) {
	n.verbs.Step(e.now, in)
	for effect, ok := n.verbs.Next(); ok; effect, ok = n.verbs.Next() {
		e.perform(n, effect)
	}
}

func (e *Env) perform(n *node, f core.Effect) {
	switch f.Kind {
	case core.EffectSend:
		e.printf(n, "send", "%v %s", f.To, e.datagram(f.Data))
		if to := e.at(f.To); to != nil && !e.cuts[[2]string{n.name, to.name}] {
			e.later(to, core.Input{Kind: core.InputDatagram, From: n.addr, Data: f.Data})
		}
	case core.EffectDial:
		e.dial(n, f)
	case core.EffectWrite:
		e.write(n, f)
	case core.EffectClose:
		e.close(n, f)
	case core.EffectResolve:
		e.resolve(n, f)
	case core.EffectAppend, core.EffectCompact:
		e.store(n, f)
	case core.EffectEmit:
		e.printf(n, "emit", "%s", text(f.Event))
	default:
		panic(fmt.Sprintf("coretest: effect kind %d", f.Kind))
	}
}

func (e *Env) dial(n *node, f core.Effect) {
	to := e.at(f.To)
	l := &link{name: fmt.Sprintf("l%d", len(e.links)+1)}
	l.ends[0] = end{n, f.Link, e.config.Dialect.NewFrameReader()}
	e.links = append(e.links, l)
	e.printf(n, "dial", "%s to %v", l.name, f.To)
	switch {
	case to == nil || e.held["dial"]: // the script answers
	case to.verbs == nil:
		e.later(n, core.Input{Kind: core.InputDown, Link: f.Link, Fault: core.FaultUnreachable})
	case !e.stalled(n, to):
		id := core.Accepted(uint64(len(e.links)))
		l.ends[1] = end{to, id, e.config.Dialect.NewFrameReader()}
		e.later(to, core.Input{Kind: core.InputUp, Link: id, From: n.addr})
		e.later(n, core.Input{Kind: core.InputUp, Link: f.Link, From: f.To})
	}
}

func (e *Env) write(n *node, f core.Effect) {
	l, here, there := e.link(n, f.Link)
	e.printf(n, "write", "%s %s", l.name, e.frames(here.reader, f.Data))
	if there.node != nil && !e.stalled(n, there.node) {
		e.later(there.node, core.Input{Kind: core.InputRead, Link: there.id, Data: f.Data})
		e.later(n, core.Input{Kind: core.InputFlushed, Link: f.Link, Size: len(f.Data)})
	}
}

func (e *Env) close(n *node, f core.Effect) {
	l, _, there := e.link(n, f.Link)
	e.printf(n, "close", "%s", l.name)
	if there.node != nil && !e.stalled(n, there.node) {
		e.later(there.node, core.Input{Kind: core.InputDown, Link: there.id, Fault: core.FaultClosed})
	}
}

func (e *Env) resolve(n *node, f core.Effect) {
	e.printf(n, "resolve", "%s %s", e.newToken(n, f.Token), f.Name)
	if e.held["resolve"] {
		return
	}
	in := core.Input{Kind: core.InputResolved, Token: f.Token, Addrs: e.names[f.Name]}
	if addr, err := netip.ParseAddrPort(f.Name); err == nil {
		in.Addrs = []netip.AddrPort{addr}
	}
	if len(in.Addrs) == 0 {
		in.Fault = core.FaultNotFound
	}
	e.later(n, in)
}

func (e *Env) store(n *node, f core.Effect) {
	kind, record := "append", core.Input{Kind: core.InputReplay, Proto: f.Proto, Data: slices.Clone(f.Data)}
	if f.Kind == core.EffectCompact {
		kind, record.Kind = "compact", core.InputRestore
		n.journal = slices.DeleteFunc(n.journal, func(r core.Input) bool { return r.Proto == f.Proto })
	}
	n.journal = append(n.journal, record)
	e.printf(n, kind, "%s protocol %d %x", e.newToken(n, f.Token), f.Proto, f.Data)
	if !e.held["store"] {
		e.later(n, core.Input{Kind: core.InputStored, Token: f.Token})
	}
}

// add builds a node; it does not start it.
func (e *Env) add(args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("node takes a name and an address")
	}
	addr, err := netip.ParseAddrPort(args[1])
	if err != nil {
		return err
	}
	if n, _ := e.node(args[0]); n != nil || e.at(addr) != nil {
		return fmt.Errorf("there is a node %s, or one at %v", args[0], addr)
	}
	n := &node{name: args[0], addr: addr, options: args[2:]}
	e.nodes = append(e.nodes, n)
	n.verbs, err = e.config.Node(n.name, n.addr, n.options)
	return err
}

func (e *Env) start(n *node) error {
	if n.verbs == nil {
		return fmt.Errorf("%s has crashed", n.name)
	}
	for _, record := range n.journal {
		e.step(n, record)
	}
	n.started = true
	e.step(n, core.Input{Kind: core.InputWake})
	return nil
}

func (e *Env) crash(n *node) error {
	n.verbs, n.started = nil, false
	n.life++
	for _, l := range e.links {
		for i, here := range l.ends {
			if there := l.ends[1-i]; here.node == n {
				l.ends[i].node = nil
				e.later(there.node, core.Input{Kind: core.InputDown, Link: there.id, Fault: core.FaultClosed})
			}
		}
	}
	return nil
}

func (e *Env) restart(n *node) (err error) {
	if n.verbs != nil {
		return fmt.Errorf("%s has not crashed", n.name)
	}
	if n.verbs, err = e.config.Node(n.name, n.addr, n.options); err != nil {
		return err
	}
	return e.start(n)
}

func (e *Env) node(name string) (*node, error) {
	for _, n := range e.nodes {
		if n.name == name {
			return n, nil
		}
	}
	return nil, fmt.Errorf("no node %q", name)
}

func (e *Env) at(addr netip.AddrPort) *node {
	for _, n := range e.nodes {
		if n.addr == addr {
			return n
		}
	}
	return nil
}

// stalled reports whether bytes on a link between two nodes get nowhere.
func (e *Env) stalled(a, b *node) bool {
	return e.cuts[[2]string{a.name, b.name}] || e.cuts[[2]string{b.name, a.name}]
}

// link finds a link by what one of its ends calls it, with that end first.
func (e *Env) link(n *node, id core.Link) (l *link, here, there *end) {
	for _, l := range e.links {
		for i := range l.ends {
			if l.ends[i].node == n && l.ends[i].id == id {
				return l, &l.ends[i], &l.ends[1-i]
			}
		}
	}
	panic(fmt.Sprintf("coretest: %s uses link %d, which it does not have", n.name, id))
}

func (e *Env) newToken(n *node, id core.Token) string {
	e.tokens = append(e.tokens, token{n, id})
	return fmt.Sprintf("t%d", len(e.tokens))
}
