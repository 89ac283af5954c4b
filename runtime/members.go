package runtime

import (
	"bytes"
	"slices"
	"strings"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
)

// view is membership as told by the events so far.
type view struct {
	seq     uint64 // of the last event folded in
	self    string
	members map[string]swim.Member
}

func newView() view { return view{members: map[string]swim.Member{}} }

// fold takes in one event and reports whether it was the first swim.Ready.
func (v *view) fold(e core.Event) (ready bool) {
	v.seq++
	switch e := e.(type) {
	case *swim.Ready:
		ready = v.self == ""
		v.self = e.Self.Name
		v.put(e.Self)
		if e.Known != nil {
			for m := range e.Known {
				v.put(m)
			}
		}
	case *swim.Joined:
		v.put(e.Member)
	case *swim.Updated:
		v.put(e.Member)
	case *swim.Suspected:
		v.put(e.Member)
	case *swim.Refuted:
		v.put(e.Member)
	case *swim.Failed:
		v.put(e.Member)
	case *swim.Departed:
		v.put(e.Member)
	case *swim.Reaped:
		delete(v.members, e.Name)
	}
	return ready
}

func (v *view) put(m swim.Member) { v.members[m.Name] = m }

// sorted returns copies of all members, by name.
func (v *view) sorted() []swim.Member {
	all := make([]swim.Member, 0, len(v.members))
	for _, m := range v.members {
		all = append(all, clone(m))
	}
	slices.SortFunc(all, func(a, b swim.Member) int { return strings.Compare(a.Name, b.Name) })
	return all
}

func clone(m swim.Member) swim.Member {
	m.Meta = bytes.Clone(m.Meta)
	return m
}

// Members returns every member this node knows, itself and the dead and left included, by name.
// They are copies. It keeps answering, with the last state, once the cluster is closed.
func (c *Cluster) Members() []swim.Member {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.view.sorted()
}

// Member returns a copy of one member.
func (c *Cluster) Member(name string) (m swim.Member, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m, ok = c.view.members[name]
	return clone(m), ok
}

// Self returns this node's own member.
func (c *Cluster) Self() swim.Member {
	c.mu.Lock()
	defer c.mu.Unlock()
	return clone(c.view.members[c.view.self])
}
