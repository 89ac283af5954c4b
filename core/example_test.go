package core_test

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/nekton-go/nekton/codec/cbor"
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/stack"
	"github.com/nekton-go/nekton/core/swim"
)

// A host in the fewest lines: two members, one clock that nobody has to wait for, and a network that is a
// queue. The program in examples/host does the same with sockets.
func Example() {
	net := &network{conns: map[end]end{}}
	a := net.member("a", "10.0.0.1:7946")
	b := net.member("b", "10.0.0.2:7946", "10.0.0.1:7946")
	for net.now < core.Instant(2*time.Second) {
		if len(net.queue) > 0 { // something happened
			next := net.queue[0]
			net.queue = net.queue[1:]
			net.step(next.to, next.in)
			continue
		}
		net.now = min(a.node.Deadline(), b.node.Deadline())
		net.step(a, core.Input{Kind: core.InputWake}) // an extra wake is harmless
		net.step(b, core.Input{Kind: core.InputWake})
	}
	// Output:
	// a: ready a@1 alive 10.0.0.1:7946
	// b: ready b@1 alive 10.0.0.2:7946
	// a: joined b@1 alive 10.0.0.2:7946
	// b: joined a@1 alive 10.0.0.1:7946
	// b: join done: 1 reached, ok
}

type (
	member struct {
		name string
		addr netip.AddrPort
		node *core.Node
	}
	end struct { // of a link
		of   *member
		link core.Link
	}
	delivery struct {
		to *member
		in core.Input
	}
	network struct {
		now     core.Instant
		members []*member
		queue   []delivery
		conns   map[end]end
	}
)

func (n *network) member(name, addr string, seeds ...string) *member {
	config := swim.LAN()
	config.Name, config.Addr, config.Seeds = name, netip.MustParseAddrPort(addr), seeds
	node, err := stack.New(stack.Config{Seed: [32]byte{name[0]}, Swim: config, Dialect: cbor.New(cbor.Config{})})
	if err != nil {
		panic(err)
	}
	m := &member{name, config.Addr, node}
	n.members = append(n.members, m)
	n.put(m, core.Input{Kind: core.InputWake})
	return m
}

func (n *network) put(to *member, in core.Input) { n.queue = append(n.queue, delivery{to, in}) }

func (n *network) at(addr netip.AddrPort) *member {
	for _, m := range n.members {
		if m.addr == addr {
			return m
		}
	}
	return nil
}

// step is the whole host.
func (n *network) step(m *member, in core.Input) {
	m.node.Step(n.now, in)
	for e, ok := m.node.Next(); ok; e, ok = m.node.Next() {
		data := append([]byte(nil), e.Data...) // ours until the next Step; the queue needs it longer
		switch e.Kind {
		case core.EffectSend:
			n.put(n.at(e.To), core.Input{Kind: core.InputDatagram, From: m.addr, Data: data})
		case core.EffectDial:
			here, there := end{m, e.Link}, end{n.at(e.To), core.Accepted(uint64(e.Link))}
			n.conns[here], n.conns[there] = there, here
			n.put(there.of, core.Input{Kind: core.InputUp, Link: there.link, From: m.addr})
			n.put(m, core.Input{Kind: core.InputUp, Link: e.Link, From: e.To})
		case core.EffectWrite:
			there := n.conns[end{m, e.Link}]
			n.put(there.of, core.Input{Kind: core.InputRead, Link: there.link, Data: data})
			n.put(m, core.Input{Kind: core.InputFlushed, Link: e.Link, Size: len(data)})
		case core.EffectClose:
			there := n.conns[end{m, e.Link}]
			n.put(there.of, core.Input{Kind: core.InputDown, Link: there.link, Fault: core.FaultClosed})
		case core.EffectResolve: // addresses only, no names
			addr := netip.MustParseAddrPort(e.Name)
			n.put(m, core.Input{Kind: core.InputResolved, Token: e.Token, Addrs: []netip.AddrPort{addr}})
		case core.EffectAppend, core.EffectCompact: // no journal: as good as stored
			n.put(m, core.Input{Kind: core.InputStored, Token: e.Token})
		case core.EffectEmit:
			text, _ := e.Event.AppendText(nil)
			fmt.Printf("%s: %s\n", m.name, text)
		}
	}
}
