package native

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/nekton-go/nekton/core"
)

// A journal is a directory with one file of records for each machine. Its goroutine writes whatever has
// gathered while it was busy, syncs once per file, and reports in order.
type journal struct {
	dir    string
	log    *slog.Logger
	max    int
	report func(core.Token, error)
	lock   *os.File

	mu     sync.Mutex
	wake   chan struct{}
	queue  []store
	queued int // bytes
	ended  bool

	files map[core.Proto]*file // the goroutine's
}

// A store is one EffectAppend or EffectCompact.
type store struct {
	proto core.Proto
	kind  byte
	token core.Token
	data  []byte
	err   error
}

var errStoresMax = errors.New("too much waits for the disk")

const (
	filePrefix = "proto-"
	fileSuffix = ".journal"
	tempSuffix = ".tmp"
)

// openJournal locks dir, mends what a crash left behind and returns what was recorded, as inputs. report
// will be told how each store fared, in order.
func openJournal(
	dir string, log *slog.Logger, max int, report func(core.Token, error),
) (j *journal, past []core.Input, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, fmt.Errorf("create the journal's directory: %w", err)
	}
	lock, err := lockFile(filepath.Join(dir, "lock"))
	if err != nil {
		return nil, nil, fmt.Errorf("journal %s is in use by another node; give each its own: %w", dir, err)
	}
	j = &journal{
		dir: dir, log: log, max: max, report: report, lock: lock,
		wake: make(chan struct{}, 1), files: map[core.Proto]*file{},
	}
	past, err = j.recoverAll()
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("journal %s: %w", dir, err), j.close())
	}
	return j, past, nil
}

func (j *journal) recoverAll() (past []core.Input, err error) {
	protos, err := j.scan()
	for _, p := range protos {
		if err == nil {
			var records []core.Input
			records, err = j.recover(p)
			past = append(past, records...)
		}
	}
	return past, err
}

// scan lists the machines that have a file, and removes files that were being written at a crash.
func (j *journal) scan() ([]core.Proto, error) {
	entries, err := os.ReadDir(j.dir)
	if err != nil {
		return nil, err
	}
	var protos []core.Proto
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), tempSuffix) {
			if err := os.Remove(filepath.Join(j.dir, e.Name())); err != nil {
				return nil, err
			}
			continue
		}
		number, isJournal := strings.CutSuffix(e.Name(), fileSuffix)
		n, err := strconv.ParseUint(strings.TrimPrefix(number, filePrefix), 10, 8)
		if isJournal && err == nil {
			protos = append(protos, core.Proto(n))
		}
	}
	slices.Sort(protos)
	return protos, nil
}

func (j *journal) path(p core.Proto) string {
	return filepath.Join(j.dir, fmt.Sprintf("%s%d%s", filePrefix, p, fileSuffix))
}

// recover reads one machine's file and mends it, so that the next record follows the last good one.
func (j *journal) recover(p core.Proto) ([]core.Input, error) {
	path := j.path(p)
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	records, good, found := parseFile(data)
	j.files[p] = &file{path: path}
	switch found {
	case torn:
		j.log.Warn("journal record cut short by a crash; removed it",
			"file", path, "offset", good, "bytes", len(data)-good)
		err = j.files[p].truncate(int64(good))
	case damaged:
		var aside string
		if aside, err = setAside(path, data); err == nil {
			j.log.Error("journal is damaged; kept what is good before that",
				"file", path, "offset", good, "lost", len(data)-good, "aside", aside)
			err = j.files[p].replace(data[:good])
		}
	case foreign:
		err = fmt.Errorf("%s was written by another version; use that, or move the file away", path)
	}
	inputs := make([]core.Input, len(records))
	for i, r := range records {
		kind := core.InputReplay
		if r.kind == kindSnapshot {
			kind = core.InputRestore
		}
		inputs[i] = core.Input{Kind: kind, Proto: p, Data: r.data}
	}
	return inputs, err
}

// setAside keeps a copy of a damaged file under a name that is free.
func setAside(path string, data []byte) (string, error) {
	for i := 1; ; i++ {
		aside := fmt.Sprintf("%s.%d.damaged", path, i)
		f, err := os.OpenFile(aside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, os.ErrExist) {
			continue
		}
		if err != nil {
			return "", err
		}
		_, err = f.Write(data)
		return aside, errors.Join(err, f.Sync(), f.Close())
	}
}

// store queues an EffectAppend or EffectCompact.
func (j *journal) store(e core.Effect) {
	s := store{proto: e.Proto, kind: kindRecord, token: e.Token}
	if e.Kind == core.EffectCompact {
		s.kind = kindSnapshot
	}
	j.mu.Lock()
	if j.queued+len(e.Data) > j.max || j.ended {
		s.err = errStoresMax // it is still queued, so that reports keep their order
	} else {
		s.data = slices.Clone(e.Data)
		j.queued += len(e.Data)
	}
	j.queue = append(j.queue, s)
	j.mu.Unlock()
	j.signal()
}

func (j *journal) signal() {
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

// end lets run return once all that is queued is written.
func (j *journal) end() {
	j.mu.Lock()
	j.ended = true
	j.mu.Unlock()
	j.signal()
}

// run is the journal's goroutine.
func (j *journal) run() {
	for {
		j.mu.Lock()
		queue, ended := j.queue, j.ended
		j.queue, j.queued = nil, 0
		j.mu.Unlock()
		switch {
		case len(queue) > 0:
			j.commit(queue)
		case ended:
			return
		default:
			<-j.wake
		}
	}
}

// commit makes a batch durable: one write and one sync for each file in it.
func (j *journal) commit(batch []store) {
	touched := []*file{}
	for i := range batch {
		f := j.file(batch[i].proto)
		if f.add(&batch[i]) {
			touched = append(touched, f)
		}
	}
	for _, f := range touched {
		if err := f.commit(); err != nil {
			j.log.Error("journal cannot be written; it is out of use until its machine writes a snapshot",
				"file", f.path, "error", err)
		}
	}
	for _, s := range batch {
		if s.err == nil {
			s.err = j.files[s.proto].broken
		}
		j.report(s.token, s.err)
	}
}

func (j *journal) file(p core.Proto) *file {
	f := j.files[p]
	if f == nil {
		f = &file{path: j.path(p), fresh: true}
		j.files[p] = f
	}
	return f
}

// close releases the files and the lock. run has returned, or never ran.
func (j *journal) close() error {
	var errs []error
	for _, f := range j.files {
		errs = append(errs, f.close())
	}
	errs = append(errs, j.lock.Close())
	return errors.Join(errs...)
}
