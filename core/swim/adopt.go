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
	var suspects []ID
	for id := range ID(m.table.Bound()) {
		row := m.table.Row(id)
		if !row.Used {
			continue
		}
		m.counts[row.State]++
		m.changes++
		switch {
		case row.State == Suspect:
			suspects = append(suspects, id)
		case row.State.Gone():
			m.tombs.add(id, row)
		}
	}
	for _, id := range suspects {
		m.suspect(id, m.cfg.Name, nil)
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
