package sim

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/sim/check"
)

const (
	resolveTime = time.Millisecond
	// epoch is what wall clocks read at the beginning of every run: 2026-01-01, in ns.
	epoch = 1_767_225_600 * int64(time.Second)
)

// process is one member's process, or the lack of one.
type process struct {
	verbs   core.Verbs // nil before the first boot
	running bool
	unwell  bool   // a fault has touched it
	boot    uint32 // counts processes of this member; what was meant for an earlier one is dropped
	started core.Instant
	ran     time.Duration // of earlier processes

	wakeAt core.Instant // the earliest queued wake, or Never
	spunAt core.Instant
	spins  int

	attention
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
	c := w.node
	c.Swim.Name, c.Swim.Addr = check.Name(i), address(i)
	c.Swim.Meta = []byte("meta of " + c.Swim.Name)
	c.Swim.Table = w.tables.newTable()
	p.boot++
	for word := range len(c.Seed) / 8 {
		binary.LittleEndian.PutUint64(c.Seed[8*word:], draw(w.seed, forNode, uint64(i), uint64(p.boot), uint64(word)))
	}
	verbs, err := w.make(i, c)
	if err != nil {
		w.err = fmt.Errorf("cannot make %s: %w", c.Swim.Name, err)
		return
	}
	p.verbs, p.running, p.started, p.wakeAt, p.accepted = verbs, true, w.now, core.Never, 0
	p.next = core.Never
	w.check.Started(w.now, i)
	if p.boot > 1 {
		w.faults.Restarts++
	}
	if !lost {
		w.step(i, -1, core.Input{Kind: core.InputWall, Wall: epoch + int64(w.now)})
	}
	for _, in := range past {
		w.step(i, -1, in)
	}
	w.step(i, -1, core.Input{Kind: core.InputWake})
}

// crash stops a process at once. What it had not made durable is lost.
func (w *world) crash(i int, lost bool) {
	p := &w.nodes[i]
	p.storage.attempt++
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
	p.running = false
	p.attention = attention{inbox: p.inbox[:0], stops: p.stops[:0], deafens: p.deafens[:0]}
	p.ran += w.now.Sub(p.started)
	w.faults.RecordsLost += uint64(p.storage.stop())
	w.sever(i)
	w.check.Stopped(w.now, i)
}

// resolve is the static name table: "n<i>:7946" is member i, as is its address. It returns -1 for any
// other name.
func (w *world) resolve(name string) int {
	if addr, err := netip.ParseAddrPort(name); err == nil {
		return w.index(addr)
	}
	host, ok := strings.CutSuffix(name, port)
	if i := check.Index(host); ok && i >= 0 && i < len(w.nodes) {
		return i
	}
	return -1
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
