package swim

import (
	"bytes"
	"net/netip"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/internal/mutant"
)

// The rules by which claims about members change the table (SWIM §4.2). A claim carries the
// incarnation it is about. Higher incarnations override lower ones; at the same incarnation, dead
// overrides suspect overrides alive. Only a member itself raises its incarnation.

// incarnationMax bounds what a claim may carry, so that a member can always refute above it.
const incarnationMax = 1<<31 - 1

// announce applies the claim that r.Name is alive.
func (m *Machine) announce(t *core.Turn, r *Record, cause Cause) {
	if !m.sound(r) {
		m.counters.Invalid++
		return
	}
	if r.Name == m.cfg.Name {
		m.hearOfSelf(t, r)
		return
	}
	id, known := m.table.Find(r.Name)
	if !known {
		m.welcome(t, r, cause)
		return
	}
	row, who := m.table.Row(id), m.table.Identity(id)
	moved := r.Addr != who.Addr
	if moved && !m.mayMove(t, id, row, who, r) {
		return
	}
	anyIncarnation := moved && row.State == Left && m.cfg.Fidelity == Memberlist ||
		m.cfg.Mutant == mutant.AliveAtEqual && row.State == Dead && r.Incarnation == row.Incarnation ||
		m.cfg.Mutant == mutant.AliveAtLower && row.State == Alive && r.Incarnation < row.Incarnation
	if r.Incarnation <= row.Incarnation && !anyIncarnation {
		if row.State != Alive || r.Incarnation == row.Incarnation && !who.describes(r) {
			m.answerStale(t, id, r)
		}
		return
	}
	same, old := who.describes(r), m.record(id)
	m.acquit(id)
	if m.cfg.Mutant == mutant.StaleMeta {
		r.Meta = old.Meta
	}
	m.table.SetIdentity(id, Identity{Name: old.Name, Addr: r.Addr, Meta: r.Meta, Versions: r.Versions})
	m.set(t, id, Alive, r.Incarnation, old, cause)
	m.spread(t, id, m.news(id), 0)
	switch {
	case old.State.Gone():
		t.Emit(&Joined{m.member(id)})
	case !same:
		if old.State == Suspect {
			t.Emit(&Refuted{m.member(id)})
		}
		t.Emit(&Updated{Member: m.member(id), Old: old})
	case old.State == Suspect:
		t.Emit(&Refuted{m.member(id)})
	}
}

// welcome adds a member nobody here knew.
func (m *Machine) welcome(t *core.Turn, r *Record, cause Cause) {
	ours, theirs := m.cfg.Versions, r.Versions
	understood := theirs.ProtocolMin <= ours.ProtocolMax && ours.ProtocolMin <= theirs.ProtocolMax
	if !understood || m.cfg.Admit != nil && !m.cfg.Admit(r) {
		m.counters.Refused++
		return
	}
	if m.rows() >= m.cfg.MembersMax && !m.makeRoom(t) {
		m.counters.MembersDropped++
		return
	}
	id := m.add(Identity{Name: r.Name, Addr: r.Addr, Meta: r.Meta, Versions: r.Versions})
	m.set(t, id, Alive, r.Incarnation, Record{}, cause)
	m.spread(t, id, m.news(id), 0)
	for range 1 + m.bug(mutant.DoubleJoined) {
		t.Emit(&Joined{m.member(id)})
	}
}

// add gives a new member a row. It counts as dead until it is set.
func (m *Machine) add(who Identity) ID {
	id := m.table.Add(who)
	row := *m.table.Row(id)
	row.State = Dead
	m.counts[Dead]++
	m.table.SetRow(id, row)
	return id
}

