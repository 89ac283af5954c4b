package sim

import (
	"slices"
	"time"

	"github.com/nekton-go/nekton/core"
)

// condition is what ails the machine that a member's processes run on, one after the other. It follows from
// the faults whose windows are open, and from nothing else.
type condition struct {
	slack      time.Duration // its timers are late by up to this much
	receiveLag time.Duration // likewise what it receives
	sendLag    time.Duration // and sends
	wallStep   time.Duration // its wall clock is off by this
	wallStands core.Instant  // its wall clock stands since, if that is not 0
}

// ail opens the window of a fault of machines.
func (w *world) ail(index int32) {
	w.ailing = append(w.ailing, index)
	w.diagnose(index)
}

// heal closes it.
func (w *world) heal(index int32) {
	if at := slices.Index(w.ailing, index); at >= 0 {
		w.ailing = slices.Delete(w.ailing, at, at+1)
	}
	w.diagnose(index)
}

// diagnose works out anew what ails the members of an operation.
func (w *world) diagnose(index int32) {
	op := &w.ops[index]
	for _, i := range op.Nodes {
		w.examine(i)
		if op.Kind == WallStep || op.Kind == WallStop {
			w.faults.WallsChanged++
			w.pushEvent(w.now, classInput, event{kind: evWall, node: int32(i), boot: w.nodes[i].boot})
		}
	}
}

// examine works out what ails one member's machine.
func (w *world) examine(i int) {
	p := &w.nodes[i]
	c, rate, grain, still := condition{}, int64(0), time.Duration(0), false
	for _, k := range w.ailing {
		op := &w.ops[k]
		if !slices.Contains(op.Nodes, i) {
			continue
		}
		switch op.Kind {
		case Freeze:
			still = still || slices.Contains(p.stops, k)
		case Slack:
			c.slack = max(c.slack, op.Extra)
		case SlowReceive:
			c.receiveLag = max(c.receiveLag, op.Extra)
		case SlowSend:
			c.sendLag = max(c.sendLag, op.Extra)
		case ClockRate:
			rate += op.signed(int64(op.PPM))
		case ClockGrain:
			grain = max(grain, op.Extra)
		case WallStep:
			c.wallStep += time.Duration(op.signed(int64(op.Extra)))
		case WallStop:
			c.wallStands = max(core.Instant(op.At), 1)
		}
	}
	p.condition = c
	if p.clock.change(w.now, still, rate, grain) {
		w.faults.ClocksChanged++
	}
	if p.running {
		w.rewake(i)
	}
}

// Modes of operations that take away what they add otherwise.
const (
	slower = "slower"
	back   = "back"
)

// signed is v, or what it comes to in the opposite direction.
func (o *Op) signed(v int64) int64 {
	switch o.Mode {
	case slower, back, shorter:
		return -v
	}
	return v
}

// wall is what a member's wall clock reads, in ns since 1970.
func (p *process) wall(now core.Instant) int64 {
	if p.wallStands > 0 {
		now = p.wallStands
	}
	return epoch + int64(p.clock.tell(now)) + int64(p.wallStep)
}

// due is when member i's machine wakes it for its next deadline.
func (w *world) due(i int) core.Instant {
	p := &w.nodes[i]
	deadline := p.verbs.Deadline()
	at := p.clock.when(deadline)
	if p.slack == 0 || at == core.Never {
		return at
	}
	random := draw(w.seed, forSlack, uint64(i), uint64(p.boot), uint64(deadline))
	return at.Add(time.Duration(below(random, int64(p.slack)+1)))
}

// later puts off what a process sends, if it is slow to, and reports whether it did.
func (w *world) later(i int, e *core.Effect) bool {
	p := &w.nodes[i]
	if p.sendLag == 0 && p.clear < w.now { // what was put off before has left
		return false
	}
	switch e.Kind {
	case core.EffectSend, core.EffectDial, core.EffectWrite, core.EffectClose:
	default:
		return false
	}
	p.sends++
	random := draw(w.seed, forSend, uint64(i), uint64(p.boot), p.sends)
	p.clear = max(p.clear, w.now.Add(time.Duration(below(random, int64(p.sendLag)+1))))
	w.faults.EffectsLate++
	slot := w.alloc(event{
		kind: evOut, node: int32(i), boot: p.boot, peer: w.home(e.To), size: int32(e.Kind), token: core.Token(e.Link),
	})
	ev := &w.events[slot]
	ev.data = append(ev.data[:0], e.Data...)
	w.queue.push(p.clear, classInput, slot)
	return true
}

// perform lets happen what was put off.
func (w *world) perform(ev *event) {
	w.effect = core.Effect{Kind: core.EffectKind(ev.size), Link: core.Link(ev.token), Data: ev.data}
	if ev.peer >= 0 {
		w.effect.To = address(int(ev.peer))
	}
	w.act(int(ev.node), &w.effect)
}

// delay lets a slow receiver hear of something later, in order, and reports whether it did.
func (w *world) delay(slot int32) bool {
	ev := &w.events[slot]
	p := &w.nodes[ev.node]
	if p.receiveLag == 0 && p.heard < w.now || ev.late {
		return false
	}
	p.received++
	random := draw(w.seed, forReceive, uint64(ev.node), uint64(p.boot), p.received)
	p.heard = max(p.heard, w.now.Add(time.Duration(below(random, int64(p.receiveLag)+1))))
	ev.late = true
	w.faults.InputsSlow++
	w.queue.push(p.heard, classInput, slot)
	return true
}
