package cbor

// names remembers strings so that reading a known one allocates nothing. When it is full it forgets
// everything: whoever floods it with made-up names costs one allocation per name, and no memory.
type names struct {
	known map[string]string
	max   int
}

func (n *names) intern(b []byte) string {
	if s, ok := n.known[string(b)]; ok {
		return s
	}
	if n.known == nil || len(n.known) >= n.max {
		n.known = map[string]string{}
	}
	s := string(b)
	n.known[s] = s
	return s
}
