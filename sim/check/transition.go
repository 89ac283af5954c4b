package check

import (
	"fmt"

	"github.com/nekton-go/nekton/core/swim"
)

// A rule says what a transition of one row should have been, or nothing if it is sound. r is the row before it.
type rule struct {
	oracle oracle
	breach func(c *Checker, observer, subject int, r *row, t *swim.Transition) string
}

// rules hold for every change of every row. Each looks at one change and at the harness's ledger.
var rules = []rule{
	{transitionsChain, func(_ *Checker, _, _ int, r *row, t *swim.Transition) string {
		// Or a change happened unseen, and all other rules are blind.
		same := r.known == t.Known && (!t.Known || r.state == t.Old.State && r.incarnation == t.Old.Incarnation)
		if same {
			return ""
		}
		return "it begins at " + r.text()
	}},
	{incarnationMonotone, func(_ *Checker, _, _ int, r *row, t *swim.Transition) string {
		if !r.known || t.Gone || t.New.Incarnation >= r.incarnation {
			return ""
		}
		return fmt.Sprintf("an incarnation of at least %d, or the removal of the row", r.incarnation)
	}},
	{noResurrection, func(_ *Checker, _, _ int, r *row, t *swim.Transition) string {
		risen := r.known && !t.Gone && r.state.Gone() && t.New.State == swim.Alive
		moved := r.state == swim.Left && t.Old.Addr != t.New.Addr
		if !risen || moved || t.New.Incarnation > r.incarnation {
			return ""
		}
		return fmt.Sprintf("an incarnation above %d", r.incarnation)
	}},
	{legalTransitions, func(_ *Checker, _, _ int, r *row, t *swim.Transition) string {
		newer := t.New.Incarnation > r.incarnation
		switch {
		case !r.known || t.Gone:
		case t.New.State == swim.Suspect && (r.state == swim.Left || r.state == swim.Dead && !newer):
			return "only an Alive may follow"
		case r.state == swim.Left && t.New.State == swim.Dead && !newer:
			return "who has left does not fail"
		}
		return ""
	}},
	{issuedIncarnations, func(c *Checker, o, s int, _ *row, t *swim.Transition) string {
		if t.Gone || o == s || c.members[s].find(t.New.Incarnation) != nil {
			return ""
		}
		return fmt.Sprintf("an incarnation that %s announced; %d is none", Name(s), t.New.Incarnation)
	}},
	{oneIdentity, func(c *Checker, _, s int, _ *row, t *swim.Transition) string {
		if t.Gone || t.New.State != swim.Alive {
			return "" // an accusation names an incarnation the accused may not have described yet
		}
		known := c.members[s].find(t.New.Incarnation)
		if known != nil && !known.vague && known.identity != identity(&t.New) {
			return fmt.Sprintf("not addr %v, meta %q, versions %v: incarnation %d was announced with others",
				t.New.Addr, t.New.Meta, t.New.Versions, t.New.Incarnation)
		}
		return ""
	}},
	{noSelfDoubt, func(c *Checker, o, s int, _ *row, t *swim.Transition) string {
		left := t.New.State == swim.Left && c.members[s].leaving
		if o != s || !t.Gone && (t.New.State == swim.Alive || left) {
			return ""
		}
		return "it runs, and it knows: alive, or left if it was told to leave"
	}},
}

// transition checks one change of one row against every rule, then folds it.
func (c *Checker) transition(o int, t *swim.Transition) {
	s := c.subject(o, t.Name)
	if s < 0 {
		return
	}
	r := c.views[o].Edit(s)
	for i := range rules {
		if why := rules[i].breach(c, o, s, r, t); why != "" {
			text, _ := t.AppendText(nil)
			c.violate(o, s, rules[i].oracle, string(text), why)
		}
	}
	if o == s && !t.Gone {
		c.members[s].issue(t.New.Incarnation, identity(&t.New))
	}
	states := &c.members[o].states
	if r.known {
		states[r.state&3]--
	}
	r.known = !t.Gone
	if r.known {
		r.state, r.incarnation, r.identity = t.New.State, t.New.Incarnation, identity(&t.New)
		states[r.state&3]++
	}
	c.touched = append(c.touched, int32(s))
	if o == s {
		c.recountSubject(s)
	} else {
		c.compare(o, s)
	}
}

func (m *member) find(incarnation uint32) *issue {
	for i := len(m.issued) - 1; i >= 0; i-- { // the newest is asked for most
		if m.issued[i].incarnation == incarnation {
			return &m.issued[i]
		}
	}
	return nil
}

func (m *member) issue(incarnation uint32, identity uint64) {
	if m.find(incarnation) == nil {
		m.issued = append(m.issued, issue{incarnation, identity, m.forgetful})
	}
}

// identity is the FNV-1a hash of what belongs to one incarnation of a member.
func identity(r *swim.Record) uint64 {
	h := uint64(0xcbf29ce484222325)
	add := func(b byte) { h = (h ^ uint64(b)) * 0x100000001b3 }
	addr := r.Addr.Addr().As16()
	for _, b := range addr {
		add(b)
	}
	add(byte(r.Addr.Port()))
	add(byte(r.Addr.Port() >> 8))
	v := r.Versions
	for _, b := range [...]byte{v.ProtocolMin, v.ProtocolMax, v.Protocol, v.AppMin, v.AppMax, v.App} {
		add(b)
	}
	for _, b := range r.Meta {
		add(b)
	}
	return h
}
