package swim

import (
	"slices"

	"github.com/nekton-go/nekton/core"
)

// Tombstones. A member that is dead or has left is remembered for Config.TombstoneTime, so that old news
// does not bring it back.

// tombs are the graves in the order they were dug. A grave whose tenant has come back, or is forgotten, is
// passed over.
type tombs struct {
	graves []grave
}

type grave struct {
	id         ID
	generation uint16
	since      core.Instant
}

func (ts *tombs) add(id ID, r *Row) {
	if n := len(ts.graves); n > 0 && ts.graves[n-1] == (grave{id, r.Generation, r.Since}) {
		return
	}
	ts.graves = append(ts.graves, grave{id, r.Generation, r.Since})
}

// oldest returns the first grave that still has its tenant.
func (m *Machine) oldest() (grave, bool) {
	for ; len(m.tombs.graves) > 0; m.tombs.graves = m.tombs.graves[1:] {
		if g := m.tombs.graves[0]; m.lies(g) {
			return g, true
		}
	}
	return grave{}, false
}

func (m *Machine) lies(g grave) bool {
	row := m.table.Row(g.id)
	return row.Used && row.State.Gone() && row.Generation == g.generation && row.Since == g.since
}

// reap forgets the members whose time is over. It runs between passes of the prober.
func (m *Machine) reap(t *core.Turn) {
	for g, ok := m.oldest(); ok && m.now.Sub(g.since) >= m.cfg.TombstoneTime; g, ok = m.oldest() {
		m.forget(t, g.id)
	}
	if len(m.tombs.graves) > 64+2*(m.counts[Dead]+m.counts[Left]) { // members that come and go leave empty ones
		m.tombs.graves = slices.DeleteFunc(m.tombs.graves, func(g grave) bool { return !m.lies(g) })
	}
}

// makeRoom forgets the member that has been gone longest, if there is one.
func (m *Machine) makeRoom(t *core.Turn) bool {
	g, ok := m.oldest()
	if ok {
		m.forget(t, g.id)
	}
	return ok
}

// forget removes a row.
func (m *Machine) forget(t *core.Turn, id ID) {
	old := m.record(id)
	if m.prober.running && m.prober.target == id {
		m.endProbe(t, 0)
	}
	m.acquit(id)
	m.queue.Cancel(m.key(id))
	delete(m.quarrels, id)
	m.counts[old.State]--
	m.table.Remove(id)
	if m.cfg.Transitions {
		t.Emit(&Transition{Name: old.Name, Known: true, Old: old, Gone: true, Cause: CauseReap})
	}
	t.Emit(&Reaped{old.Name})
}
