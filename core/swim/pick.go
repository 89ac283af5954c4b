package swim

import (
	"slices"

	"github.com/nekton-go/nekton/core"
)

// aliveOther reports whether somebody else lives there, and is alive.
func (m *Machine) aliveOther(id ID, row *Row) bool { return id != m.self && row.State == Alive }

// pick chooses up to k members at random, every eligible one equally likely, and appends them to dst.
// It finds them whenever they exist, however few of the table they are.
func (m *Machine) pick(t *core.Turn, dst []ID, k int, eligible func(ID, *Row) bool) []ID {
	bound := m.table.Bound()
	start := len(dst)
	if bound > 16*k { // enough to expect luck
		for range 4 * k {
			if len(dst)-start == k {
				return dst
			}
			id := ID(t.Rand().IntN(bound))
			if row := m.table.Row(id); row.Used && eligible(id, row) && !slices.Contains(dst[start:], id) {
				dst = append(dst, id)
			}
		}
		if len(dst)-start == k {
			return dst
		}
		dst = dst[:start]
	}
	seen := 0 // reservoir sampling over all
	for id := range ID(bound) {
		if row := m.table.Row(id); !row.Used || !eligible(id, row) {
			continue
		}
		if seen++; len(dst)-start < k {
			dst = append(dst, id)
		} else if at := t.Rand().IntN(seen); at < k {
			dst[start+at] = id
		}
	}
	return dst
}
