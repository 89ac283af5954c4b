package swim

import (
	"bytes"
	"encoding/binary"
	"net/netip"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/gossip"
	"github.com/nekton-go/nekton/internal/mutant"
)

// What a member says about itself. Its incarnation only grows, also across restarts: before an
// incarnation is announced, one at least as high is in the journal. Reservations are made ahead, so a
// refutation waits for the disk only when an accusation jumps further than they reach.

// reserveAhead is how many incarnations one journal record reserves.
const reserveAhead = 64

// incarnationEpoch is 2024-01-01 in seconds since 1970. Without a journal, a member that knows the wall
// clock starts from the seconds since then: more than it can have announced in its life before.
const incarnationEpoch = 1704067200

// begin starts the member: it has heard all there is to restore.
func (m *Machine) begin(t *core.Turn) {
	m.begun = true
	first := uint32(1)
	if id, known := m.table.Find(m.cfg.Name); known {
		first = m.resume(id)
	}
	if m.cfg.Fidelity == Memberlist {
		m.reserved = incarnationMax // HashiCorp's members remember nothing: no journal
		m.raise(t, first)
		return
	}
	first = max(first, m.reserved+1) // what an earlier life may have announced
	if m.wall > 0 {
		sinceEpoch := m.wall/1e9 - incarnationEpoch
		first = max(first, uint32(min(max(sinceEpoch, 0), incarnationMax/2)))
	}
	m.raise(t, min(first, incarnationMax))
}

// raise sets this member's incarnation, with the metadata it then has, as soon as that is durable.
func (m *Machine) raise(t *core.Turn, to uint32) {
	to = min(to, incarnationMax)
	if m.running && to <= m.incarnation() {
		return
	}
	m.wanted = max(m.wanted, to)
	if m.wanted > m.reserved && m.reserving == 0 {
		m.reserveTo = uint32(min(uint64(m.wanted)+reserveAhead, incarnationMax))
		m.reserving = t.Append(binary.BigEndian.AppendUint32([]byte{journalReserve}, m.reserveTo))
	}
	if m.wanted <= m.reserved {
		m.assume(t)
	}
}

// stored continues what waited for a reservation. A journal that cannot be written stops nothing: the
// incarnation then starts over in the next life, and others' memories have to be refuted. But a journal that has
// missed something takes nothing more until it gets a snapshot, so there will be one, changes or not.
func (m *Machine) stored(t *core.Turn, in *core.Input) {
	if in.Fault != core.FaultNone {
		m.snapshotAt = m.changes - 1
	}
	if m.reserving == 0 || in.Token < m.reserving {
		return
	}
	m.reserving = 0
	m.reserved = max(m.reserved, m.reserveTo)
	if m.wanted > m.incarnation() {
		m.raise(t, m.wanted)
	}
}

// assume announces this member at the wanted incarnation.
func (m *Machine) assume(t *core.Turn) {
	if !m.running {
		m.enter(t)
		return
	}
	if m.leaving {
		return
	}
	old := m.record(m.self)
	m.table.SetIdentity(m.self, m.identity())
	m.set(t, m.self, Alive, m.wanted, old, CauseSelf)
	if !bytes.Equal(old.Meta, m.meta) {
		t.Emit(&Updated{Member: m.member(m.self), Old: old})
	}
	m.spread(t, m.self, m.news(m.self), m.ticket())
	m.settleIfAlone(t)
}

