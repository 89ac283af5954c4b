package seal

import (
	"crypto/cipher"
	"encoding/binary"

	"github.com/nekton-go/nekton/core"
)

// A mode is how a link is protected.
type mode uint8

const (
	modeUnknown  mode = iota // accepted, and the peer has not spoken
	modePlain                // the bytes are the inner node's
	modeLabelled             // a label in each direction, then the bytes
	modeSealed               // a header in each direction, then records
)

// links are the connections of the inner node, by its own names for them.
type links struct {
	open     map[core.Link]*link // looked up, never iterated
	accepted int
	numbers  uint64      // given to our side of sealed links
	broken   []core.Link // which the inner node does not know of yet
}

type link struct {
	id      core.Link
	mode    mode
	key     *key   // both directions' keys come from it
	mine    end    // this side
	peer    end    // the other side, once it has spoken
	partial []byte // a header or record that has not arrived whole
	flights []flight
	flushed int // bytes of flights[0] the host has given back
}

// An end is one direction of a link, named by who writes it.
type end struct {
	session [SessionSize]byte
	number  uint64
	aead    cipher.AEAD // nil before the first record
	records uint64
	begun   bool // its header has passed
}

// A flight is one write on its way: its size outside and inside.
type flight struct{ sealed, plain int }

// mode is how the links we dial are protected.
func (n *Node) mode() mode {
	switch {
	case n.config.SendPlain:
		return modePlain
	case n.ring.primary == nil:
		return modeLabelled
	}
	return modeSealed
}

func (ls *links) drop(id core.Link) {
	if ls.open[id] != nil && id.Accepted() {
		ls.accepted--
	}
	delete(ls.open, id)
}

// linkInput turns what the host says about a link into what the inner node is to hear, and reports
// whether that is anything.
func (n *Node) linkInput(now core.Instant, in *core.Input) bool {
	l := n.links.open[in.Link]
	switch {
	case in.Kind == core.InputUp && l == nil && in.Link.Accepted():
		return n.accept(in.Link)
	case l == nil:
		return false // it crossed a Close on the way
	case in.Kind == core.InputRead:
		return n.read(now, l, in)
	case in.Kind == core.InputFlushed:
		in.Size = l.landed(in.Size)
		return in.Size > 0
	case in.Kind == core.InputDown:
		n.links.drop(in.Link)
	}
	return true
}

func (n *Node) accept(id core.Link) bool {
	if n.links.accepted >= n.config.LinksMax {
		n.stats.LinksRefused++
		n.out = append(n.out, core.Effect{Kind: core.EffectClose, Link: id})
		return false
	}
	n.links.accepted++
	n.links.open[id] = &link{id: id}
	return true
}

// landed turns flushed bytes of the host's into the bytes of the writes they complete.
func (l *link) landed(size int) (plain int) {
	l.flushed += size
	for len(l.flights) > 0 && l.flushed >= l.flights[0].sealed {
		l.flushed -= l.flights[0].sealed
		plain += l.flights[0].plain
		l.flights = l.flights[1:]
	}
	return plain
}

// refuse ends a link. The inner node hears of it at the end of the step.
func (n *Node) refuse(l *link) {
	n.stats.LinksRefused++
	n.links.drop(l.id)
	n.links.broken = append(n.links.broken, l.id)
	n.out = append(n.out, core.Effect{Kind: core.EffectClose, Link: l.id})
}

// mourn tells the inner node of links we ended. What it does then may end more.
func (n *Node) mourn(now core.Instant) {
	for i := 0; i < len(n.links.broken); i++ {
		n.step(now, &core.Input{Kind: core.InputDown, Link: n.links.broken[i], Fault: core.FaultRefused})
	}
	n.links.broken = n.links.broken[:0]
}

// partialKept bounds the buffer that the next link gets on which something has not arrived whole, in bytes.
const partialKept = 64 << 10

// read opens what has arrived on l, and leaves in.Data what the inner node is to read. It reports false
// if that is nothing yet. If the link breaks, the inner node reads what came before that first.
func (n *Node) read(now core.Instant, l *link, in *core.Input) bool {
	data := in.Data
	if len(l.partial) > 0 {
		l.partial = append(l.partial, data...)
		data = l.partial
	}
	n.plain = n.plain[:0]
	used, ok := n.open(l, data)
	switch rest := data[used:]; {
	case len(rest) > 0:
		if l.partial == nil {
			l.partial, n.partial = n.partial, nil
		}
		l.partial = append(l.partial[:0], rest...)
	case l.partial != nil: // idle links hold no buffers
		if cap(l.partial) <= partialKept {
			n.partial = l.partial[:0]
		}
		l.partial = nil
	}
	in.Data = n.plain
	if ok {
		return len(in.Data) > 0
	}
	if len(in.Data) > 0 {
		n.step(now, in)
	}
	if n.links.open[l.id] == l { // the inner node may have hung up
		n.refuse(l)
	}
	return false
}

// open appends to n.plain what the front of data says, and returns how many bytes that took. It
// reports false if the link must end.
func (n *Node) open(l *link, data []byte) (used int, ok bool) {
	if !l.peer.begun {
		if used, ok = n.begin(l, data); !ok || !l.peer.begun {
			return used, ok
		}
	}
	if l.mode != modeSealed {
		n.plain = append(n.plain, data[used:]...)
		return len(data), true
	}
	for {
		size, ok := n.openRecord(&l.peer, data[used:])
		if size == 0 || !ok {
			return used, ok
		}
		used += size
	}
}

// write returns data as it leaves on the link, or false if there is no such link any more.
func (n *Node) write(id core.Link, data []byte) ([]byte, bool) {
	l := n.links.open[id]
	if l == nil {
		return nil, false
	}
	if l.mode == modeUnknown {
		n.refuse(l) // who dials speaks first: we do not know the key yet
		return nil, false
	}
	start := len(n.arena)
	if !l.mine.begun {
		n.introduce(l)
	}
	if l.mode == modeSealed {
		n.sealRecords(&l.mine, data)
	} else {
		n.arena = append(n.arena, data...)
	}
	sealed := n.arena[start:len(n.arena):len(n.arena)]
	l.flights = append(l.flights, flight{len(sealed), len(data)})
	return sealed, true
}

// linkContext is what the keys of a link are bound to beyond the writer's session: the writer's number
// and, on the accepting side, whom it answers.
func linkContext(writer, answers *end) string {
	b := binary.BigEndian.AppendUint64(nil, writer.number)
	if answers != nil {
		b = append(b, answers.session[:]...)
		b = binary.BigEndian.AppendUint64(b, answers.number)
	}
	return string(b)
}
