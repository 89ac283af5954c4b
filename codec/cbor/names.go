package cbor

import "encoding/binary"

// names remembers strings so that reading a known one allocates nothing. When it is full it forgets
// everything: whoever floods it with made-up names costs one allocation per name, and no memory.
type names struct {
	known map[string]int32 // where they are in all
	all   []name
	max   int
	last  int32 // where in all the last one of a list is, or one that was added since
	// recent are those found last, by their length and last bytes: names mostly differ there.
	recent [256]recentName
}

type name struct {
	text string
	next int32 // who came after it in a list: members list each other in much the same order
}

type recentName struct {
	text string
	at   int32 // in all
}

// find returns the known name that is b, which is not empty, or "".
func (n *names) find(b []byte) string {
	recent := &n.recent[slot(b)]
	if string(b) != recent.text {
		k, ok := n.known[string(b)]
		if !ok {
			return ""
		}
		*recent = recentName{n.all[k].text, k}
	}
	return recent.text
}

// findNext is find for a name that follows another in a list.
func (n *names) findNext(b []byte) string {
	if len(n.all) == 0 {
		return ""
	}
	before := &n.all[n.last]
	if next := n.all[before.next].text; string(b) == next {
		n.last = before.next
		return next
	}
	s := n.find(b)
	if s != "" {
		n.last = n.recent[slot(b)].at
		before.next = n.last
	}
	return s
}

// slot is where b may be among the recent names.
func slot(b []byte) uint8 {
	if len(b) < 4 {
		return b[len(b)-1]
	}
	return uint8(binary.LittleEndian.Uint32(b[len(b)-4:])*0x9e3779b1>>24) + uint8(len(b))
}

func (n *names) add(b []byte) string {
	if n.known == nil || len(n.known) >= n.max {
		n.known, n.all = map[string]int32{}, nil
		clear(n.recent[:])
	}
	s := string(b)
	n.last = int32(len(n.all))
	n.known[s] = n.last
	n.all = append(n.all, name{text: s})
	return s
}
