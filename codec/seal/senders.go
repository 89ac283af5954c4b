package seal

import "crypto/cipher"

// A sender is one run of one peer: what of it has been seen, and the key it seals datagrams with. Only
// what opened makes or changes one.
type sender struct {
	session          [SessionSize]byte
	datagrams, links window
	opener
	newer, older *sender
}

// An opener opens datagrams of one session.
type opener struct {
	key  *key // that the rest was derived from; nil if that was removed
	root root
	aead cipher.AEAD
}

// senders are those heard last, at most max of them.
type senders struct {
	known       map[[SessionSize]byte]*sender // looked up, never iterated
	recent      sender                        // the ring's anchor: older is the newest sender, newer the oldest
	max, window int
}

func newSenders(max, window int) *senders {
	s := &senders{known: map[[SessionSize]byte]*sender{}, max: max, window: window}
	s.recent.newer, s.recent.older = &s.recent, &s.recent
	return s
}

// add makes room for a session that is not known, and returns its sender, the most recent one.
func (s *senders) add(session [SessionSize]byte) *sender {
	if len(s.known) >= s.max {
		oldest := s.recent.newer
		oldest.unlink()
		delete(s.known, oldest.session)
	}
	x := &sender{session: session, datagrams: newWindow(s.window), links: newWindow(s.window)}
	s.known[session] = x
	s.link(x)
	return x
}

// heard makes x the most recent sender.
func (s *senders) heard(x *sender) {
	if x != s.recent.older {
		x.unlink()
		s.link(x)
	}
}

func (s *senders) link(x *sender) {
	x.newer, x.older = &s.recent, s.recent.older
	x.newer.older, x.older.newer = x, x
}

func (x *sender) unlink() { x.newer.older, x.older.newer = x.older, x.newer }

// forget drops what was derived from a removed key. What was seen stays seen.
func (s *senders) forget(k *key) {
	for x := s.recent.older; x != &s.recent; x = x.older {
		if x.key == k {
			x.opener = opener{}
		}
	}
}
