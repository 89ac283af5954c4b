// Package mutant names the bugs that can be switched on to test the checks of the simulator: a check that
// does not notice its mutant checks nothing. Each mutant is one line at its site, behind a comparison with
// swim.Config.Mutant, which the simulator also hands to journal.OpenMutant, and None changes nothing.
package mutant

import "fmt"

// ID is a mutant. It is written and read by name.
type ID uint8

// The mutants. Their order is free: what is kept holds names.
const (
	None   ID = iota
	Canary    // any check of anything must notice it at once
	AliveAtEqual
	MissRefutation
	TrustData
	SkipSync
	MendInPlace
	mutants
)

// A Mutant describes one.
type Mutant struct {
	ID     ID
	Name   string
	Doc    string
	Oracle string // the one of sim/check that must notice; others may, too
}

var table = [mutants]Mutant{
	None:   {Name: "none", Doc: "no bug at all"},
	Canary: {Name: "canary", Doc: "a member doubts itself as soon as it runs", Oracle: "S5a"},
	AliveAtEqual: {
		Name: "alive-at-equal", Oracle: "S2",
		Doc: "a dead member is alive again at the incarnation at which it died",
	},
	MissRefutation: {
		Name: "miss-refutation", Oracle: "L2",
		Doc: "who is accused answers with the incarnation it is accused at, not with the next",
	},
	TrustData: {
		Name: "trust-data", Oracle: "J1",
		Doc: "recovery does not compare the data of a record with its checksum",
	},
	SkipSync: {
		Name: "skip-sync", Oracle: "J2",
		Doc: "a record is durable as soon as it is written",
	},
	MendInPlace: {
		Name: "mend-in-place", Oracle: "J3",
		Doc: "a file that was cut short is emptied, and then written anew",
	},
}

// All returns every mutant but None.
func All() []Mutant {
	all := make([]Mutant, 0, mutants-1)
	for id := None + 1; id < mutants; id++ {
		m := table[id]
		m.ID = id
		all = append(all, m)
	}
	return all
}

// Valid reports whether there is such a mutant; None is one.
func (id ID) Valid() bool { return id < mutants }

// String names the mutant.
func (id ID) String() string {
	if id.Valid() {
		return table[id].Name
	}
	return fmt.Sprintf("mutant %d", uint8(id))
}

// Parse is the inverse of String. The empty name is None.
func Parse(name string) (ID, error) {
	if name == "" {
		return None, nil
	}
	for id := range table {
		if table[id].Name == name {
			return ID(id), nil
		}
	}
	return None, fmt.Errorf("no mutant is called %q; see package internal/mutant for their names", name)
}

// MarshalText implements encoding.TextMarshaler.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (id *ID) UnmarshalText(text []byte) (err error) {
	*id, err = Parse(string(text))
	return err
}
