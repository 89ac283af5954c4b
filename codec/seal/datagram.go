package seal

import "slices"

// sealDatagram appends data to the arena as it leaves and returns it.
func (n *Node) sealDatagram(data []byte) []byte {
	start := len(n.arena)
	switch {
	case n.config.SendPlain:
		n.arena = append(n.arena, data...)
	case n.ring.primary == nil:
		n.arena = n.appendLabel(n.arena)
		n.arena = append(n.arena, data...)
	default:
		n.counter++
		n.stats.Sealed++
		n.header.number = n.counter
		n.arena = n.header.append(slices.Grow(n.arena, headerSize+len(data)+tagSize))
		n.arena = n.aead.Seal(n.arena, n.nonce.set(n.counter), data, nil)
	}
	return n.arena[start:len(n.arena):len(n.arena)]
}

func (n *Node) appendLabel(b []byte) []byte {
	return append(append(b, versionLabel), n.header.label[:]...)
}

// openDatagram returns what a datagram says, or false if it is not for us. What is sealed opens into
// n.plain: the bytes of the datagram are only lent.
func (n *Node) openDatagram(b []byte) ([]byte, bool) {
	switch {
	case len(b) > 0 && b[0] == versionDatagram:
		return n.openSealed(b)
	case len(b) > 0 && b[0] == versionLabel:
		return n.openLabelled(b)
	case !n.config.AcceptPlain:
		n.stats.Malformed++
		return nil, false
	}
	n.stats.Plain++
	return b, true
}

func (n *Node) openLabelled(b []byte) ([]byte, bool) {
	switch {
	case len(b) < labelHeaderSize:
		n.stats.Malformed++
	case labelTag(b[1:labelHeaderSize]) != n.header.label:
		n.stats.BadLabel++
	case !n.acceptsLabelled():
		n.stats.BadSeal++
	default:
		n.stats.Plain++
		return b[labelHeaderSize:], true
	}
	return nil, false
}

// acceptsLabelled reports whether what has our label and no seal is welcome.
func (n *Node) acceptsLabelled() bool { return n.ring.primary == nil || n.config.AcceptPlain }

func (n *Node) openSealed(b []byte) ([]byte, bool) {
	if len(b) < headerSize+tagSize {
		n.stats.Malformed++
		return nil, false
	}
	h := &n.incoming
	h.parse(b)
	if h.label != n.header.label {
		n.stats.BadLabel++
		return nil, false
	}
	from := n.senders.known[h.session]
	// Nobody starts at 0, and ours can only come back from someone who echoes them.
	if h.number == 0 || h.session == n.config.Session || from != nil && !from.datagrams.fresh(h.number) {
		n.stats.Replayed++
		return nil, false
	}
	plain, with := n.tryKeys(h, from, b)
	if with.key == nil {
		n.stats.BadSeal++
		return nil, false
	}
	if from == nil {
		from = n.senders.add(h.session)
	}
	n.senders.heard(from)
	from.datagrams.mark(h.number)
	from.opener = with
	n.stats.Opened++
	return plain, true
}

// tryKeys opens b with the key its header hints at; hints of two keys may be equal. The header needs no seal
// of its own: session and label are in the derived key, the number is the nonce, and version, label tag and
// hint have to be those that belong to it.
func (n *Node) tryKeys(h *header, from *sender, b []byte) (plain []byte, with opener) {
	for _, k := range n.ring.keys {
		if k.hint != h.hint {
			continue
		}
		if from != nil && from.key == k {
			with = from.opener
		} else {
			with = opener{key: k, root: n.root(k, &h.session)}
			with.aead = k.aead(with.root, forDatagrams, "", n.config.Label)
		}
		plain, err := with.aead.Open(n.plain[:0], n.nonce.set(h.number), b[headerSize:], nil)
		if err == nil {
			n.plain = plain
			return plain, with
		}
	}
	return nil, opener{}
}