// enter makes this member part of its own table and starts the clocks, each at its own random phase so that
// members started together do not act together.
func (m *Machine) enter(t *core.Turn) {
	m.running = true
	m.adopt()
	old := Record{}
	if id, known := m.table.Find(m.cfg.Name); known {
		m.self, old = id, m.record(id)
		m.acquit(id)
	} else {
		m.self = m.add(m.identity())
	}
	if m.wanted > old.Incarnation { // or the others know
		m.table.SetIdentity(m.self, m.identity())
		m.set(t, m.self, Alive, m.wanted, old, CauseSelf)
		m.spread(t, m.self, m.news(m.self), 0)
	}
	m.startClocks(t)
	if m.cfg.Mutant == mutant.Canary {
		m.set(t, m.self, Suspect, m.wanted, m.record(m.self), CauseSelf)
	}
	ready := &Ready{Self: m.member(m.self)}
	if m.rows() > 1 {
		ready.Known = m.each
	}
	t.Emit(ready)
	m.joinAtStart(t)
	m.answerEarly(t)
	for _, c := range m.early {
		m.command(t, c)
	}
	m.early = nil
}

// identity is this member's own.
func (m *Machine) identity() Identity {
	return Identity{Name: m.cfg.Name, Addr: m.cfg.Addr, Meta: m.meta, Versions: m.cfg.Versions}
}

// incarnation is this member's own.
func (m *Machine) incarnation() uint32 {
	if !m.running {
		return 0
	}
	return m.table.Row(m.self).Incarnation
}

// refute answers an accusation by being alive at a higher incarnation (SWIM §4.2).
func (m *Machine) refute(t *core.Turn, accused uint32) {
	if m.leaving || accused < m.incarnation() || accused >= incarnationMax {
		return
	}
	if accused < m.wanted && m.wanted > m.incarnation() {
		return // already on its way
	}
	m.counters.Refutations++
	m.feel(t, +1)
	m.raise(t, accused+1-uint32(m.bug(mutant.MissRefutation)))
}

// hearOfSelf handles a claim that this member is alive. It is ours, or it is what an earlier life of
// ours announced, or somebody else uses our name.
func (m *Machine) hearOfSelf(t *core.Turn, r *Record) {
	me := m.record(m.self)
	if m.leaving || r.Incarnation < me.Incarnation || r.Incarnation <= m.wanted && m.wanted > me.Incarnation {
		return
	}
	if r.Addr != me.Addr {
		m.counters.Conflicts++
		if m.rival != r.Addr {
			m.rival = r.Addr
			t.Emit(&Conflict{Name: r.Name, Existing: me.Addr, Other: r.Addr})
		}
		if m.cfg.Fidelity == Memberlist || m.now < m.rivalUntil {
			return // two members of one name must not outbid each other for ever
		}
		_, longest := m.cfg.suspicionBounds(m.members())
		m.rivalUntil = m.now.Add(longest)
	} else if r.Incarnation == me.Incarnation && m.table.Identity(m.self).describes(r) {
		return
	}
	m.raise(t, r.Incarnation+1)
}

// answerAccuser sends our record straight back to whoever brought an accusation that we have outlived,
// besides spreading it.
func (m *Machine) answerAccuser(t *core.Turn, to netip.AddrPort, accused string, incarnation uint32) {
	if m.cfg.Fidelity == Improved && accused == m.cfg.Name && !m.leaving &&
		m.incarnation() > incarnation && m.mayAnswer() {
		t.Send(to, m.news(m.self))
	}
}

// spread queues news about a member, in place of older news about it.
func (m *Machine) spread(t *core.Turn, id ID, msg core.Message, ticket gossip.Ticket) {
	encoded, err := t.Encode(m.scratch[:0], msg)
	if err != nil {
		m.counters.Invalid++
		return
	}
	if m.scratch = encoded; m.cfg.Mutant == mutant.Babble {
		encoded = append(encoded, 0x82, 0x18, 0x7f, 0) // a message of a type that nobody knows
	}
	m.queue.Put(m.key(id), ticket, encoded)
}

// news announces a member, until another is announced.
func (m *Machine) news(id ID) *Announce {
	m.alive.Record = m.record(id)
	return &m.alive
}

// key groups the broadcasts about one tenant of one place in the table.
func (m *Machine) key(id ID) gossip.Key {
	return gossip.Key(uint64(m.table.Row(id).Generation)<<32 | uint64(id)<<1 | 1)
}
