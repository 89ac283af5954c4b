package swim

import (
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
	Meta     []byte // replaced, never written to
	Versions Versions
	RTT      time.Duration // of the last answer to a probe; 0 is unknown
}

// A Table holds one member's view of all. The default is dense; a simulator may share what its nodes
// have in common.
type Table interface {
	// Find returns the place of the member of that name.
	Find(name string) (ID, bool)
	// Add gives a new member a place, with a Row that is Used and otherwise zero.
	Add(who Identity) ID
	// Remove forgets a member.
	Remove(id ID)
	// Bound is above every ID in use.
	Bound() int
	Row(id ID) Row
	SetRow(id ID, r Row)
	Identity(id ID) Identity
	SetIdentity(id ID, who Identity) // Name stays the same
}

// dense is a Table of two slices and an index.
type dense struct {
	rows []Row
	who  []Identity
	free []ID
	ids  map[string]ID // looked up, never iterated
}

func newDense() *dense { return &dense{ids: map[string]ID{}} }

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
		d.rows, d.who = append(d.rows, Row{}), append(d.who, Identity{})
	}
	d.rows[id] = Row{Used: true, Generation: d.rows[id].Generation + 1}
	d.who[id] = who
	d.ids[who.Name] = id
	return id
}

func (d *dense) Remove(id ID) {
	delete(d.ids, d.who[id].Name)
	d.who[id] = Identity{}
	d.rows[id] = Row{Generation: d.rows[id].Generation}
	d.free = append(d.free, id)
}

func (d *dense) Bound() int                      { return len(d.rows) }
func (d *dense) Row(id ID) Row                   { return d.rows[id] }
func (d *dense) SetRow(id ID, r Row)             { d.rows[id] = r }
func (d *dense) Identity(id ID) Identity         { return d.who[id] }
func (d *dense) SetIdentity(id ID, who Identity) { d.who[id] = who }
