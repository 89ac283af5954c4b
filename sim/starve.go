package sim

import (
	"slices"
	"time"

	"github.com/nekton-go/nekton/core"
)

// A process that does not get to run, or to listen. Its kernel still receives: what arrives waits, as much of
// it as there is room for, and is looked at in order once the process catches up.

const (
	inboxMax   = 1024 // datagrams that wait for a process, unless Op.Size says otherwise; more are dropped
	serviceMin = 20 * time.Microsecond
	serviceMax = 50 * time.Microsecond // that a starved process takes for each thing it catches up on
)

// attention is what one process looks at, and what waits until it does.
type attention struct {
	behind  bool // it was stopped and has not caught up: overdue timers take turns with its inbox
	woken   bool // it has been woken since
	order   wakeOrder
	busy    bool         // catching up takes time
	next    core.Instant // when it looks again, or core.Never
	stops   []int32      // the operations that keep it from running
	deafens []int32      // the operations that keep it from receiving, while its timers run
	inbox   []int32      // slots of events, in the order in which they came
	room    int          // for datagrams in it, by what stops the process: the least, if that is more than one
	seen    int          // inbox[:seen] has been handled
	waiting int          // datagrams among the rest
	turns   uint64
}

// wakeOrder is in which order a process that could not run does what is overdue.
type wakeOrder uint8

const (
	// dueTime is a host that knows when inputs came (core.Input.At): timers fire as if it had been prompt.
	dueTime wakeOrder = iota
	// timersFirst is a host that finds its timers overdue before it reads its sockets, and takes what it
	// reads then as new.
	timersFirst
	// messagesFirst is a host that reads all there is before it looks at its timers.
	messagesFirst
	// randomOrder does either, anew each time.
	randomOrder
)

var wakeOrders = [...]string{
	dueTime: "", timersFirst: "timers-first", messagesFirst: "messages-first", randomOrder: "random",
}

// Modes of Starve in which timers run.
const (
	deaf = "receive" // and nothing is received
	mute = "send"    // and nothing is sent
	both = "network" // and neither
)

func orderOf(mode string) wakeOrder { return wakeOrder(max(slices.Index(wakeOrders[:], mode), 0)) }

// halt keeps member i from running, or receiving, on behalf of an operation. It reports whether that is new.
func (w *world) halt(i int, op int32) bool {
	p, o := &w.nodes[i], &w.ops[op]
	if !p.running || slices.Contains(p.stops, op) || slices.Contains(p.deafens, op) {
		return false
	}
	if o.Mode == mute || o.Mode == both {
		until := w.now.Add(o.Extra)
		if o.Until > 0 {
			until = min(until, core.Instant(o.Until))
		}
		p.clear = max(p.clear, until)
	}
	if o.Mode != mute {
		room := orElse(o.Size, inboxMax)
		if len(p.stops)+len(p.deafens) > 0 {
			room = min(room, p.room)
		}
		p.room = room
	}
	switch o.Mode {
	case mute:
	case deaf, both:
		p.deafens = append(p.deafens, op)
	default:
		p.stops = append(p.stops, op)
	}
	return true
}

// resume ends what halt began. A process that nothing else holds catches up.
func (w *world) resume(i int, op int32) {
	p := &w.nodes[i]
	if at := slices.Index(p.deafens, op); at >= 0 {
		p.deafens = slices.Delete(p.deafens, at, at+1)
	} else if at := slices.Index(p.stops, op); at >= 0 {
		p.stops = slices.Delete(p.stops, at, at+1)
		p.behind, p.order = true, orderOf(w.ops[op].Mode)
	} else {
		return // its process died meanwhile
	}
	p.busy = w.ops[op].Kind == Starve
	if p.next == core.Never && len(p.stops) == 0 {
		w.turn(i)
	}
}

// starve keeps members from running for Extra, and again every Every.
func (w *world) starve(index int32) {
	op := &w.ops[index]
	for _, i := range op.Nodes {
		if w.halt(i, index) {
			w.faults.Starvations++
		}
	}
	w.pushEvent(w.now.Add(op.Extra), classSchedule, event{kind: evFed, node: index})
}

// fed lets starved members run until the next time.
func (w *world) fed(index int32) {
	op := &w.ops[index]
	for _, i := range op.Nodes {
		w.resume(i, index)
	}
	again := w.now.Add(op.Every - op.Extra)
	if op.Every > 0 && (op.Until == 0 || again < core.Instant(op.Until)) {
		w.pushEvent(again, classSchedule, event{kind: evStarve, node: index})
	}
}

// park keeps an event that its node must not look at yet, and reports whether it did.
func (w *world) park(slot int32) bool {
	ev := &w.events[slot]
	p := &w.nodes[ev.node]
	if !p.running {
		return false
	}
	received := ev.kind < evWall
	if received && w.delay(slot) {
		return true
	}
	stopped, deaf := len(p.stops) > 0 || p.behind, len(p.deafens) > 0 || p.next != core.Never
	if !stopped && (!deaf || !received) {
		return false
	}
	if ev.kind == evDatagram {
		if p.waiting >= p.room {
			w.faults.InboxDropped++
			w.release(slot)
			return true
		}
		p.waiting++
	}
	ev.at = w.now
	p.inbox = append(p.inbox, slot)
	return true
}

// turn lets a process catch up: at once, or one thing at a time if it is busy.
func (w *world) turn(i int) {
	p := &w.nodes[i]
	p.next = core.Never
	for p.running && len(p.stops) == 0 {
		p.turns++
		random := draw(w.seed, forTurn, uint64(i), uint64(p.boot), p.turns)
		switch {
		case p.timersNow(random, w.now):
			p.woken, w.cause = true, 0
			w.give(i, core.Input{Kind: core.InputWake})
		case p.seen == len(p.inbox) || len(p.deafens) > 0:
			w.caughtUp(i)
			return
		default:
			w.look(i, random)
		}
		if p.busy && p.running {
			p.next = w.now.Add(serviceMin + time.Duration(below(random, int64(serviceMax-serviceMin)+1)))
			w.pushEvent(p.next, classInput, event{kind: evTurn, node: int32(i), boot: p.boot})
			return
		}
	}
}

// timersNow reports whether overdue timers come before what waits in the inbox.
func (p *process) timersNow(random uint64, now core.Instant) bool {
	first := p.order == timersFirst && !p.woken || p.order == randomOrder && random&1 == 0
	return p.behind && first && p.verbs.Deadline() <= p.clock.tell(now)
}

// look gives a process the oldest event in its inbox.
func (w *world) look(i int, random uint64) {
	p := &w.nodes[i]
	slot := p.inbox[p.seen]
	p.seen++
	ev := w.events[slot]
	if ev.kind == evDatagram {
		p.waiting--
	}
	switch {
	case !p.behind || p.order == timersFirst:
		ev.at = 0
	case p.order == dueTime:
		ev.at = p.clock.tell(ev.at)
	default:
		ev.at = max(1, min(p.clock.tell(ev.at), p.verbs.Deadline()-1))
	}
	w.faults.InputsLate++
	w.cause = ev.cause
	w.input(&ev)
	w.release(slot)
}

// caughtUp lets a process go on as usual, unless it receives nothing and something waits.
func (w *world) caughtUp(i int) {
	p := &w.nodes[i]
	p.behind, p.woken = false, false
	p.inbox = append(p.inbox[:0], p.inbox[p.seen:]...)
	p.seen = 0
	w.rewake(i)
}
