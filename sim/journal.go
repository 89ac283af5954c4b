package sim

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nekton-go/nekton/codec/journal"
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/internal/mutant"
	"github.com/nekton-go/nekton/sim/check"
)

// Writes become durable one after the other, each within these bounds.
const (
	journalMin = 100 * time.Microsecond
	journalMax = 2 * time.Millisecond
	bootAgain  = time.Second // until a process that could not read its journal is started again
)

// storage is one member's journal: the real one, on a simulated disk.
type storage struct {
	disk
	slow    time.Duration    // how much longer writes may take
	journal *journal.Journal // of the running process
	queue   []journal.Store  // not reported yet, oldest first
	writes  uint64
	last    core.Instant // when the newest of the queue will be reported

	asked []check.Stored // all that may still matter, oldest first
	stale *backup        // what a starting process finds instead, or nil

	retrying bool   // the process did not start, and somebody tries again
	attempt  uint32 // counts attempts to start; the next replaces the last
	peers    []int  // whom it is to join by once it runs
}

// journal has one record written, and reported when it is durable.
func (w *world) journal(i int, e *core.Effect) {
	p := &w.nodes[i]
	s := &p.storage
	store := journal.Store{
		Proto: e.Proto, Snapshot: e.Kind == core.EffectCompact, Token: e.Token, Data: bytes.Clone(e.Data),
	}
	s.ask(store)
	s.writes++
	random := draw(w.seed, forJournal, uint64(i), uint64(p.boot), s.writes)
	delay := journalMin + time.Duration(below(random, int64(journalMax-journalMin)+1))
	if s.slow > 0 {
		w.faults.DiskWritesSlow++
		delay += time.Duration(below(draw(w.seed, forDiskSlow, uint64(i), uint64(p.boot), s.writes), int64(s.slow)))
	}
	s.last = max(s.last, w.now).Add(delay)
	w.pushEvent(s.last, classInput, event{kind: evStored, node: int32(i), boot: p.boot, token: e.Token})
}

// commit writes the oldest record of the queue.
func (w *world) commit(i int) core.Fault {
	s := &w.nodes[i].storage
	if err := s.commit(); err != nil {
		w.faults.StoresFailed++
		w.trace.disk(w.now, i, "a store failed: %v", err)
		return core.FaultStorage
	}
	return core.FaultNone
}

// ask queues a store.
func (s *storage) ask(store journal.Store) {
	s.queue = append(s.queue, store)
	s.asked = append(s.asked, check.Stored{Proto: store.Proto, Snapshot: store.Snapshot, Data: store.Data})
}

// commit writes the oldest of the queue.
func (s *storage) commit() error {
	oldest := s.queue[:1]
	_ = s.journal.Commit(oldest) // the store says how it fared
	at := len(s.asked) - len(s.queue)
	s.queue = s.queue[1:]
	if err := oldest[0].Err; err != nil {
		return err
	}
	s.asked[at].Durable = true
	s.forget(at)
	return nil
}

// forget drops what is replaced for good, now that a store is durable: what the machine stored before the newest
// snapshot or mend.
func (s *storage) forget(at int) {
	if len(s.pending) > 0 {
		return
	}
	proto, first := s.asked[at].Proto, at
	for first >= 0 && (s.asked[first].Proto != proto || !s.asked[first].Snapshot && !s.asked[first].Mended) {
		first--
	}
	k := 0
	s.asked = slices.DeleteFunc(s.asked, func(r check.Stored) bool {
		k++
		return k <= first && r.Proto == proto
	})
}

// stop ends the process. Unless a fault says otherwise, nothing of what is queued is on the disk; or some of it
// was just being written, and the power failed at any moment.
func (s *storage) stop() (lost int) {
	lost = len(s.queue)
	if lost > 0 && (s.tears || s.reorders) {
		random := func(k uint64) uint64 { return draw(s.seed, forPower, s.member, s.crashes, k) }
		batch := s.queue[:1+below(random(0), int64(lost))]
		// A record takes two operations, a snapshot five: fewer are more likely.
		s.power = int(1 + below(random(1), 1+below(random(2), 5)))
		_ = s.journal.Commit(batch)
	}
	s.crash()
	s.queue, s.last = nil, 0
	return lost
}

