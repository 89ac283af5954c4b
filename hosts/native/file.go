package native

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
)

// A file is one machine's journal file. What is added waits in memory until commit.
type file struct {
	path   string
	handle *os.File // nil until first written to
	fresh  bool     // there is no file yet
	broken error    // why nothing can be appended any more; a snapshot mends it

	batch    []byte
	snapshot bool // batch is the whole of the next file, not the rest of this one
	touched  bool // batch waits for commit
}

// add takes a store into the batch, and reports whether it is the first.
func (f *file) add(s *store) bool {
	if s.err != nil { // refused: what is appended after it would leave a gap
		f.broken = errors.Join(f.broken, s.err)
		return false
	}
	if s.kind == kindSnapshot {
		f.broken, f.snapshot = nil, true
		f.batch = append(f.batch[:0], fileHeader...)
	} else if f.broken != nil {
		s.err = f.broken
		return false
	}
	f.batch = appendRecord(f.batch, s.kind, s.data)
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
		err = f.replace(append([]byte(fileHeader), batch...))
	default:
		err = f.extend(batch)
	}
	if err != nil {
		f.broken = errors.Join(f.broken, err)
	}
	return err
}

// extend appends to the file.
func (f *file) extend(batch []byte) error {
	if f.handle == nil {
		handle, err := os.OpenFile(f.path, os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			return err
		}
		f.handle = handle
	}
	if _, err := f.handle.Write(batch); err != nil {
		return err
	}
	return f.handle.Sync()
}

// replace puts a new file in the place of the old one, so that a crash leaves one of the two whole.
func (f *file) replace(content []byte) error {
	if err := f.close(); err != nil {
		return err
	}
	temp, err := os.OpenFile(f.path+tempSuffix, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = temp.Write(content)
	if err = errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return err
	}
	if err := os.Rename(temp.Name(), f.path); err != nil {
		return err
	}
	f.fresh = false
	return syncDir(filepath.Dir(f.path))
}

// truncate cuts the file; nothing good is left in one without a whole header.
func (f *file) truncate(size int64) error {
	if size == 0 {
		return f.replace([]byte(fileHeader))
	}
	handle, err := os.OpenFile(f.path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(handle.Truncate(size), handle.Sync(), handle.Close())
}

func (f *file) close() error {
	if f.handle == nil {
		return nil
	}
	err := f.handle.Close()
	f.handle = nil
	return err
}

// syncDir makes a rename durable, on systems where directories can be synced.
func syncDir(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
