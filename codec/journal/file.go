package journal

import (
	"errors"
	"fmt"

	"github.com/nekton-go/nekton/internal/mutant"
)

// keepMax is how much memory a batch keeps for the next one, after a burst, in bytes.
const keepMax = 64 << 10

// file is one machine's file. What is added waits in memory until commit.
type file struct {
	dir    Dir
	bug    mutant.ID
	name   string
	fresh  bool  // there is no file yet
	broken error // why nothing can be appended any more; a snapshot mends it

	batch    []byte
	snapshot bool // batch is the whole of the next file, not the rest of this one
	touched  bool // batch waits for commit
}

// add takes a store into the batch, and reports whether it is the first.
func (f *file) add(s *Store) bool {
	if s.Err != nil { // refused: what is appended after it would leave a gap
		f.broken = errors.Join(f.broken, s.Err)
		return false
	}
	if s.Snapshot {
		f.broken, f.snapshot = nil, true
		f.batch = append(f.batch[:0], Header...)
	} else if f.broken != nil {
		s.Err = f.broken
		return false
	}
	f.batch = AppendRecord(f.batch, s.Snapshot, s.Data)
	first := !f.touched
	f.touched = true
	return first
}

// commit makes the batch durable.
func (f *file) commit() error {
	batch, snapshot := f.batch, f.snapshot
	f.batch, f.snapshot, f.touched = f.batch[:0], false, false
	if cap(f.batch) > keepMax {
		f.batch = nil
	}
	var err error
	switch {
	case snapshot:
		err = f.replace(batch)
	case f.fresh:
		err = f.replace(append([]byte(Header), batch...))
	default:
		err = f.extend(batch)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", f.name, err)
		f.broken = errors.Join(f.broken, err)
	}
	return err
}

// extend appends to the file.
func (f *file) extend(batch []byte) error {
	if err := f.dir.Append(f.name, batch); err != nil {
		return err
	}
	if f.bug == mutant.SkipSync {
		return nil
	}
	return f.dir.Sync(f.name)
}

// replace puts a new file in the place of the old one, so that a crash leaves one of the two whole.
func (f *file) replace(content []byte) error {
	temp := f.name + tempSuffix
	if err := write(f.dir, temp, content); err != nil {
		return err
	}
	if err := f.dir.Rename(temp, f.name); err != nil {
		return err
	}
	f.fresh = false
	return f.dir.SyncDir()
}

// write makes a file and what it holds durable, but not its name.
func write(dir Dir, name string, content []byte) error {
	if err := dir.Create(name); err != nil {
		return err
	}
	if err := dir.Append(name, content); err != nil {
		return err
	}
	return dir.Sync(name)
}

// orHeader is what to keep of a file: nothing is good in one without a whole header.
func orHeader(good []byte) []byte {
	if len(good) == 0 {
		return []byte(Header)
	}
	return good
}

// truncate cuts the file.
func (f *file) truncate(size int) error {
	if size == 0 {
		return f.replace(orHeader(nil))
	}
	if err := f.dir.Truncate(f.name, int64(size)); err != nil {
		return err
	}
	return f.dir.Sync(f.name)
}