// replace puts another disk in the place of this one.
func (s *storage) replace(by *backup) {
	s.restore(by.image)
	s.asked, s.broke = slices.Clone(by.asked), by.broke
}

// wipe empties member i's disk.
func (w *world) wipe(i int) {
	w.faults.JournalsLost++
	w.check.Amnesia(i)
	s := &w.nodes[i].storage
	s.replace(new(backup))
	s.writes = 0
}

// recover opens the journal for a starting process and returns what it found. If it cannot be opened the process
// ends, and whoever watches over it tries again.
func (w *world) recover(i int, lost bool) (past []core.Input, ok bool) {
	s := &w.nodes[i].storage
	s.attempt, s.retrying = s.attempt+1, false
	switch {
	case lost:
		w.wipe(i)
	case s.stale != nil:
		w.faults.DisksStale++
		w.check.Amnesia(i)
		s.replace(s.stale)
	}
	s.recoveries++
	s.decay()
	again, err := s.again(w.node.Swim.Mutant)
	if errors.Is(err, journal.ErrForeign) { // somebody comes and moves the file away
		w.faults.JournalsLost++
		w.check.Amnesia(i)
		w.trace.disk(w.now, i, "moved away: %v", err)
		s.replace(new(backup))
		again, err = nil, nil
	}
	if err != nil {
		w.err = fmt.Errorf("%s cannot recover the journal of a sound disk: %w", check.Name(i), err)
		return nil, false
	}
	j, found, err := journal.OpenMutant(s, w.node.Swim.Mutant)
	for _, r := range found.Repairs {
		w.faults.JournalsMended++
		shape := "cut short"
		if r.Aside != "" {
			shape = "damaged; kept as " + r.Aside
		}
		w.trace.disk(w.now, i, "the last %d bytes of %s are %s", r.Lost, r.File, shape)
	}
	if err != nil {
		w.faults.BootsFailed++
		w.trace.disk(w.now, i, "cannot start: %v", err)
		s.crash()
		s.retrying = true
		w.pushEvent(w.now.Add(bootAgain), classInput, event{kind: evBoot, node: int32(i), boot: s.attempt})
		return nil, false
	}
	w.check.Recovered(w.now, i, check.Recovery{Asked: s.asked, Doubtful: s.broke, Got: found.Inputs, Again: again})
	s.begin(j, found)
	return found.Inputs, true
}

// giveUp ends the attempts to start a process.
func (s *storage) giveUp() { s.attempt, s.retrying, s.peers = s.attempt+1, false, nil }

// begin has a process write to j from now on. What was there before is replaced by what was found, but where the
// disk lied about the mending: a crash may bring that back as it was, and bits that flip again make it whole.
func (s *storage) begin(j *journal.Journal, found journal.Past) {
	s.journal, s.broke = j, false
	doubtful := func(p core.Proto) bool {
		return s.lied && slices.ContainsFunc(found.Repairs, func(r journal.Repair) bool { return r.Proto == p })
	}
	s.asked = slices.DeleteFunc(s.asked, func(r check.Stored) bool { return !doubtful(r.Proto) })
	for _, r := range found.Repairs {
		s.asked = append(s.asked, check.Stored{Proto: r.Proto, Mended: true})
	}
	for _, in := range found.Inputs {
		s.asked = append(s.asked, check.Stored{
			Proto: in.Proto, Snapshot: in.Kind == core.InputRestore, Data: in.Data, Durable: true,
		})
	}
}

// again recovers copies of the disk. Where there is something to mend the power fails on the way, once after each
// operation, and recovery begins again; it returns what was found then, and differs if anything does.
func (s *storage) again(bug mutant.ID) ([]core.Input, error) {
	t := s.twin()
	_, found, err := journal.OpenMutant(&t, bug)
	if err != nil || len(found.Repairs) == 0 {
		return found.Inputs, err
	}
	for power := 0; ; power++ {
		t := s.twin()
		t.power = power
		_, _, cut := journal.OpenMutant(&t, bug)
		t.crash()
		_, next, err := journal.OpenMutant(&t, bug)
		if err != nil || cut == nil || !slices.EqualFunc(found.Inputs, next.Inputs, check.Same) {
			return next.Inputs, err
		}
	}
}
