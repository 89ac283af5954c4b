package swim

import (
	"slices"

	"github.com/nekton-go/nekton/core"
)

// aliveOther reports whether somebody else lives there, and is alive.
func (m *Machine) aliveOther(id ID, row *Row) bool { return id != m.self && row.State == Alive }

// pick chooses up to k members at random, every eligible one equally likely. It finds them whenever they
// exist, however few of the table they are. The list is good until the next pick.
func (m *Machine) pick(t *core.Turn, k int, eligible func(ID, *Row) bool) []ID {
	rng, bound, picked := t.Rand(), m.table.Bound(), m.chosen[:0]
	if bound > 16*k { // enough to expect luck
		for tries := 4 * k; tries > 0 && len(picked) < k; tries-- {
			id := ID(rng.IntN(bound))
			if row := m.table.Row(id); row.Used && eligible(id, row) && !slices.Contains(picked, id) {
				picked = append(picked, id)
			}
		}
		if m.chosen = picked; len(picked) == k {
			return picked
		}
		picked = picked[:0]
	}
	seen := 0 // reservoir sampling over all
	for id := range ID(bound) {
		if row := m.table.Row(id); !row.Used || !eligible(id, row) {
			continue
		}
		if seen++; len(picked) < k {
			picked = append(picked, id)
		} else if at := rng.IntN(seen); at < k {
			picked[at] = id
		}
	}
	m.chosen = picked
	return picked
}
