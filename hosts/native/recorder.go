package native

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/nekton-go/nekton/codec/journal"
	"github.com/nekton-go/nekton/core"
)

// A recorder keeps a node's journal in files. Its goroutine commits whatever has gathered while it was busy, and
// reports in order.
type recorder struct {
	files  *dir
	log    *slog.Logger
	max    int
	report func(core.Token, error)
	lock   *os.File

	mu     sync.Mutex
	wake   chan struct{}
	queue  []journal.Store
	queued int // bytes
	ended  bool

	journal *journal.Journal // the goroutine's
}

var errStoresMax = errors.New("too much waits for the disk")

// openRecorder locks the directory at path, mends what a crash left behind and returns what was recorded, as
// inputs. report will be told how each store fared, in order.
func openRecorder(
	path string, log *slog.Logger, max int, report func(core.Token, error),
) (r *recorder, past []core.Input, err error) {
	if err := makeDir(path); err != nil {
		return nil, nil, fmt.Errorf("create the journal's directory: %w", err)
	}
	lock, err := lockFile(filepath.Join(path, "lock"))
	if err != nil {
		return nil, nil, fmt.Errorf("journal %s is in use by another node; give each its own: %w", path, err)
	}
	r = &recorder{
		files: &dir{path: path, open: map[string]*os.File{}},
		log:   log, max: max, report: report, lock: lock, wake: make(chan struct{}, 1),
	}
	var found journal.Past
	r.journal, found, err = journal.Open(r.files)
	for _, repair := range found.Repairs {
		r.tell(repair)
	}
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("journal %s: %w", path, err), r.close())
	}
	return r, found.Inputs, nil
}

// tell logs what recovery removed.
func (r *recorder) tell(cut journal.Repair) {
	path := r.files.at(cut.File)
	if cut.Aside == "" {
		r.log.Warn("journal record cut short by a crash; removed it",
			"file", path, "offset", cut.Offset, "bytes", cut.Lost)
		return
	}
	r.log.Error("journal is damaged; kept what is good before that",
		"file", path, "offset", cut.Offset, "lost", cut.Lost, "aside", r.files.at(cut.Aside))
}

// store queues an EffectAppend or EffectCompact.
func (r *recorder) store(e core.Effect) {
	s := journal.Store{Proto: e.Proto, Snapshot: e.Kind == core.EffectCompact, Token: e.Token}
	r.mu.Lock()
	if r.queued+len(e.Data) > r.max || r.ended {
		s.Err = errStoresMax // it is still queued, so that reports keep their order
	} else {
		s.Data = slices.Clone(e.Data)
		r.queued += len(e.Data)
	}
	r.queue = append(r.queue, s)
	r.mu.Unlock()
	r.signal()
}

func (r *recorder) signal() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// end lets run return once all that is queued is written.
func (r *recorder) end() {
	r.mu.Lock()
	r.ended = true
	r.mu.Unlock()
	r.signal()
}

// run is the recorder's goroutine.
func (r *recorder) run() {
	for {
		r.mu.Lock()
		queue, ended := r.queue, r.ended
		r.queue, r.queued = nil, 0
		r.mu.Unlock()
		switch {
		case len(queue) > 0:
			r.commit(queue)
		case ended:
			return
		default:
			<-r.wake
		}
	}
}

// commit makes a batch durable.
func (r *recorder) commit(batch []journal.Store) {
	if err := r.journal.Commit(batch); err != nil {
		r.log.Error("journal cannot be written; it is out of use until its machine writes a snapshot", "error", err)
	}
	for _, s := range batch {
		r.report(s.Token, s.Err)
	}
}

// close releases the files and the lock. run has returned, or never ran.
func (r *recorder) close() error {
	return errors.Join(r.files.closeAll(), r.lock.Close())
}
