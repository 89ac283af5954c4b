package check

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/nekton-go/nekton/core"
)

// Stored is one record, or snapshot, that a member asked its journal to keep; or, with no data, that a recovery
// mended what the machine stored before.
type Stored struct {
	Proto    core.Proto
	Snapshot bool // it replaces what the same machine stored before
	Mended   bool // what recovery found, which follows, does
	Data     []byte
	Durable  bool // the member was told that it is
}

// Recovery is what a starting process found in its journal.
type Recovery struct {
	Asked    []Stored // what earlier processes asked for, oldest first, as far as the journal may still hold it
	Doubtful bool     // the disk broke its word: what was durable may be gone
	Got      []core.Input
	Again    []core.Input // what recovery finds that is interrupted, and begins again
}

// Recovered says what a starting process of member i found in its journal.
func (c *Checker) Recovered(at core.Instant, i int, r Recovery) {
	c.log.pause(at)
	if r.Doubtful {
		c.Amnesia(i)
	}
	for p, used := range r.machines() {
		if !used {
			continue
		}
		got := slices.DeleteFunc(slices.Clone(r.Got), func(in core.Input) bool { return int(in.Proto) != p })
		known, lost := r.compare(core.Proto(p), got)
		if !known {
			c.violate(i, -1, journalPrefix, "recovery found "+list(got), "what the first of its stores add up to")
		} else if lost != nil {
			c.violate(i, -1, journalDurable, "recovery found "+list(got), "also "+text(*lost)+", which was durable")
		}
	}
	if !slices.EqualFunc(r.Got, r.Again, Same) {
		c.violate(i, -1, recoveryRepeats, "interrupted, and begun again, recovery found "+list(r.Again), list(r.Got))
	}
}

// machines says which have stored something, or found something.
func (r *Recovery) machines() (used [256]bool) {
	for i := range r.Asked {
		used[r.Asked[i].Proto] = true
	}
	for i := range r.Got {
		used[r.Got[i].Proto] = true
	}
	return used
}

// compare reports whether what was found for one machine is what some first part of its stores adds up to, and
// the newest durable store that is missing then.
func (r *Recovery) compare(p core.Proto, got []core.Input) (known bool, lost *core.Input) {
	known = len(got) == 0
	var sum []core.Input // of what was asked for so far
	for _, s := range r.Asked {
		if s.Proto != p {
			continue
		}
		in := core.Input{Kind: core.InputReplay, Proto: p, Data: s.Data}
		if s.Snapshot {
			in.Kind = core.InputRestore
		}
		if s.Snapshot || s.Mended {
			sum = sum[:0]
		}
		if !s.Mended {
			sum = append(sum, in)
		}
		switch {
		case slices.EqualFunc(sum, got, Same):
			known, lost = true, nil
		case s.Durable && !r.Doubtful:
			lost = &in
		}
	}
	return known, lost
}

// Same reports whether two inputs bring the same record.
func Same(a, b core.Input) bool {
	return a.Kind == b.Kind && a.Proto == b.Proto && bytes.Equal(a.Data, b.Data)
}

func text(in core.Input) string {
	kind := "record"
	if in.Kind == core.InputRestore {
		kind = "snapshot"
	}
	return fmt.Sprintf("%s %d:%x", kind, in.Proto, in.Data)
}

func list(inputs []core.Input) string {
	if len(inputs) == 0 {
		return "nothing"
	}
	var b []byte
	for i, in := range inputs {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(b, text(in)...)
	}
	return string(b)
}
