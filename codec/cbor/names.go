package cbor

// names remembers strings so that reading a known one allocates nothing. When it is full it forgets
// everything: whoever floods it with made-up names costs one allocation per name, and no memory.
type names struct {
	known  map[string]string
	max    int
	recent [256]string // those found last, by their length and last bytes: names mostly differ there
}

func (n *names) find(b []byte) (string, bool) {
	place := &n.recent[slot(b)]
	if string(b) == *place {
		return *place, true
	}
	s, ok := n.known[string(b)]
	if ok {
		*place = s
	}
	return s, ok
}

// slot is where a name that is not empty may be among the recent ones.
func slot(b []byte) uint8 {
	end := b[max(0, len(b)-3):]
	h := uint8(len(b))
	for _, c := range end {
		h = h*37 + c
	}
	return h
}

func (n *names) add(b []byte) string {
	if n.known == nil || len(n.known) >= n.max {
		n.known = map[string]string{}
	}
	s := string(b)
	n.known[s] = s
	return s
}
