package sim

import (
	"bytes"
	"errors"
	"slices"
)

// disk is one member's, and a journal.Dir. What is done can be seen at once, but until it is synced it is only
// pending: what a crash makes of that depends on the faults in force.
type disk struct {
	diskFaults
	seed   uint64
	member uint64
	counts *Faults

	stable  []diskEntry // the names on the medium
	cached  []diskEntry // the names that are seen
	pending []change    // what is not durable, oldest first
	lied    bool        // there is something in pending that a sync claimed to have written
	broke   bool        // its word: something that a sync claimed to have written may be gone

	calls      uint64 // operations, crashes and recoveries so far: they key the draws
	crashes    uint64
	recoveries uint64
	power      int // operations until the power fails; -1: it does not
}

// diskFaults are what is wrong with a disk. The zero value is a sound one, which loses at a crash what was not
// synced, and nothing else.
type diskFaults struct {
	full     bool // nothing can be written
	tears    bool // a crash keeps what was under way up to some byte
	reorders bool // a crash keeps any pieces of it
	lies     bool // syncs do nothing, and say that they did
	errors   int  // of syncs and reads that fail, in ppm
	rot      int  // of bits that flip at a recovery, in ppm
}

type diskEntry struct {
	name string
	file *diskFile
}

// diskFile is what a file holds on the medium, and as it is seen.
type diskFile struct{ stable, cached []byte }

// change is one thing that was done.
type change struct {
	kind changeKind
	file *diskFile
	at   int    // where data was written, or the new size
	data []byte // for writes
	from string // for unlinks and renames
	name string // for links and renames
}

type changeKind uint8

const (
	changeWrite changeKind = iota
	changeSize
	changeLink // this and the following are of names
	changeUnlink
	changeRename
)

var (
	errPower  = errors.New("the power failed")
	errFull   = errors.New("no space left on the disk")
	errSync   = errors.New("the disk could not keep what was written")
	errRead   = errors.New("the disk could not be read to the end")
	errNoFile = errors.New("no such file")
)

func newDisk(seed uint64, member int, counts *Faults) disk {
	return disk{seed: seed, member: uint64(member), counts: counts, power: -1}
}

// call begins an operation, unless there is no power.
func (d *disk) call() error {
	d.calls++
	if d.power == 0 {
		return errPower
	}
	d.power = max(d.power-1, -1)
	return nil
}

func lookup(names []diskEntry, name string) *diskFile {
	for _, e := range names {
		if e.name == name {
			return e.file
		}
	}
	return nil
}

// open begins an operation on a file.
func (d *disk) open(name string) (*diskFile, error) {
	if err := d.call(); err != nil {
		return nil, err
	}
	if f := lookup(d.cached, name); f != nil {
		return f, nil
	}
	return nil, errNoFile
}

// do makes a change seen, and leaves it pending.
func (d *disk) do(c change) {
	if c.kind < changeLink {
		c.file.cached = c.apply(c.file.cached)
	} else {
		d.cached = c.rename(d.cached)
	}
	d.pending = append(d.pending, c)
}

// apply makes a change to the data of a file.
func (c *change) apply(b []byte) []byte {
	if c.kind == changeSize {
		return append(b[:min(len(b), c.at)], make([]byte, max(c.at-len(b), 0))...)
	}
	b = append(b, make([]byte, max(c.at+len(c.data)-len(b), 0))...)
	copy(b[c.at:], c.data)
	return b
}

// rename makes a change to names.
func (c *change) rename(names []diskEntry) []diskEntry {
	names = slices.DeleteFunc(names, func(e diskEntry) bool { return e.name == c.from || e.name == c.name })
	if c.kind == changeUnlink {
		return names
	}
	return append(names, diskEntry{c.name, c.file})
}

// List implements journal.Dir.
func (d *disk) List() ([]string, error) {
	names := make([]string, len(d.cached))
	for i, e := range d.cached {
		names[i] = e.name
	}
	return names, d.call()
}

