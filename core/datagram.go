package core

import "net/netip"

// part is one encoded message on its way into a datagram.
type part struct {
	to     netip.AddrPort
	data   []byte // empty: a datagram for gossip alone
	packed bool
}

// A Datagram is one that is about to leave, with room for gossip.
type Datagram struct {
	node *Node
	to   netip.AddrPort
	size int // bytes of the parts so far, without the dialect's overhead
}

// To is where it goes.
func (d *Datagram) To() netip.AddrPort { return d.to }

// Room is the size of the largest part that still fits; it may be negative.
func (d *Datagram) Room() int {
	n := d.node
	return n.config.MTU - d.size - n.dialect.Overhead(len(n.parts)+1)
}

// Add puts one encoded message in, or reports false if it does not fit. The bytes are copied before
// the step ends.
func (d *Datagram) Add(encoded []byte) bool {
	if len(encoded) > d.Room() {
		return false
	}
	d.node.parts = append(d.node.parts, encoded)
	d.size += len(encoded)
	return true
}

// send encodes m at once, so that the machine may reuse it.
func (n *Node) send(to netip.AddrPort, m Message) bool {
	start := len(n.arena)
	arena, err := n.dialect.AppendMessage(n.arena, m)
	if err != nil || len(arena)-start > n.config.MTU-n.dialect.Overhead(1) {
		n.stats.SendsTooLarge++
		return false
	}
	n.arena = arena
	n.sends = append(n.sends, part{to: to, data: arena[start:len(arena):len(arena)]})
	return true
}

// pack turns this step's messages into as few datagrams as fit, keeping the order of messages to any
// one address, and lets machines top each one up with gossip.
func (n *Node) pack() {
	for i := range n.sends {
		if !n.sends[i].packed {
			n.packFor(i)
		}
	}
}

// packFor builds the datagram whose first message is n.sends[i].
func (n *Node) packFor(i int) {
	first := &n.sends[i]
	first.packed = true
	d := &n.datagram
	d.node, d.to, d.size, n.parts = n, first.to, len(first.data), n.parts[:0]
	if len(first.data) > 0 {
		n.parts = append(n.parts, first.data) // it fits: send has seen to that
	}
	for j := i + 1; j < len(n.sends); j++ {
		s := &n.sends[j]
		if s.packed || s.to != d.to {
			continue
		}
		if len(s.data) > 0 && !d.Add(s.data) {
			break // later ones wait too, or they would overtake it
		}
		s.packed = true
	}
	for _, g := range n.gossips {
		g.Gossip(d)
	}
	if len(n.parts) == 0 {
		return
	}
	start := len(n.arena)
	n.arena = n.dialect.AppendDatagram(n.arena, n.parts)
	e := n.put(EffectSend, 0)
	e.To, e.Data = d.to, n.arena[start:len(n.arena):len(n.arena)]
}
