package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// syncEvery is how often records reach the disk at least; what came before a loss of power stays.
const syncEvery = time.Second

// records appends JSON lines to a file. Whatever happens, it holds whole lines only, and those written before.
type records struct {
	f      *os.File
	end    int64 // of the last whole line
	synced time.Time
	err    error // the first
}

// openRecords opens a file to append to, and makes it if it is not there. A line that is torn at its end, because
// somebody was killed, is ended.
func openRecords(file string) (*records, error) {
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		return nil, err
	}
	r := &records{f: f, synced: time.Now()}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return r, err
	}
	if r.end, err = f.Seek(0, io.SeekEnd); err == nil && r.end > 0 {
		last := make([]byte, 1)
		if _, err = f.ReadAt(last, r.end-1); err == nil && last[0] != '\n' {
			_, err = f.Write([]byte{'\n'})
			r.end++
		}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return r, nil
}

// add appends one record. After an error nothing more is written.
func (r *records) add(record any) error {
	if r.err != nil {
		return r.err
	}
	var line bytes.Buffer
	r.err = printJSON(&line, record)
	if r.err == nil {
		r.err = r.write(line.Bytes())
	}
	if r.err == nil && time.Since(r.synced) >= syncEvery {
		r.err = r.sync()
	}
	if r.err != nil {
		r.err = fmt.Errorf("write results: %w", r.err)
	}
	return r.err
}

// write appends a line, or nothing: half a line is worse than none.
func (r *records) write(line []byte) error {
	n, err := r.f.Write(line)
	if err == nil {
		r.end += int64(n)
		return nil
	}
	if info, stat := r.f.Stat(); n > 0 && stat == nil && info.Size() == r.end+int64(n) {
		err = errors.Join(err, r.f.Truncate(r.end))
	}
	return err
}

func (r *records) sync() error {
	r.synced = time.Now()
	if info, err := r.f.Stat(); err != nil || !info.Mode().IsRegular() {
		return err // pipes and devices cannot
	}
	return r.f.Sync()
}

func (r *records) close() error {
	if r.err != nil {
		return r.f.Close() // it has been reported
	}
	return errors.Join(r.sync(), r.f.Close())
}
