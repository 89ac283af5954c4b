package check

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/internal/mix"
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
		if known != nil && !known.vague && known.identity != c.identity {
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
	{incarnationKept, func(c *Checker, o, s int, r *row, t *swim.Transition) string {
		highest := c.members[s].highest
		if o != s || r.known || t.New.Incarnation > highest || c.members[o].swim.Fidelity == swim.Memberlist {
			return ""
		}
		return fmt.Sprintf("an incarnation above %d, which an earlier life announced", highest)
	}},
	{refutationHigher, func(c *Checker, o, s int, r *row, t *swim.Transition) string {
		accused := c.members[s].accused
		if o != s || !r.known || t.Gone || t.New.State != swim.Alive || t.New.Incarnation > accused {
			return ""
		}
		return fmt.Sprintf("an incarnation above %d, at which it stands accused", accused)
	}},
	{addressBound, func(c *Checker, o, s int, r *row, t *swim.Transition) string {
		free := r.state == swim.Left || r.state == swim.Dead && c.members[o].swim.Fidelity == swim.Improved
		if !r.known || t.Gone || t.Old.Addr == t.New.Addr || free && o != s {
			return ""
		}
		return "the address it has, until it is dead or has left"
	}},
	{accusedUnheard, func(c *Checker, o, s int, _ *row, t *swim.Transition) string {
		p := &c.members[o].prober
		switch {
		case t.Cause != swim.CauseProbe || c.config.Dialect == nil:
		case !p.running || int(p.target) != s:
			return "a probe of it, before that"
		case p.answered:
			return "no accusation: it answered the probe"
		}
		return ""
	}},
}

// transition checks one change of one row against every rule, then folds it.
func (c *Checker) transition(o int, t *swim.Transition) {
	s := c.subject(o, t.Name)
	if s < 0 {
		return
	}
	c.identity = identity(&t.New)
	r := c.edit(o, s)
	for i := range rules {
		if why := rules[i].breach(c, o, s, r, t); why != "" {
			text, _ := t.AppendText(nil)
			c.violate(o, s, rules[i].oracle, string(text), why)
		}
	}
	c.coverage.transition(t, o == s)
	c.follow(o, s, r, t)
	c.fold(o, s, t)
	c.members[o].recent.add(&c.log, s)
	c.touched = append(c.touched, int32(s))
	if o == s {
		c.recountSubject(s)
	} else {
		c.compare(o, s)
	}
}

// fold makes a row what a transition says.
func (c *Checker) fold(o, s int, t *swim.Transition) {
	m, r := &c.members[o], c.edit(o, s)
	if r.known {
		m.states[r.state&3]--
	}
	if r.known = !t.Gone; r.known {
		r.state, r.incarnation, r.identity = t.New.State, t.New.Incarnation, c.identity
		m.states[r.state&3]++
	}
	if o != s || t.Gone {
		return
	}
	c.enters(s)
	c.announces(s, &t.New, c.identity)
}

// enters notes that a member is in its own table from now on.
func (c *Checker) enters(i int) {
	if m := &c.members[i]; !m.entered {
		m.entered = true
		m.prober.by = c.now.Add(m.swim.ProbeInterval)
	}
}

// announces notes what a member says about itself.
func (c *Checker) announces(i int, r *swim.Record, identity uint64) {
	m := &c.members[i]
	if m.addr.IsValid() && m.addr != r.Addr {
		m.moved, c.moves = true, true
	}
	if m.addr != r.Addr {
		m.addr, m.here = r.Addr, m.here[:0]
	}
	if !slices.Contains(m.here, identity) {
		m.here = append(m.here, identity)
	}
	if r.State == swim.Alive && !m.forgetful { // who leaves may do so at another's word
		m.highest = max(m.highest, r.Incarnation)
	}
	m.issue(r.Incarnation, identity)
	c.recordMax = max(c.recordMax, recordSize+len(r.Meta))
}

// follow tells the oracles of traffic what changes; r is the row before.
func (c *Checker) follow(o, s int, r *row, t *swim.Transition) {
	m := &c.members[o]
	if m.recent.lately(s, c.log.at.Add(-m.swim.GossipInterval)) {
		c.coverage.hit(markReplaced)
	}
	m.load.grant(m.limit)
	if !t.Gone && t.New.State.Gone() {
		m.load.grant(1) // whoever claimed its name is told that it is free
		c.traffic.spares++
	}
	c.busy(o)
	was, is := r.known && !r.state.Gone(), !t.Gone && !t.New.State.Gone()
	if was != is || r.known == t.Gone {
		m.prober.unsettle()
		c.traffic.unsettled = true
	}
	if o == s || c.config.Dialect == nil {
		return
	}
	before, after := r.known && r.state == swim.Suspect, !t.Gone && t.New.State == swim.Suspect
	if before && after && (t.New.Incarnation == r.incarnation || m.swim.Fidelity == swim.Memberlist) {
		return // an accusation at a higher incarnation is another
	}
	if before {
		c.decided(o, s, t.Cause)
	}
	if after {
		c.suspected(o, s, t.New.Addr)
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
		m.issued = append(m.issued, issue{incarnation: incarnation, identity: identity, vague: m.forgetful})
	}
}

// identity is a hash of what belongs to one incarnation of a member.
func identity(r *swim.Record) uint64 {
	addr, v := r.Addr.Addr().As16(), r.Versions
	rest := [8]byte{v.ProtocolMin, v.ProtocolMax, v.Protocol, v.AppMin, v.AppMax, v.App}
	h := mix.Uint64(binary.LittleEndian.Uint64(addr[:8]))
	h = mix.Uint64(h ^ binary.LittleEndian.Uint64(addr[8:]))
	h = mix.Uint64(h ^ uint64(r.Addr.Port())<<48 ^ binary.LittleEndian.Uint64(rest[:]))
	h = mix.Uint64(h ^ uint64(len(r.Meta)))
	meta := r.Meta
	for ; len(meta) >= 8; meta = meta[8:] {
		h = mix.Uint64(h ^ binary.LittleEndian.Uint64(meta))
	}
	rest = [8]byte{}
	copy(rest[:], meta)
	return mix.Uint64(h ^ binary.LittleEndian.Uint64(rest[:]))
}
