package sim

import (
	"bytes"
	"time"

	"github.com/nekton-go/nekton/core"
)

// Writes become durable one after the other, each within these bounds.
const (
	journalMin = 100 * time.Microsecond
	journalMax = 2 * time.Millisecond
)

// journal is one member's disk. Records become durable in order; a crash loses those that are not.
type journal struct {
	records []record
	durable int // records[:durable] survive a crash
	writes  uint64
	last    core.Instant // when the newest write will be durable
}

type record struct {
	proto    core.Proto
	snapshot bool
	data     []byte
}

// journal writes one record and says so to its node when it is durable.
func (w *world) journal(i int, e *core.Effect) {
	p := &w.nodes[i]
	j := &p.journal
	j.records = append(j.records, record{e.Proto, e.Kind == core.EffectCompact, bytes.Clone(e.Data)})
	j.writes++
	random := draw(w.seed, forJournal, uint64(i), uint64(p.boot), j.writes)
	delay := journalMin + time.Duration(below(random, int64(journalMax-journalMin)+1))
	j.last = max(j.last, w.now).Add(delay)
	w.pushEvent(j.last, classInput, event{kind: evStored, node: int32(i), boot: p.boot, token: e.Token})
}

// sync makes the oldest write durable. A durable snapshot replaces what its machine wrote before.
func (j *journal) sync() {
	if j.durable++; !j.records[j.durable-1].snapshot {
		return
	}
	snapshot := j.records[j.durable-1]
	kept := make([]record, 0, len(j.records))
	for _, r := range j.records[:j.durable-1] {
		if r.proto != snapshot.proto {
			kept = append(kept, r)
		}
	}
	j.records = append(kept, j.records[j.durable-1:]...)
	j.durable = len(kept) + 1
}

// crash forgets what is not durable and returns how many records that were.
func (j *journal) crash() (lost int) {
	lost = len(j.records) - j.durable
	j.records = j.records[:j.durable]
	j.last = 0
	return lost
}

// recover gives a starting node its journal.
func (w *world) recover(i int) {
	j := &w.nodes[i].journal
	for k := range j.records {
		r := &j.records[k]
		in := core.Input{Kind: core.InputReplay, Proto: r.proto, Data: bytes.Clone(r.data)}
		if r.snapshot {
			in.Kind = core.InputRestore
		}
		w.step(i, -1, in)
	}
}
