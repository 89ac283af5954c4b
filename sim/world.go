package sim

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/stack"
	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/sim/check"
)

// world is one run: a clock that jumps from event to event, and what the events happen to.
type world struct {
	now    core.Instant
	queue  wheel
	events []event // slab; entries of queue name its slots
	free   []int32
	large  [][]byte // unused buffers that are larger than most events need
	err    error    // ends the run: a node that cannot be built, or never rests

	seed   uint64
	node   stack.Config // what all nodes have in common
	make   Factory
	sealed bool // see Case.Sealed
	nodes  []process
	tables *directory
	conns  []conn
	unused []int32 // free slots of conns
	net    network
	disks  []diskRule // open windows
	ops    []Op
	ailing []int32 // operations whose windows are open, of those that ail machines; see condition.go

	tenants []int32 // who lives at which address, or -1; see home.go

	checkpoints checkpoints
	blind       bool   // no oracle looks
	fetched     uint64 // means nothing; see next

	hash      hash
	trace     tracer
	stepping  bool // a node is in Step
	watch     func(*Step)
	inside    *Inside // of this step; nil unless the cluster is sealed and watched
	stop      func() bool
	apart     string       // see Result.Apart
	latest    core.Instant // when views must agree
	firstOnly bool
	call      func(node int, op *Op) core.Command
	effects   []core.Effect // of this step, for watch
	windows   int           // of faults, open
	cause     uint64        // the step that what happens now goes back to, or 0
	check     *check.Checker
	measure   measure
	faults    Faults
	lost      []Packet // the first of them
	steps     uint64
	packets   uint64
	bytes     uint64

	// The input and the effect being handled: fields so that oracles may see them and they do not escape.
	in     core.Input
	effect core.Effect
}

// event is one thing that will happen. Which fields count depends on kind.
type event struct {
	kind    eventKind
	fault   core.Fault
	side    uint8  // of a connection: the end it happens to
	late    bool   // it has waited for a slow receiver
	node    int32  // the member it happens to; the operation, for evBegin and evEnd
	peer    int32  // the sender of a datagram; the connection, for link events
	boot    uint32 // which of its processes; of a datagram, the address it is for
	gen     uint32 // of the connection; of a datagram, the address it is from
	size    int32
	cause   uint64 // the step it goes back to, or 0
	token   core.Token
	at      core.Instant // when it reached a node that did not look, 0 if that did; for evInspect, how often
	command core.Command
	data    []byte // for evResolved, the name
}

type eventKind uint8

const (
	evNone  eventKind = iota // a free slot
	evBegin                  // an operation
	evEnd
	evBoot    // a process that could not start is started again
	evInspect // the harness asks every node for its counts
	evDial    // an attempt to connect; see link.go
	evAccept  // it reached the peer
	evRetry   // a chunk did not get through; again
	evAttack  // a stranger strikes
	evStarve  // an operation of its kind bites; see starve.go
	evFed     // it lets go
	evTurn    // a process that catches up looks at the next thing
	evOut     // an effect takes place, late
	// What follows is input to a node.
	evDatagram
	evUp
	evRead
	evFlushed
	evDown
	evResolved
	evWall
	evStored
	evCommand
)

const (
	port       = ":7946"
	payloadMax = 4096 // capacity of a buffer that stays with its slot for reuse, in bytes
	largeMax   = 64   // larger ones that are kept for any slot
	spinsMax   = 1000 // wakes of one node at one instant
)

// run lets everything happen that is due by the end, or until stop says so.
func (w *world) run(end core.Instant, stop func() bool) {
	for w.err == nil && !w.queue.empty() && w.next() <= end && !stop() && !w.broken() {
		if w.stop != nil && w.stop() {
			w.err = ErrStopped
			return
		}
		e := w.queue.pop()
		w.now = e.at
		if e.slot < 0 {
			w.wake(^int(e.slot), e.at)
		} else {
			w.fire(e.slot)
		}
	}
	if w.err == nil && !stop() && !w.broken() {
		w.now = max(w.now, end)
	}
}

// next is when the next event happens. Whenever the queue has turned it reads what is due now, so that the
// processor waits for slow memory once for all of that, not for each event in turn.
func (w *world) next() core.Instant {
	if w.queue.ready() {
		return w.queue.next()
	}
	at := w.queue.next()
	for _, e := range w.queue.due {
		if e.slot >= 0 {
			if ev := &w.events[e.slot]; len(ev.data) > 0 {
				w.fetched += ev.cause + uint64(ev.data[0])
			}
		}
	}
	return at
}

