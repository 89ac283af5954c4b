package sim

import (
	"bytes"
	"slices"
	"time"

	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/sim/check"
	"github.com/nekton-go/nekton/sim/internal/pages"
)

// A directory is what the tables of one run have in common: the members' names as numbers, and everything that
// members ever were, each once.
type directory struct {
	nodes      int                   // n0 and so on are numbered as they are called
	strangers  map[string]int        // the numbers of all other names; looked up only
	identities []*swim.Identity      // the first is nobody's
	versions   pages.Array[[]uint32] // of identities, by number, oldest first
	numbers    pages.Array[int32]    // of the names of identities

	all    []swim.Record // what table.All returned last
	listed []listing     // what it is made of
}

func newDirectory(nodes int) *directory {
	return &directory{nodes: nodes, strangers: map[string]int{}, identities: []*swim.Identity{{}}}
}

// number returns the number of a name, or false if it never was anybody's.
func (d *directory) number(name string) (int, bool) {
	if i := check.Index(name); 0 <= i && i < d.nodes {
		return i, true
	}
	i, ok := d.strangers[name]
	return i, ok
}

// intern returns the number of an identity. It copies what it has not seen before.
func (d *directory) intern(who *swim.Identity) uint32 {
	number, known := d.number(who.Name)
	if !known {
		number = d.nodes + len(d.strangers)
		d.strangers[who.Name] = number
	}
	versions := d.versions.Edit(number)
	for _, k := range slices.Backward(*versions) { // the newest is seen most
		old := d.identities[k]
		if old.Addr == who.Addr && old.Versions == who.Versions && bytes.Equal(old.Meta, who.Meta) {
			return k
		}
	}
	kept := *who
	kept.Meta = bytes.Clone(who.Meta)
	k := uint32(len(d.identities))
	d.identities = append(d.identities, &kept)
	*versions = append(*versions, k)
	*d.numbers.Edit(int(k)) = int32(number)
	return k
}

// A table is a swim.Table that gives the answers of swim.NewTable, places and all, in a fraction of the memory.
type table struct {
	*directory
	rows   pages.Array[swim.Row]
	who    pages.Array[uint32]        // identities, by place
	places pages.Array[uint32]        // 1 + place, by number of the name
	rtts   pages.Array[time.Duration] // most members have not probed most others yet
	bound  int
	free   []swim.ID
}

var _ swim.Table = (*table)(nil)

func (d *directory) newTable() *table { return &table{directory: d} }

// clone returns a table with the same members, none of whom was ever removed.
func (t *table) clone() *table {
	return &table{
		directory: t.directory, rows: t.rows.Clone(), who: t.who.Clone(), places: t.places.Clone(),
		rtts: t.rtts.Clone(), bound: t.bound,
	}
}

// Find implements swim.Table.
func (t *table) Find(name string) (swim.ID, bool) {
	number, ok := t.number(name)
	if !ok {
		return 0, false
	}
	place := t.places.Get(number)
	return swim.ID(place - 1), place > 0
}

// Add implements swim.Table.
func (t *table) Add(who swim.Identity) swim.ID {
	var id swim.ID
	if n := len(t.free); n > 0 {
		id, t.free = t.free[n-1], t.free[:n-1]
	} else {
		id = swim.ID(t.bound)
		t.bound++
	}
	row := t.rows.Edit(int(id))
	*row = swim.Row{Used: true, Generation: row.Generation + 1}
	k := t.intern(&who)
	*t.who.Edit(int(id)) = k
	*t.places.Edit(int(*t.numbers.At(int(k)))) = uint32(id) + 1
	return id
}

// Remove implements swim.Table.
func (t *table) Remove(id swim.ID) {
	who := t.who.Edit(int(id))
	*t.places.Edit(int(*t.numbers.At(int(*who)))) = 0
	*who = 0
	row := t.rows.Edit(int(id))
	*row = swim.Row{Generation: row.Generation}
	t.SetRTT(id, 0)
	t.free = append(t.free, id)
}

// Bound implements swim.Table.
func (t *table) Bound() int { return t.bound }

// Row implements swim.Table.
func (t *table) Row(id swim.ID) *swim.Row { return t.rows.At(int(id)) }

// SetRow implements swim.Table.
func (t *table) SetRow(id swim.ID, r swim.Row) {
	if *t.rows.At(int(id)) != r {
		*t.rows.Edit(int(id)) = r
	}
}

// Identity implements swim.Table.
func (t *table) Identity(id swim.ID) *swim.Identity { return t.identities[*t.who.At(int(id))] }

// All implements swim.Table. The list lies where the last one of any table does: what the two have in common
// stays as it is.
func (t *table) All() []swim.Record {
	if cap(t.all) < t.bound {
		t.all, t.listed = make([]swim.Record, 0, t.bound), nil
	}
	all, listed := t.all[:0], t.listed[:0]
	for at := 0; at < t.bound; at += pages.Size {
		l := listing{rows: t.rows.Shared(at), who: t.who.Shared(at), from: len(all)}
		if k := len(listed); k < len(t.listed) {
			l.to = t.listed[k].to
			if l.rows != nil && l.who != nil && l == t.listed[k] {
				all, listed = all[:l.to], t.listed[:k+1]
				continue
			}
		}
		for id := at; id < min(at+pages.Size, t.bound); id++ {
			if row := t.rows.At(id); row.Used {
				all = append(all, swim.Describe(row, t.Identity(swim.ID(id))))
			}
		}
		l.to = len(all)
		listed = append(listed, l)
	}
	t.all, t.listed = all, listed
	return all
}

// A listing is which records of a list describe the members of one page of places.
type listing struct {
	rows, who any // that page, if it is shared
	from, to  int
}

// SetIdentity implements swim.Table.
func (t *table) SetIdentity(id swim.ID, who swim.Identity) {
	if k := t.intern(&who); *t.who.At(int(id)) != k {
		*t.who.Edit(int(id)) = k
	}
}

// RTT implements swim.Table.
func (t *table) RTT(id swim.ID) time.Duration { return t.rtts.Get(int(id)) }

// SetRTT implements swim.Table.
func (t *table) SetRTT(id swim.ID, rtt time.Duration) {
	if t.rtts.Get(int(id)) != rtt {
		*t.rtts.Edit(int(id)) = rtt
	}
}
