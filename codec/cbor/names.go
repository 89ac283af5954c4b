package cbor

// names remembers strings so that reading a known one allocates nothing. When it is full it forgets
// everything: whoever floods it with made-up names costs one allocation per name, and no memory.
type names struct {
	known map[string]int32 // where they are in all
	all   []name
	max   int
	last  int // the one found last
	// recent are those found last, by their length and last bytes: names mostly differ there.
	recent [256]int32
}

type name struct {
	text string
	next int32 // who came after it in a list: members list each other in much the same order
}

func (n *names) find(b []byte) (string, bool) {
	place := &n.recent[slot(b)]
	k := *place
	if int(k) >= len(n.all) || string(b) != n.all[k].text {
		var ok bool
		if k, ok = n.known[string(b)]; !ok {
			return "", false
		}
		*place = k
	}
	n.last = int(k)
	return n.all[k].text, true
}

// findNext is find for a name that follows the one found last in a list.
func (n *names) findNext(b []byte) (string, bool) {
	before := n.last
	if before < len(n.all) {
		if k := n.all[before].next; string(b) == n.all[k].text {
			n.last = int(k)
			return n.all[k].text, true
		}
	}
	s, ok := n.find(b)
	if ok && before < len(n.all) {
		n.all[before].next = int32(n.last)
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
		n.known, n.all = map[string]int32{}, nil
	}
	s := string(b)
	n.last = len(n.all)
	n.known[s] = int32(n.last)
	n.all = append(n.all, name{text: s})
	return s
}
