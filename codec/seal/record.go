package seal

import (
	"encoding/binary"
	"slices"
)

// A record is a length of four bytes, big-endian, and that many sealed bytes, at most recordMax and
// their tag. Its place in its direction of its link is its nonce: it opens nowhere else.
const (
	recordMax  = 1 << 16
	lengthSize = 4
)

// introduce starts our direction of l with a header, and derives its key.
func (n *Node) introduce(l *link) {
	l.mine.begun = true
	switch l.mode {
	case modeLabelled:
		n.arena = n.appendLabel(n.arena)
	case modeSealed:
		n.links.numbers++
		l.mine.session, l.mine.number = n.config.Session, n.links.numbers
		purpose, answers := forAcceptor, &l.peer
		if !l.id.Accepted() {
			l.key = n.ring.primary
			purpose, answers = forDialer, nil
		}
		l.mine.aead = l.key.aead(n.root(l.key, &l.mine.session), purpose, linkContext(&l.mine, answers), n.config.Label)
		h := header{versionLink, n.header.label, l.key.hint, l.mine.session, l.mine.number}
		n.arena = h.append(n.arena)
	}
}

// sealRecords appends data to the arena, in as many records as it takes.
func (n *Node) sealRecords(e *end, data []byte) {
	for len(data) > 0 {
		size := min(len(data), recordMax)
		n.arena = slices.Grow(n.arena, lengthSize+size+tagSize)
		n.arena = binary.BigEndian.AppendUint32(n.arena, uint32(size+tagSize))
		e.records++
		n.stats.Sealed++
		n.arena = e.aead.Seal(n.arena, n.nonce.set(e.records), data[:size], nil)
		data = data[size:]
	}
}

// cutRecord returns the sealed bytes of the record at the front of b, or none if it is not there whole. It
// reports false if there can be no such record.
func (n *Node) cutRecord(b []byte) (sealed []byte, ok bool) {
	if len(b) < lengthSize {
		return nil, true
	}
	size := binary.BigEndian.Uint32(b)
	if size <= tagSize || size > recordMax+tagSize {
		n.stats.Malformed++
		return nil, false
	}
	if b = b[lengthSize:]; uint32(len(b)) < size {
		return nil, true
	}
	return b[:size], true
}

// openRecord opens the record at the front of b into n.plain, and returns its size: 0 if it is not there
// whole. It reports false if it can not be.
func (n *Node) openRecord(e *end, b []byte) (size int, ok bool) {
	sealed, ok := n.cutRecord(b)
	if !ok || sealed == nil {
		return 0, ok
	}
	plain, err := e.aead.Open(n.plain, n.nonce.set(e.records+1), sealed, nil)
	if err != nil {
		n.stats.BadSeal++
		return 0, false
	}
	e.records++
	n.stats.Opened++
	n.plain = plain
	return lengthSize + len(sealed), true
}

// begin reads the header of the peer's direction of l. It reports false if the link must end, and leaves
// peer.begun false while too little has arrived. An accepted link takes the mode its peer speaks.
func (n *Node) begin(l *link, data []byte) (used int, ok bool) {
	if len(data) == 0 {
		return 0, true
	}
	m, accepted := l.mode, l.id.Accepted()
	if accepted {
		m = spoken(data[0])
	}
	switch m {
	case modePlain:
		if accepted && !n.config.AcceptPlain {
			n.stats.Malformed++
			return 0, false
		}
		return 0, n.beginPlain(l, m)
	case modeLabelled:
		if used, ok = n.checkHeader(data, versionLabel, labelHeaderSize); used == 0 {
			return 0, ok
		}
		if accepted && !n.acceptsLabelled() {
			n.stats.BadSeal++
			return 0, false
		}
		return used, n.beginPlain(l, m)
	}
	switch used, ok = n.checkHeader(data, versionLink, headerSize); {
	case used == 0:
		return 0, ok
	case accepted:
		return n.beginAccepted(l, data)
	}
	return n.beginDialed(l, data)
}

// spoken is the mode that a peer's first byte announces.
func spoken(first byte) mode {
	switch first {
	case versionLabel:
		return modeLabelled
	case versionLink:
		return modeSealed
	}
	return modePlain
}

// checkHeader returns the size of the header at the front of data, or 0 if it is not there whole. It
// reports false if it can not be, or has another label than ours.
func (n *Node) checkHeader(data []byte, version byte, size int) (used int, ok bool) {
	switch {
	case data[0] != version:
		n.stats.BadSeal++
		return 0, false
	case len(data) < size:
		return 0, true
	case labelTag(data[1:labelHeaderSize]) != n.header.label:
		n.stats.BadLabel++
		return 0, false
	}
	return size, true
}

func (n *Node) beginPlain(l *link, m mode) bool {
	n.stats.Plain++
	l.mode, l.peer.begun = m, true
	return true
}

// beginAccepted reads the header of a peer that dialed us, with its first record: only that says which
// key it has. A header seen before is refused.
func (n *Node) beginAccepted(l *link, data []byte) (used int, ok bool) {
	record, ok := n.cutRecord(data[headerSize:])
	if !ok || record == nil {
		return 0, ok
	}
	h := &n.incoming
	h.parse(data)
	from := n.senders.known[h.session]
	if h.number == 0 || from != nil && !from.links.fresh(h.number) {
		n.stats.Replayed++
		return 0, false
	}
	peer := end{session: h.session, number: h.number}
	for _, k := range n.ring.keys {
		if k.hint != h.hint {
			continue
		}
		peer.aead = k.aead(n.root(k, &h.session), forDialer, linkContext(&peer, nil), n.config.Label)
		plain, err := peer.aead.Open(n.plain, n.nonce.set(1), record, nil)
		if err != nil {
			continue
		}
		if from == nil {
			from = n.senders.add(h.session)
		}
		n.senders.heard(from)
		from.links.mark(h.number)
		n.stats.Opened++
		n.plain = plain
		peer.records, peer.begun = 1, true
		l.mode, l.key, l.peer = modeSealed, k, peer
		return headerSize + lengthSize + len(record), true
	}
	n.stats.BadSeal++
	return 0, false
}

// beginDialed reads the header of the answer. Its key is bound to the link we dialed, so that no other
// answer opens.
func (n *Node) beginDialed(l *link, data []byte) (used int, ok bool) {
	h := &n.incoming
	h.parse(data)
	if l.key == nil || h.hint != l.key.hint { // unasked, or under a key we did not use
		n.stats.BadSeal++
		return 0, false
	}
	l.peer = end{session: h.session, number: h.number, begun: true}
	l.peer.aead = l.key.aead(n.root(l.key, &h.session), forAcceptor, linkContext(&l.peer, &l.mine), n.config.Label)
	return headerSize, true
}
