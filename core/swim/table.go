package swim

import (
	"bytes"
	"net/netip"
	"time"

	"github.com/nekton-go/nekton/core"
)

// An ID is a member's place in a Table. Places are reused: Row.Generation tells the tenants apart.
type ID uint32

// A Row is what changes often about a member. It takes 16 bytes.
type Row struct {
	Incarnation uint32
	State       State
	Used        bool   // false: nobody lives here
	Generation  uint16 // grows whenever the place gets a new tenant
	Since       core.Instant
}

// An Identity is what seldom changes about a member.
type Identity struct {
	Name     string
	Addr     netip.AddrPort
	Meta     []byte
	Versions Versions
}

// describes reports whether a record gives the member this address, metadata and versions.
func (who *Identity) describes(r *Record) bool {
	return who.Addr == r.Addr && who.Versions == r.Versions && bytes.Equal(who.Meta, r.Meta)
}

// A Table holds one member's view of all. The default is dense; a simulator may share what its nodes
// have in common. It keeps no memory of its callers: what it keeps of an Identity's Meta it copies.
type Table interface {
	// Find returns the place of the member of that name.
	Find(name string) (ID, bool)
	// Add gives a new member a place, with a Row that is Used and otherwise zero.
	Add(who Identity) ID
	// Remove forgets a member.
	Remove(id ID)
	// Bound is above every ID in use.
	Bound() int
	// Row and Identity lend what is known of a member until the table next changes. They are never nil: a free place
	// below Bound, which never shrinks, has no Name, and a Row that is not Used but keeps its Generation. Nobody
	// writes to either, nor, ever, to Meta, which may be kept.
	Row(id ID) *Row
	Identity(id ID) *Identity
	SetRow(id ID, r Row)
	SetIdentity(id ID, who Identity) // Name stays the same
	// All describes all members, in the order of their places. The list is the table's own: it may be written
	// anew the next time anything is asked of a table that shares memory with it.
	All() []Record
	// RTT is how long the last answer to a probe took; 0 is unknown.
	RTT(id ID) time.Duration
	SetRTT(id ID, rtt time.Duration)
}

// dense is a Table of slices and an index.
type dense struct {
	rows []Row
	who  []Identity
	rtts []time.Duration
	all  []Record // scratch
	free []ID
	ids  map[string]ID // looked up, never iterated
}

// NewTable returns an empty table for one member: what it gets unless Config.Table is another.
func NewTable() Table { return &dense{ids: map[string]ID{}} }

func (d *dense) Find(name string) (ID, bool) {
	id, ok := d.ids[name]
	return id, ok
}

func (d *dense) Add(who Identity) ID {
	var id ID
	if n := len(d.free); n > 0 {
		id, d.free = d.free[n-1], d.free[:n-1]
	} else {
		id = ID(len(d.rows))
		d.rows, d.who, d.rtts = append(d.rows, Row{}), append(d.who, Identity{}), append(d.rtts, 0)
	}
	d.rows[id] = Row{Used: true, Generation: d.rows[id].Generation + 1}
	d.SetIdentity(id, who)
	d.ids[who.Name] = id
	return id
}

func (d *dense) Remove(id ID) {
	delete(d.ids, d.who[id].Name)
	d.rows[id], d.who[id], d.rtts[id] = Row{Generation: d.rows[id].Generation}, Identity{}, 0
	d.free = append(d.free, id)
}

func (d *dense) SetIdentity(id ID, who Identity) {
	if old := d.who[id].Meta; bytes.Equal(old, who.Meta) {
		who.Meta = old
	} else {
		who.Meta = bytes.Clone(who.Meta)
	}
	d.who[id] = who
}

// recordsKept is how many records a table keeps room for between one list of all and the next. In a large
// cluster they would be larger than all else that it keeps.
const recordsKept = 256

func (d *dense) All() []Record {
	all, n := d.all[:0], len(d.rows)-len(d.free)
	if cap(all) < n {
		all = make([]Record, 0, n)
	}
	for id := range d.rows {
		if row := &d.rows[id]; row.Used {
			all = append(all, Describe(row, &d.who[id]))
		}
	}
	if n <= recordsKept {
		d.all = all
	}
	return all
}

func (d *dense) Bound() int                      { return len(d.rows) }
func (d *dense) Row(id ID) *Row                  { return &d.rows[id] }
func (d *dense) SetRow(id ID, r Row)             { d.rows[id] = r }
func (d *dense) Identity(id ID) *Identity        { return &d.who[id] }
func (d *dense) RTT(id ID) time.Duration         { return d.rtts[id] }
func (d *dense) SetRTT(id ID, rtt time.Duration) { d.rtts[id] = rtt }
