package cbor

// names remembers strings so that reading a known one allocates nothing. When it is full it forgets
// everything: whoever floods it with made-up names costs one allocation per name, and no memory.
type names struct {
	known map[string]string
	max   int
	last  string // the one found last: a member is pinged by its own name all the time
}

func (n *names) find(b []byte) (string, bool) {
	if string(b) == n.last {
		return n.last, true
	}
	s, ok := n.known[string(b)]
	if ok {
		n.last = s
	}
	return s, ok
}

func (n *names) add(b []byte) string {
	if n.known == nil || len(n.known) >= n.max {
		n.known = map[string]string{}
	}
	s := string(b)
	n.known[s] = s
	return s
}