// mayMove says whether a known member may appear at another address. While its old address may still
// be alive it may not: then two members claim one name, and the older keeps it until a probe says
// otherwise.
func (m *Machine) mayMove(t *core.Turn, id ID, row *Row, who *Identity, r *Record) bool {
	admitted := m.cfg.Admit == nil || m.cfg.Admit(r)
	free := row.State == Left || row.State == Dead && m.cfg.Fidelity == Improved ||
		m.cfg.Mutant == mutant.MoveAlive
	if admitted && free {
		return true
	}
	if !admitted {
		m.counters.Refused++
		return false
	}
	m.counters.Conflicts++
	if q := m.quarrels[id]; q.rival != r.Addr && m.now >= q.quietUntil {
		m.quarrels[id] = quarrel{rival: r.Addr, quietUntil: m.now.Add(m.cfg.ProbeInterval)}
		t.Emit(&Conflict{Name: r.Name, Existing: who.Addr, Other: r.Addr})
	}
	if r.Incarnation > row.Incarnation && m.cfg.Fidelity == Improved {
		m.prober.outOfTurn(id, row.Generation) // is the old one still there?
	}
	return false
}

// A quarrel is about a name that somebody else claims.
type quarrel struct {
	rival      netip.AddrPort
	quietUntil core.Instant // no further Conflict event until then
}

// accuse applies the claim that a member is suspect. evidence is what our own probe found, or nil.
func (m *Machine) accuse(t *core.Turn, c *Accuse, cause Cause, evidence *Evidence) {
	id, known := m.table.Find(c.Node)
	if !known {
		return
	}
	row := m.table.Row(id)
	if c.Incarnation < row.Incarnation || c.Incarnation >= incarnationMax {
		return // outlived, or beyond refuting
	}
	s := m.suspicions[id]
	left := row.State == Left && m.cfg.Mutant == mutant.SuspectLeft
	again := s != nil && c.Incarnation > row.Incarnation && m.cfg.Fidelity == Improved
	switch {
	case again: // It has refuted what we suspect it of, unheard by us. This is news: it gets its time to refute it.
		m.acquit(id)
	case s != nil:
		if evidence != nil {
			s.evidence = *evidence
		}
		// A push/pull does not say whose word this is: it may be that of an accuser we have heard.
		hearsay := cause == CausePushPull && m.cfg.Fidelity == Improved
		if !hearsay && m.confirm(s, c.From) {
			m.spread(t, id, c, 0)
		}
		return
	case row.State != Alive && !left, m.cfg.Mutant == mutant.NeverSuspect:
		return
	case id == m.self:
		m.refute(t, c.Incarnation)
		return
	}
	m.counters.Suspicions++
	m.set(t, id, Suspect, c.Incarnation, m.record(id), cause)
	m.suspect(id, c.From, evidence)
	m.spread(t, id, c, 0)
	if !again {
		t.Emit(&Suspected{Member: m.member(id), From: c.From})
	}
}

// bury applies the claim that a member is dead, or, from the member itself, that it left.
func (m *Machine) bury(t *core.Turn, c *Bury, cause Cause) {
	id, known := m.table.Find(c.Node)
	if !known {
		return
	}
	row := m.table.Row(id)
	if c.Incarnation < row.Incarnation || c.Incarnation >= incarnationMax {
		return
	}
	if row.State.Gone() {
		if c.Incarnation > row.Incarnation && m.cfg.Fidelity == Improved && id != m.self {
			m.set(t, id, row.State, c.Incarnation, m.record(id), cause) // else "alive" at that one would revive it
		}
		return
	}
	if id == m.self {
		m.refute(t, c.Incarnation)
		return
	}
	evidence := m.testimony(id, c.From)
	rival, claimed := m.quarrels[id]
	m.acquit(id)
	state := Dead
	if c.From == c.Node {
		state = Left
	}
	m.set(t, id, state, c.Incarnation, m.record(id), cause)
	m.spread(t, id, c, 0)
	if claimed && m.cfg.Fidelity == Improved && m.mayAnswer() {
		t.Send(rival.rival, c) // the name is free: whoever claimed it refutes this and has it
	}
	if state == Left {
		t.Emit(&Departed{m.member(id)})
	} else if m.cfg.Mutant != mutant.DropFailed {
		t.Emit(&Failed{Member: m.member(id), Evidence: evidence})
	}
}

// merge applies what a push/pull says of one member. Another's verdict is only a suspicion here.
func (m *Machine) merge(t *core.Turn, r *Record) {
	switch r.State {
	case Alive:
		m.announce(t, r, CausePushPull)
	case Left:
		m.bury(t, &Bury{Node: r.Name, Incarnation: r.Incarnation, From: r.Name}, CausePushPull)
	case Suspect, Dead:
		m.claim = Accuse{Node: r.Name, Incarnation: r.Incarnation, From: m.cfg.Name}
		m.accuse(t, &m.claim, CausePushPull, nil)
	default:
		m.counters.Invalid++
	}
}