// broken says whether the run ends because a rule was broken.
func (w *world) broken() bool { return w.firstOnly && w.check.Log().Count() > 0 }

// fire lets one event happen.
func (w *world) fire(slot int32) {
	ev := &w.events[slot] // good while others come and go: nobody writes to it, even if the slab moves
	w.cause = ev.cause
	switch ev.kind {
	case evBegin:
		w.begin(ev.node)
	case evEnd:
		w.end(ev.node)
	case evBoot:
		if w.nodes[ev.node].storage.attempt == ev.boot {
			w.boot(int(ev.node), false)
		}
	case evInspect:
		w.inspect(time.Duration(ev.at))
	case evDial:
		w.connect(ev.peer, ev.gen)
	case evAccept:
		w.accept(ev.peer, ev.gen)
	case evRetry:
		w.retry(ev.peer, ev.gen, int(ev.side))
	case evAttack:
		w.attack(ev.node, int(ev.size))
	case evStarve:
		w.starve(ev.node)
	case evFed:
		w.fed(ev.node)
	case evTurn:
		if ev.boot == w.nodes[ev.node].boot {
			w.turn(int(ev.node))
		}
	case evOut:
		if ev.boot == w.nodes[ev.node].boot {
			w.perform(ev)
		}
	default:
		if ev.kind == evDatagram && !w.arrives(slot) {
			break
		}
		if w.park(slot) {
			return
		}
		w.input(&w.events[slot]) // which may have found another node
	}
	w.release(slot)
}

// input gives one event to the node it is for, if that still runs.
func (w *world) input(ev *event) {
	p := &w.nodes[ev.node]
	if !p.running || ev.kind != evDatagram && ev.boot != p.boot {
		switch ev.kind {
		case evRead:
			w.unknownLink(ev)
		case evDatagram:
			w.faults.Unheard++
		}
		return
	}
	w.in = core.Input{At: ev.at, Fault: ev.fault, Token: ev.token, Size: int(ev.size)}
	in := &w.in
	switch ev.kind {
	case evDatagram:
		w.net.delivered++
		in.Kind, in.From, in.Data = core.InputDatagram, address(int(int32(ev.gen))), ev.data
	case evResolved:
		in.Kind = core.InputResolved
		if home := w.resolve(string(ev.data)); home >= 0 {
			in.Addrs = []netip.AddrPort{address(int(home))}
		}
	case evWall:
		in.Kind, in.Wall = core.InputWall, p.wall(w.now)
	case evStored:
		in.Kind = core.InputStored
		if in.Fault = w.commit(int(ev.node)); in.Fault != core.FaultNone {
			w.check.Amnesia(int(ev.node))
		}
	case evCommand:
		in.Kind, in.Command = core.InputCommand, ev.command
	default:
		if !w.linkInput(ev, in) {
			return
		}
	}
	w.step(int(ev.node), ev.peer)
}

// give lets a node handle an input that is not an event's.
func (w *world) give(i int, in core.Input) {
	w.in = in
	w.step(i, -1)
}

// step drives one node through one input, w.in, and does what it asks.
func (w *world) step(i int, from int32) {
	p := &w.nodes[i]
	if !p.running {
		return // it died on the way here
	}
	w.steps++
	before := w.cause
	w.cause = w.steps
	told := p.clock.tell(w.now)
	w.hash.step(told, i, from, &w.in)
	if !w.blind {
		w.check.Input(w.now, i, &w.in)
	}
	w.stepping = true
	p.verbs.Step(told, w.in)
	w.stepping = false
	nth := 0
	for {
		var ok bool
		if w.effect, ok = p.verbs.Next(); !ok {
			break
		}
		if nth++; p.fuse > 0 && nth > p.fuse {
			w.blow(i)
		}
		if !p.running {
			continue // the rest of the step does not happen
		}
		w.hash.effect(&w.effect)
		w.trace.effect(w.now, i, &w.effect)
		if !w.blind {
			w.check.Effect(w.now, i, &w.effect)
		}
		w.do(i, &w.effect)
		if w.watch != nil {
			w.effects = append(w.effects, w.effect)
		}
	}
	w.checkpoints.reach(w.steps, w.hash.sum)
	if !w.blind {
		w.check.Stepped(w.now, i)
	}
	w.rewake(i)
	w.cause = 0
	if w.watch != nil {
		w.show(i, before, &w.in)
	}
}

