package core

import (
	"net/netip"
	"slices"
)

// links are a node's connections. A dialed link belongs to the machine that dialed it; an accepted one
// to the machine its first message is for, which then hears InputUp and the message.
type links struct {
	open     map[Link]*link // looked up, never iterated
	accepted int
	reading  *link         // whose bytes are being cut into messages
	deliver  func(Message) // receiveFrame, bound once
	mute     []muteLink    // accepted links without a first message, oldest first; at most AcceptedMax
}

type link struct {
	id       Link
	mount    int // -1: accepted and not yet claimed
	peer     netip.AddrPort
	up       bool
	inflight int    // bytes written and not yet flushed
	partial  []byte // a message that has not arrived whole
	reader   FrameReader
}

type muteLink struct {
	id    Link
	until Instant
}

func (n *Node) dial(mount uint8, to netip.AddrPort) Link {
	n.tokens++
	id := Link(uint64(mount)<<mountShift | n.tokens)
	n.links.open[id] = n.newLink(id, int(mount), to)
	e := n.put(EffectDial, mount)
	e.Link, e.To = id, to
	return id
}

func (n *Node) newLink(id Link, mount int, peer netip.AddrPort) *link {
	return &link{id: id, mount: mount, peer: peer, reader: n.dialect.NewFrameReader()}
}

func (n *Node) write(mount uint8, id Link, m Message) Fault {
	l := n.links.open[id]
	if l == nil || !l.up || l.mount != int(mount) {
		return FaultClosed
	}
	if l.inflight >= n.config.LinkWindow {
		return FaultBusy // before the work of encoding
	}
	start := len(n.arena)
	arena, err := n.dialect.AppendFrame(n.arena, m)
	if err != nil {
		if f, ok := err.(Fault); ok {
			return f
		}
		return FaultInvalid
	}
	size := len(arena) - start
	if l.inflight > 0 && l.inflight+size > n.config.LinkWindow {
		return FaultBusy
	}
	n.arena = arena
	l.inflight += size
	e := n.put(EffectWrite, mount)
	e.Link, e.Data = id, arena[start:len(arena):len(arena)]
	return FaultNone
}

func (n *Node) close(mount uint8, id Link) {
	if l := n.links.open[id]; l != nil && l.mount == int(mount) {
		n.links.drop(n, l)
		n.put(EffectClose, mount).Link = id
	}
}

// input handles what hosts say about links; n.in is the input.
func (ls *links) input(n *Node) {
	in := n.in
	l := ls.open[in.Link]
	switch {
	case in.Kind == InputUp && l == nil && in.Link.Accepted():
		ls.accept(n, in)
	case l == nil:
		n.stats.Unroutable++ // it crossed our Close on the way
	case in.Kind == InputUp && l.up:
		panic("core: the host says twice that a link is up")
	case in.Kind == InputUp:
		l.up = true
		n.in.From = l.peer
		n.handle(l.mount)
	case in.Kind == InputRead:
		ls.read(n, l, in.Data)
	case in.Kind == InputFlushed:
		l.inflight = max(0, l.inflight-in.Size)
		if l.mount >= 0 {
			n.handle(l.mount)
		}
	case in.Kind == InputDown:
		ls.drop(n, l)
		if l.mount >= 0 {
			n.handle(l.mount)
		}
	}
}

func (ls *links) accept(n *Node, in Input) {
	if ls.accepted >= n.config.AcceptedMax {
		n.stats.LinksRefused++
		n.put(EffectClose, 0).Link = in.Link
		return
	}
	l := n.newLink(in.Link, -1, in.From)
	l.up = true
	ls.accepted++
	ls.open[in.Link] = l
	ls.mute = append(ls.mute, muteLink{in.Link, n.now.Add(n.config.AcceptedIdle)})
}

// read cuts l's bytes into messages. Whole messages are read where they lie; only a tail is copied.
func (ls *links) read(n *Node, l *link, data []byte) {
	if len(l.partial) > 0 {
		l.partial = append(l.partial, data...)
		data = l.partial
	}
	ls.reading = l
	used, err := l.reader.ReadFrames(data, ls.deliver)
	if ls.open[l.id] != l {
		return // a machine hung up while reading
	}
	switch rest := data[used:]; {
	case err != nil || len(rest) > n.config.FrameMax:
		n.stats.LinksBad++
		ls.fail(n, l, FaultInvalid)
	case len(rest) == 0:
		n.recycle(l) // idle links hold no buffers
	case used > 0 || len(l.partial) == 0:
		if l.partial == nil {
			l.partial, n.partial = n.partial, nil
		}
		l.partial = append(l.partial[:0], rest...)
	}
}

// partialKept bounds the buffer that the next link with a partial message gets, in bytes.
const partialKept = 1 << 20

func (s *Scratch) recycle(l *link) {
	if l.partial != nil && cap(l.partial) <= partialKept {
		s.partial = l.partial[:0]
	}
	l.partial = nil
}

// receiveFrame delivers one message of the link that is being read, after claiming it for the machine it is for.
func (n *Node) receiveFrame(m Message) {
	ls, l := &n.links, n.links.reading
	if ls.open[l.id] != l {
		return
	}
	i := n.mountOf(m.Proto())
	if i < 0 || l.mount >= 0 && l.mount != i {
		n.stats.Unroutable++
		ls.fail(n, l, FaultInvalid)
		return
	}
	at := n.in.At
	if l.mount < 0 {
		ls.unmute(l.id)
		l.mount = i
		n.in = Input{Kind: InputUp, At: at, Link: l.id, From: l.peer}
		n.handle(i)
		if ls.open[l.id] != l {
			return
		}
	}
	n.stats.Messages++
	n.in = Input{Kind: InputMessage, At: at, Link: l.id, From: l.peer, Message: m}
	n.handle(i)
}

// fail ends a link for the peer's fault and tells its machine.
func (ls *links) fail(n *Node, l *link, f Fault) {
	ls.drop(n, l)
	n.put(EffectClose, 0).Link = l.id
	if l.mount >= 0 {
		n.in = Input{Kind: InputDown, At: n.in.At, Link: l.id, From: l.peer, Fault: f}
		n.handle(l.mount)
	}
}

func (ls *links) drop(n *Node, l *link) {
	delete(ls.open, l.id)
	n.recycle(l)
	if l.id.Accepted() {
		ls.accepted--
		ls.unmute(l.id)
	}
}

func (ls *links) unmute(id Link) {
	ls.mute = slices.DeleteFunc(ls.mute, func(m muteLink) bool { return m.id == id })
}

// expire closes accepted links that have said nothing for too long.
func (ls *links) expire(n *Node, due Instant) {
	for len(ls.mute) > 0 && ls.mute[0].until <= due {
		n.stats.LinksIdle++
		ls.fail(n, ls.open[ls.mute[0].id], FaultTimeout)
	}
}

func (ls *links) deadline() Instant {
	if len(ls.mute) == 0 {
		return Never
	}
	return ls.mute[0].until
}