// answerStale tells a member that claims to be alive, at an incarnation we hold to be over or to be another's,
// that it has to refute. Without this a member that lost its incarnation in a restart, or comes back from the
// other side of a partition, may stay dead for those who remember it; and if it comes to announce an incarnation
// of an earlier life again, whoever heard that would keep to it.
func (m *Machine) answerStale(t *core.Turn, id ID, r *Record) {
	if m.cfg.Fidelity == Memberlist || !m.mayAnswer() {
		return
	}
	switch row := m.table.Row(id); row.State {
	case Alive:
		t.Send(r.Addr, m.news(id))
	case Suspect:
		t.Send(r.Addr, &Accuse{Node: r.Name, Incarnation: row.Incarnation, From: m.cfg.Name})
	case Left:
		t.Send(r.Addr, &Bury{Node: r.Name, Incarnation: row.Incarnation, From: r.Name})
	default:
		t.Send(r.Addr, &Bury{Node: r.Name, Incarnation: row.Incarnation, From: m.cfg.Name})
	}
}

// remind tells a member that announces itself at an incarnation below the one we hold it alive at what it
// announced in an earlier life, so that it can go on from there. Until then nobody would hear its news.
func (m *Machine) remind(t *core.Turn, r *Record) {
	id, known := m.table.Find(r.Name)
	if !known || m.cfg.Fidelity == Memberlist || id == m.self {
		return
	}
	if row := m.table.Row(id); row.State == Alive && r.Incarnation < row.Incarnation && m.mayAnswer() {
		t.Send(r.Addr, m.news(id))
	}
}

// mayAnswer bounds unasked answers to Config.AnswersMax in each ProbeInterval.
func (m *Machine) mayAnswer() bool {
	if m.now >= m.answersUntil {
		m.answers, m.answersUntil = 0, m.now.Add(m.cfg.ProbeInterval)
	}
	m.answers++
	return m.answers <= m.cfg.AnswersMax
}

// sound reports whether a record makes sense at all.
func (m *Machine) sound(r *Record) bool {
	return r.Name != "" && len(r.Name) <= nameMax && len(r.Meta) <= m.cfg.MetaMax &&
		r.Addr.IsValid() && r.Addr.Port() != 0 && !r.Addr.Addr().IsUnspecified() &&
		r.Incarnation <= incarnationMax && r.State < states && r.Versions.sound()
}

// set writes a row's state.
func (m *Machine) set(t *core.Turn, id ID, to State, incarnation uint32, old Record, cause Cause) {
	m.patrol.note(id)
	row := *m.table.Row(id)
	m.counts[row.State]--
	m.counts[to]++
	if row.State != to || old.Name == "" {
		row.State, row.Since = to, m.now
		m.changes++
		if to == Alive {
			delete(m.quarrels, id)
		}
		if to == Dead {
			m.lastDeath = m.now
		}
	}
	row.Incarnation = incarnation
	m.table.SetRow(id, row)
	if to.Gone() && id != m.self {
		m.tombs.add(id, &row)
	}
	if m.cfg.Transitions && !(m.cfg.Mutant == mutant.HideTransition && to == Dead) {
		r := m.record(id)
		t.Emit(&Transition{Name: r.Name, Known: old.Name != "", Old: old, New: r, Cause: cause})
	}
}

// record is a member as we would describe it to others. Its Meta is the table's own.
func (m *Machine) record(id ID) Record { return Describe(m.table.Row(id), m.table.Identity(id)) }

// Describe is a member as others are told of it.
func Describe(row *Row, who *Identity) Record {
	return Record{
		Name: who.Name, Addr: who.Addr, Incarnation: row.Incarnation, State: row.State,
		Meta: who.Meta, Versions: who.Versions,
	}
}

// member is a member as the application sees it.
func (m *Machine) member(id ID) Member {
	r := m.record(id)
	r.Meta = bytes.Clone(r.Meta)
	return Member{Record: r, Since: m.table.Row(id).Since}
}