// do carries out an effect, now or, if the process is slow to send, later.
func (w *world) do(i int, e *core.Effect) {
	if !w.later(i, e) {
		w.act(i, e)
	}
}

func (w *world) act(i int, e *core.Effect) {
	p := &w.nodes[i]
	switch e.Kind {
	case core.EffectSend:
		w.send(i, e)
	case core.EffectDial:
		w.dial(i, e)
	case core.EffectWrite:
		w.write(i, e)
	case core.EffectClose:
		w.hangUp(i, e.Link)
	case core.EffectResolve:
		ev := event{kind: evResolved, node: int32(i), boot: p.boot, token: e.Token}
		if w.resolve(e.Name) < 0 {
			ev.fault = core.FaultNotFound
		}
		slot := w.alloc(ev)
		w.load(slot, []byte(e.Name))
		w.queue.push(w.now.Add(resolveTime), classInput, slot)
	case core.EffectAppend, core.EffectCompact:
		w.journal(i, e)
	case core.EffectEmit:
		w.observe(i, e.Event)
	}
}

// rewake queues a wake for a node's deadline, unless one no later is queued already.
func (w *world) rewake(i int) {
	p := &w.nodes[i]
	if !p.running || p.behind {
		return
	}
	if at := max(w.due(i), w.now); at < p.wakeAt {
		p.wakeAt = at
		w.queue.push(at, classWake, int32(^i))
	}
}

// wake steps a node whose deadline has come. Deadlines that moved out leave their wakes behind.
func (w *world) wake(i int, at core.Instant) {
	p := &w.nodes[i]
	if at != p.wakeAt {
		return
	}
	p.wakeAt, w.cause = core.Never, 0
	if !p.running || len(p.stops) > 0 || p.behind {
		return
	}
	if w.due(i) > w.now {
		w.rewake(i)
		return
	}
	if p.spins++; at != p.spunAt {
		p.spins, p.spunAt = 0, at
	}
	if p.spins > spinsMax {
		w.err = fmt.Errorf("%s asked to be woken %d times at %v and never moved its deadline",
			check.Name(i), spinsMax, at)
		return
	}
	if p.slack > 0 {
		w.faults.TimersLate++
	}
	w.give(i, core.Input{Kind: core.InputWake})
}

// inspect asks every node for its counts, then again after a while.
func (w *world) inspect(every time.Duration) {
	for i := range w.nodes {
		if w.nodes[i].running {
			w.command(i, swim.Inspect{ID: w.commandID(i)})
		}
	}
	w.pushEvent(w.now.Add(every), classProbe, event{kind: evInspect, at: core.Instant(every)})
}

// command gives a node a command, now.
func (w *world) command(i int, c core.Command) {
	w.pushEvent(w.now, classInput, event{kind: evCommand, node: int32(i), boot: w.nodes[i].boot, command: c})
}

// commandID numbers the commands of one node, so that those of others do not shift it.
func (w *world) commandID(i int) uint64 {
	w.nodes[i].commands++
	return w.nodes[i].commands
}

func (w *world) pushEvent(at core.Instant, c class, ev event) {
	w.queue.push(at, c, w.alloc(ev))
}

// alloc takes a slot of the slab; its buffer, if it has one, is kept.
func (w *world) alloc(ev event) int32 {
	slot := w.slot()
	ev.cause, ev.data = w.cause, w.events[slot].data[:0]
	w.events[slot] = ev
	return slot
}

// slot returns a free slot. But for its buffer it holds what it held last.
func (w *world) slot() (slot int32) {
	last := len(w.free) - 1
	if last < 0 {
		w.events = append(w.events, event{})
		return int32(len(w.events) - 1)
	}
	slot, w.free = w.free[last], w.free[:last]
	return slot
}

// load gives an event its payload.
func (w *world) load(slot int32, payload []byte) {
	ev := &w.events[slot]
	if last := len(w.large) - 1; len(payload) > payloadMax && last >= 0 {
		ev.data, w.large = w.large[last], w.large[:last]
	}
	ev.data = append(ev.data[:0], payload...)
}

func (w *world) release(slot int32) {
	ev := &w.events[slot]
	if cap(ev.data) > payloadMax {
		if len(w.large) < largeMax {
			w.large = append(w.large, ev.data)
		}
		ev.data = nil
	}
	ev.kind, ev.command = evNone, nil // a free slot is no datagram that is still on its way: see ledger
	w.free = append(w.free, slot)
}