// Read implements journal.Dir. With an error it returns only the beginning.
func (d *disk) Read(name string) ([]byte, error) {
	f, err := d.open(name)
	if err != nil {
		return nil, err
	}
	if d.fails() {
		d.counts.DiskReadsFailed++
		return bytes.Clone(f.cached[:len(f.cached)/2]), errRead
	}
	return bytes.Clone(f.cached), nil
}

// fails decides whether this sync or read fails.
func (d *disk) fails() bool {
	return chance(draw(d.seed, forDiskError, d.member, 0, d.calls), d.errors)
}

// Create implements journal.Dir.
func (d *disk) Create(name string) error {
	f, err := d.open(name)
	switch {
	case err == nil:
		d.do(change{kind: changeSize, file: f})
	case errors.Is(err, errNoFile):
		d.do(change{kind: changeLink, file: new(diskFile), name: name})
	default:
		return err
	}
	return nil
}

// Append implements journal.Dir. A full disk takes a part.
func (d *disk) Append(name string, b []byte) error {
	f, err := d.open(name)
	if err != nil {
		return err
	}
	if d.full {
		d.counts.DiskWritesRefused++
		b, err = b[:below(draw(d.seed, forDiskFull, d.member, 0, d.calls), int64(len(b)+1))], errFull
	}
	d.do(change{kind: changeWrite, file: f, at: len(f.cached), data: bytes.Clone(b)})
	return err
}

// Truncate implements journal.Dir.
func (d *disk) Truncate(name string, size int64) error {
	f, err := d.open(name)
	if err != nil {
		return err
	}
	d.do(change{kind: changeSize, file: f, at: int(size)})
	return nil
}

// Sync implements journal.Dir. When it fails, the system forgets what it could not write.
func (d *disk) Sync(name string) error {
	f, err := d.open(name)
	switch {
	case err != nil:
		return err
	case d.fails():
		d.counts.DiskSyncsFailed++
		d.broke = d.broke || d.lied
		d.settle(func(c *change) bool { return c.file == f && c.kind < changeLink }, false)
		f.cached = bytes.Clone(f.stable)
		return errSync
	case d.lies:
		d.counts.DiskSyncsIgnored++
		d.lied = true
		return nil
	}
	d.settle(func(c *change) bool { return c.file == f && c.kind < changeLink }, true)
	return nil
}

// SyncDir implements journal.Dir.
func (d *disk) SyncDir() error {
	err := d.call()
	switch {
	case err != nil:
		return err
	case d.fails():
		d.counts.DiskSyncsFailed++
		return errSync
	case d.lies:
		d.counts.DiskSyncsIgnored++
		d.lied = true
		return nil
	}
	d.settle(func(c *change) bool { return c.kind >= changeLink }, true)
	return nil
}

// Rename implements journal.Dir.
func (d *disk) Rename(from, to string) error {
	f, err := d.open(from)
	if err == nil {
		d.do(change{kind: changeRename, file: f, from: from, name: to})
	}
	return err
}

// Remove implements journal.Dir.
func (d *disk) Remove(name string) error {
	_, err := d.open(name)
	if err == nil {
		d.do(change{kind: changeUnlink, from: name})
	}
	return err
}

// settle ends the wait of some changes: they are on the medium now, or forgotten.
func (d *disk) settle(which func(*change) bool, kept bool) {
	waiting := d.pending[:0]
	for i := range d.pending {
		switch c := d.pending[i]; {
		case !which(&c):
			waiting = append(waiting, c)
		case kept:
			d.write(c)
		}
	}
	clear(d.pending[len(waiting):])
	d.pending = waiting
	d.lied = d.lied && len(d.pending) > 0
}

// write makes a change on the medium.
func (d *disk) write(c change) {
	if c.kind < changeLink {
		c.file.stable = c.apply(c.file.stable)
	} else {
		d.stable = c.rename(d.stable)
	}
}
