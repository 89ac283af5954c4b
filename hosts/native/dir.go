package native

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
)

// A dir is the files of a journal. One that is appended to stays open until it is renamed or replaced.
type dir struct {
	path string
	open map[string]*os.File
}

func (d *dir) List() ([]string, error) {
	entries, err := os.ReadDir(d.path)
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, err
}

func (d *dir) at(name string) string { return filepath.Join(d.path, name) }

func (d *dir) Read(name string) ([]byte, error) { return os.ReadFile(d.at(name)) }

func (d *dir) Create(name string) error {
	if err := d.close(name); err != nil {
		return err
	}
	f, err := os.OpenFile(d.at(name), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err == nil {
		d.open[name] = f
	}
	return err
}

func (d *dir) Append(name string, b []byte) error {
	f, err := d.file(name)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return err
}

func (d *dir) Truncate(name string, size int64) error {
	f, err := d.file(name)
	if err != nil {
		return err
	}
	return f.Truncate(size)
}

func (d *dir) Sync(name string) error {
	f, err := d.file(name)
	if err != nil {
		return err
	}
	return f.Sync()
}

func (d *dir) Rename(from, to string) error {
	if err := errors.Join(d.close(from), d.close(to)); err != nil {
		return err
	}
	return os.Rename(d.at(from), d.at(to))
}

func (d *dir) Remove(name string) error {
	return errors.Join(d.close(name), os.Remove(d.at(name)))
}

func (d *dir) SyncDir() error { return syncDir(d.path) }

// syncDir makes what a directory lists durable, on systems where directories can be synced.
func syncDir(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// makeDir makes a directory and those above it, if they do not exist, and makes them durable.
func makeDir(path string) error {
	var grown []string // directories that list a new one then
	for at := path; filepath.Dir(at) != at; at = filepath.Dir(at) {
		if _, err := os.Stat(at); err == nil {
			break
		}
		grown = append(grown, filepath.Dir(at))
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	for _, at := range grown {
		// Whoever may make a directory there may not be allowed to read it, which syncing takes.
		if err := syncDir(at); err != nil && !errors.Is(err, os.ErrPermission) {
			return err
		}
	}
	return nil
}

// file opens a file that exists, for writing at its end.
func (d *dir) file(name string) (*os.File, error) {
	if f := d.open[name]; f != nil {
		return f, nil
	}
	f, err := os.OpenFile(d.at(name), os.O_WRONLY|os.O_APPEND, 0)
	if err == nil {
		d.open[name] = f
	}
	return f, err
}

func (d *dir) close(name string) error {
	f := d.open[name]
	if f == nil {
		return nil
	}
	delete(d.open, name)
	return f.Close()
}

func (d *dir) closeAll() error {
	var errs []error
	for name := range d.open {
		errs = append(errs, d.close(name))
	}
	return errors.Join(errs...)
}
