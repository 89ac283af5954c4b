// Package repro keeps runs in files: what was run, what came of it, and by which program, so that the same can
// be had again, by other people and later.
//
// A bundle is a zip archive of JSON for people to read and compare: manifest.json says which program made it,
// case.json is the run (see [sim.Case]), expect.json what came of it, failure.txt the same in words.
package repro

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/nekton-go/nekton/sim"
)

// Format is the version of bundles that this package writes and reads.
const Format = 1

// entryMax bounds what is read of one file of a bundle, in bytes.
const entryMax = 64 << 20

// A Manifest says which program made a bundle.
type Manifest struct {
	Format   int    `json:"format"` // of the bundle: see Format
	Tool     string `json:"tool"`   // the program and its version
	Go       string `json:"go"`     // the version of Go that it was built with
	Platform string `json:"platform"`
	GOAMD64  string `json:"goamd64,omitempty"`
	Core     string `json:"core"` // what Fingerprint returned there
}

// A Bundle is a run, written down.
type Bundle struct {
	Manifest Manifest
	Case     sim.Case
	Expect   Expect
	Failure  string // in words; empty for a run that is OK
}

// ErrNoBundle is wrapped by the errors of Read for what is no bundle, or not a whole one.
var ErrNoBundle = errors.New("not a bundle of a simulation")

// ErrForeign is wrapped by the errors of Read for bundles that another version wrote and this one cannot read.
// What it could read comes with it.
var ErrForeign = errors.New("a bundle that this version cannot read")

// Write writes a bundle. Equal bundles are equal bytes.
func (b *Bundle) Write(w io.Writer) error {
	z := zip.NewWriter(w)
	for _, entry := range []struct {
		name string
		of   any
	}{{"manifest.json", &b.Manifest}, {"case.json", &b.Case}, {"expect.json", &b.Expect}} {
		var text bytes.Buffer
		e := json.NewEncoder(&text)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if err := e.Encode(entry.of); err != nil {
			return err
		}
		if err := add(z, entry.name, text.Bytes()); err != nil {
			return err
		}
	}
	if b.Failure != "" {
		if err := add(z, "failure.txt", []byte(b.Failure)); err != nil {
			return err
		}
	}
	return z.Close()
}

func add(z *zip.Writer, name string, text []byte) error {
	w, err := z.Create(name)
	if err == nil {
		_, err = w.Write(text)
	}
	return err
}

// Read reads a bundle of that many bytes. Errors wrap ErrNoBundle, ErrForeign, or are those of r.
func Read(r io.ReaderAt, size int64) (*Bundle, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoBundle, err)
	}
	b := new(Bundle)
	if err := read(z, "manifest.json", &b.Manifest); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoBundle, err)
	}
	if b.Manifest.Format != Format {
		return b, fmt.Errorf("%w: format %d, not %d", ErrForeign, b.Manifest.Format, Format)
	}
	if err := errors.Join(read(z, "case.json", &b.Case), read(z, "expect.json", &b.Expect)); err != nil {
		return b, fmt.Errorf("%w: %w", ErrForeign, err)
	}
	if err := b.Case.Validate(); err != nil {
		return b, fmt.Errorf("%w: %w", ErrForeign, err)
	}
	if text, err := contents(z, "failure.txt"); err == nil {
		b.Failure = string(text)
	}
	return b, nil
}

func read(z *zip.Reader, name string, into any) error {
	text, err := contents(z, name)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func contents(z *zip.Reader, name string) ([]byte, error) {
	f, err := z.Open(name)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, entryMax+1))
	if err == nil && len(text) > entryMax {
		err = fmt.Errorf("%s has more than %d bytes", name, entryMax)
	}
	return text, errors.Join(err, f.Close())
}
