package sim

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/nekton-go/nekton/codec/seal"
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/sim/check"
)

const (
	resolveTime = time.Millisecond
	// epoch is what wall clocks read at the beginning of every run: 2026-01-01, in ns.
	epoch = 1_767_225_600 * int64(time.Second)
)

// process is one member's process, or the lack of one. What every step reads comes first, side by side.
type process struct {
	verbs   core.Verbs // nil before the first boot
	running bool
	unwell  bool         // a fault has touched it
	boot    uint32       // counts processes of this member; what was meant for an earlier one is dropped
	home    int32        // its address
	fused   int32        // the operation that has laid the fuse
	fuse    int          // it dies in a step that asks for more effects than this, after so many; 0: it does not
	wakeAt  core.Instant // the earliest queued wake, or Never
	clear   core.Instant // when all that it has sent so far has left
	heard   core.Instant // when it has received all there is so far
	condition
	attention
	clock clock

	spunAt          core.Instant
	spins           int
	sends, received uint64 // that were late: they key draws
	started         core.Instant
	ran             time.Duration // of earlier processes
	tuned           *swim.Config  // if it is configured unlike the others
	keys            [][]byte      // if they are not those that all begin with

	conns    []int32 // open connections
	accepted uint64
	commands uint64
	storage  storage
}

// boot starts member i's next process: from its journal, or with nothing but its name if that is lost.
func (w *world) boot(i int, lost bool) {
	p := &w.nodes[i]
	if p.running || w.err != nil {
		return
	}
	past, ok := w.recover(i, lost)
	if !ok {
		return
	}
	if !w.launch(i, w.tables.newTable()) {
		return
	}
	w.check.Started(w.now, i)
	if p.boot > 1 {
		w.faults.Restarts++
	}
	if !lost {
		w.give(i, core.Input{Kind: core.InputWall, Wall: p.wall(w.now)})
	}
	for _, in := range past {
		w.give(i, in)
	}
	w.give(i, core.Input{Kind: core.InputWake})
	if peers := p.storage.peers; peers != nil {
		p.storage.peers = nil
		w.join(i, peers)
	}
}

// launch begins member i's next process, which knows the members in its table. It reports whether it could.
func (w *world) launch(i int, members *table) bool {
	p := &w.nodes[i]
	p.boot++
	w.examine(i)
	verbs, err := w.assemble(i, members)
	if err != nil {
		w.err = fmt.Errorf("cannot make %s: %w", check.Name(i), err)
		return false
	}
	p.verbs, p.running, p.started, p.wakeAt, p.accepted = verbs, true, w.now, core.Never, 0
	p.next, p.clear, p.heard = core.Never, never, never
	return true
}

// assemble makes member i's next node.
func (w *world) assemble(i int, members *table) (core.Verbs, error) {
	p := &w.nodes[i]
	c, who := w.node, w.identity(i)
	c.Swim = w.configure(i)
	c.Swim.Name, c.Swim.Addr, c.Swim.Meta, c.Swim.Table = who.Name, who.Addr, who.Meta, members
	for word := range len(c.Seed) / 8 {
		binary.LittleEndian.PutUint64(c.Seed[8*word:], draw(w.seed, forNode, uint64(i), uint64(p.boot), uint64(word)))
	}
	verbs, err := w.make(i, c)
	if err != nil || !w.sealed {
		return verbs, err
	}
	if w.inside != nil {
		verbs = window{verbs, w.inside}
	}
	return seal.New(verbs, w.sealOf(i))
}

// crash stops a process at once. What it had not made durable is lost.
func (w *world) crash(i int, lost bool) {
	p := &w.nodes[i]
	p.storage.giveUp()
	if !p.running {
		return
	}
	w.faults.Crashes++
	for _, slot := range p.inbox[p.seen:] {
		if w.events[slot].kind == evDatagram {
			w.faults.Unheard++
		}
		w.release(slot)
	}
	p.running, p.fuse = false, 0
	p.attention = attention{inbox: p.inbox[:0], stops: p.stops[:0], deafens: p.deafens[:0]}
	p.ran += w.now.Sub(p.started)
	w.faults.RecordsLost += uint64(p.storage.stop())
	w.sever(i)
	w.check.Stopped(w.now, i)
}

// nodeTime is how long all processes ran, together.
func (w *world) nodeTime() (sum time.Duration) {
	for i := range w.nodes {
		p := &w.nodes[i]
		sum += p.ran
		if p.running {
			sum += w.now.Sub(p.started)
		}
	}
	return sum
}
