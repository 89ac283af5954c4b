package swim

import "bytes"

// A table that was filled beforehand is adopted: a member that starts again from a view it saved, or was given,
// knows the others at once. It need not join, and nobody need tell it of everyone.

// resume is the incarnation to go on at: the one this member has in such a table if nothing has changed about
// it since, or else the next.
func (m *Machine) resume(id ID) uint32 {
	r := m.record(id)
	same := r.State == Alive && r.Addr == m.cfg.Addr && r.Versions == m.cfg.Versions && bytes.Equal(r.Meta, m.meta)
	if same && r.Incarnation > 0 {
		return r.Incarnation
	}
	return r.Incarnation + 1
}

// adopt takes over the others: whoever is suspect is so from now on, and graves are in no order.
func (m *Machine) adopt() {
	all := m.table.All()
	for i := range all {
		m.counts[all[i].State]++
	}
	m.changes = uint64(len(all)) // for a snapshot to come
	if m.counts[Alive] == len(all) {
		return
	}
	for i := range all {
		switch id, _ := m.table.Find(all[i].Name); all[i].State {
		case Alive:
		case Suspect:
			m.suspect(id, m.cfg.Name, nil)
		default:
			m.tombs.add(id, m.table.Row(id))
		}
	}
}

// each lists the members in the table but for this one.
func (m *Machine) each(yield func(Member) bool) {
	for id := range ID(m.table.Bound()) {
		if id != m.self && m.table.Row(id).Used && !yield(m.member(id)) {
			return
		}
	}
}
