package sim

import (
	"slices"
	"time"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/internal/mix"
)

// Links behave like TCP connections between machines that stay up while processes die: what is lost is
// sent again, a process that is gone refuses, and a path that is cut is noticed by time-outs alone.
const (
	dialTimeout = 5 * time.Second        // then the dialer hears FaultTimeout
	dialRetry   = time.Second            // between attempts to connect
	linkTimeout = 15 * time.Second       // unacknowledged this long, a link is down
	retryMin    = 200 * time.Millisecond // doubles with every failure in a row
	retryMax    = 3200 * time.Millisecond
	piecesMax   = 4       // that one write may be cut into
	cutPPM      = 250_000 // of writes are
)

// conn is one connection. It lives until both ends are closed.
type conn struct {
	gen    uint32 // counts the connections that used this slot
	number uint64 // n-th dial of this pair of members: keys its draws
	dialed core.Instant
	torn   bool   // by a reset: nothing passes any more
	ends   [2]end // 0 dialed, 1 accepted
}

// end is one end of a connection, and the way from it to the other.
type end struct {
	node    int32
	home    int32
	boot    uint32
	link    core.Link
	open    bool         // its process wants it and has not heard that it is down
	clear   core.Instant // nothing that leaves now arrives before this
	chunks  uint64
	tries   uint64
	backlog []int32 // slots of events that wait for the way to be free
	stalled core.Instant
	backoff time.Duration
}

// dial opens a connection for node i; evAccept follows at the peer, or evDown here.
func (w *world) dial(i int, e *core.Effect) {
	peer := w.index(e.To)
	if peer < 0 {
		peer = i // nobody lives there: a connection that is never accepted
	}
	k := w.newConn()
	number := w.net.dials.next(i, peer)
	p := &w.nodes[i]
	w.conns[k] = conn{gen: w.conns[k].gen + 1, number: number, dialed: w.now, ends: [2]end{
		{node: int32(i), home: p.home, boot: p.boot, link: e.Link, open: true, backoff: retryMin},
		{node: int32(peer), home: w.home(e.To), backoff: retryMin},
	}}
	p.conns = append(p.conns, k)
	if w.index(e.To) < 0 {
		w.faults.DialsStray++
		w.tell(k, 0, core.FaultUnreachable, w.now.Add(w.net.LatencyMax))
		return
	}
	w.connect(k, w.conns[k].gen)
}

// newConn takes a slot of conns.
func (w *world) newConn() (k int32) {
	if n := len(w.unused); n > 0 {
		k, w.unused = w.unused[n-1], w.unused[:n-1]
		return k
	}
	w.conns = append(w.conns, conn{})
	return int32(len(w.conns) - 1)
}

// connect makes one attempt to reach the peer.
func (w *world) connect(k int32, gen uint32) {
	c := &w.conns[k]
	if c.gen != gen || !c.ends[0].open {
		return
	}
	switch p, delay := w.attempt(c, 0, 0); {
	case delay == 0: // it does not arrive
	case p.hits(forRefuse, p.refuse):
		w.faults.DialsRejected++
		w.tell(k, 0, core.FaultUnreachable, w.now.Add(delay).Add(w.net.LatencyMax))
		return
	default:
		w.pushEvent(w.now.Add(delay), classInput, event{kind: evAccept, peer: k, gen: gen, node: c.ends[1].node})
		return
	}
	switch {
	case w.now.Add(dialRetry).Sub(c.dialed) < dialTimeout:
		w.faults.DialRetries++
		w.pushEvent(w.now.Add(dialRetry), classInput, event{kind: evDial, peer: k, gen: gen, node: c.ends[0].node})
	default:
		w.faults.DialTimeouts++
		w.tell(k, 0, core.FaultTimeout, c.dialed.Add(dialTimeout))
	}
}

// accept is where an attempt to connect meets the peer's machine.
func (w *world) accept(k int32, gen uint32) {
	c := &w.conns[k]
	if c.gen != gen || !c.ends[0].open {
		return
	}
	peer := &c.ends[1]
	p := &w.nodes[peer.node]
	if !p.running || p.home != peer.home {
		w.faults.DialsRefused++
		w.tell(k, 0, core.FaultUnreachable, w.now.Add(w.net.LatencyMax))
		return
	}
	p.accepted++
	peer.boot, peer.link, peer.open = p.boot, core.Accepted(p.accepted), true
	p.conns = append(p.conns, k)
	w.pushLink(w.now, k, 1, event{kind: evUp})
	w.transmit(k, 1, w.alloc(event{kind: evUp}))
}

// attempt sends something from one end of a connection, and its acknowledgement back. It reports how long the
// way there takes, or 0 if either does not arrive.
func (w *world) attempt(c *conn, side, size int) (there path, delay time.Duration) {
	e, far := &c.ends[side], &c.ends[1-side]
	pair, number := uint64(e.node)<<32|uint64(uint32(far.node)), c.number<<1|uint64(side)
	e.tries++
	there = path{from: int(e.node), to: int(far.node), size: size}
	there.key(pair, number, e.tries|ofLinks)
	back := path{from: there.to, to: there.from}
	w.net.meet(w.now, &there)
	w.net.meet(w.now, &back)
	loss := there.loss + back.loss
	switch {
	case there.blocked(w.now) || back.blocked(w.now) || there.full:
	case loss > 0 && chance(draw(w.net.seed, forRetry, pair, number, e.tries), loss):
	case there.hits(forFade, there.fade+back.fade) || there.hits(forBurst, there.burst+back.burst):
	case there.hits(forCorrupt, there.corrupt+back.corrupt):
		w.faults.ChunksCorrupted++
	default:
		e.chunks++
		delay = w.net.latency(draw(w.net.seed, forStream, pair, number, e.chunks))
		return there, delay + there.slow + there.queued
	}
	return there, 0
}

// ofLinks keeps the draws for chunks apart from those for datagrams.
const ofLinks = 1 << 63

// transmit sends an event from one end of a connection to the other, behind what is already waiting.
func (w *world) transmit(k int32, side int, slot int32) {
	if w.conns[k].torn {
		w.release(slot)
		return
	}
	e := &w.conns[k].ends[side]
	if len(e.backlog) > 0 || !w.tryTransmit(k, side, slot) {
		e.backlog = append(e.backlog, slot)
	}
	if len(e.backlog) == 1 {
		e.stalled, e.backoff = w.now, retryMin
		w.pushRetry(k, side)
	}
}

// tryTransmit sends one event, and reports false if it does not arrive. Then it is still to be sent.
func (w *world) tryTransmit(k int32, side int, slot int32) bool {
	c, ev := &w.conns[k], &w.events[slot]
	p, delay := w.attempt(c, side, len(ev.data))
	if delay == 0 {
		w.faults.ChunksResent++
		return false
	}
	e := &c.ends[side]
	e.clear = max(e.clear, w.now.Add(delay), p.stalled)
	if p.hits(forReset, p.reset) {
		w.release(slot)
		w.tear(k, side, delay)
		return true
	}
	if p.stalled > w.now {
		w.faults.ChunksStalled++
	}
	if ev.kind == evRead && p.hits(forDamage, p.damage) {
		w.faults.ChunksDamaged++
		ev.data = w.net.tap.damage(ev.data, p.mode, mix.Uint64(p.draw(forDamage)))
	}
	if ev.size > 0 { // the last piece of a write: its acknowledgement gives the window back
		w.pushLink(e.clear, k, side, event{kind: evFlushed, size: ev.size})
	}
	w.addLink(&w.events[slot], k, 1-side)
	w.queue.push(e.clear, classInput, slot)
	return true
}

// tear ends a connection from the middle, as a firewall does that has had enough: both ends hear so.
func (w *world) tear(k int32, side int, delay time.Duration) {
	c := &w.conns[k]
	w.faults.LinksTorn++
	c.torn = true
	w.drop(&c.ends[0])
	w.drop(&c.ends[1])
	w.tell(k, side, core.FaultClosed, w.now.Add(delay))
	if c.ends[1-side].open && !w.unheard(c, side) {
		w.tell(k, 1-side, core.FaultClosed, c.ends[side].clear)
	}
}

// unheard reports whether the end of a connection at one side never reaches the other.
func (w *world) unheard(c *conn, side int) bool {
	e, far := &c.ends[side], &c.ends[1-side]
	p := path{from: int(e.node), to: int(far.node)}
	p.key(uint64(e.node)<<32|uint64(uint32(far.node)), c.number<<1|uint64(side), ofLinks)
	w.net.meet(w.now, &p)
	if !p.hits(forUnheard, p.unheard) {
		return false
	}
	w.faults.EndsUnheard++
	return true
}

// retry sends the backlog of one end again.
func (w *world) retry(k int32, gen uint32, side int) {
	c := &w.conns[k]
	if c.gen != gen {
		return
	}
	e := &c.ends[side]
	for len(e.backlog) > 0 {
		slot := e.backlog[0]
		e.backlog = e.backlog[1:]
		if !w.tryTransmit(k, side, slot) {
			e.backlog = slices.Insert(e.backlog, 0, slot)
			break
		}
		e.stalled, e.backoff = w.now, retryMin
	}
	switch {
	case len(e.backlog) == 0:
		e.backlog = nil
	case w.now.Sub(e.stalled) < linkTimeout:
		e.backoff = min(2*e.backoff, retryMax)
		w.pushRetry(k, side)
	default:
		w.faults.LinksTimedOut++
		w.drop(e)
		w.tell(k, side, core.FaultTimeout, w.now)
	}
}

// write sends bytes over a link, cut anywhere.
func (w *world) write(i int, eff *core.Effect) {
	k, side := w.find(i, eff.Link)
	if k < 0 {
		return // the link went down while the node was writing
	}
	c := &w.conns[k]
	pair := uint64(c.ends[side].node)<<32 | uint64(uint32(c.ends[1-side].node))
	random := draw(w.net.seed, forCut, pair, c.number<<1|uint64(side), c.ends[side].chunks)
	pieces := 1
	if chance(random, cutPPM) {
		pieces = 2 + int(below(mix.Uint64(random), piecesMax-1))
		w.faults.ReadsCut++
	}
	rest := eff.Data
	for n := range pieces {
		random = mix.Uint64(random + 1)
		size := int(below(random, int64(len(rest))))
		slot := w.alloc(event{kind: evRead})
		if n == pieces-1 {
			size = len(rest)
			w.events[slot].size = int32(len(eff.Data))
		}
		w.load(slot, rest[:size])
		rest = rest[size:]
		w.transmit(k, side, slot)
	}
}

// hangUp closes node i's end of a link; the other end hears so after what was written.
func (w *world) hangUp(i int, link core.Link) {
	k, side := w.find(i, link)
	if k < 0 {
		return
	}
	c := &w.conns[k]
	w.shut(k, side)
	if c.ends[1-side].open && !w.unheard(c, side) {
		w.transmit(k, side, w.alloc(event{kind: evDown, fault: core.FaultClosed}))
	}
}

// sever ends all links of a process that died: its machine resets them, if the way is open.
func (w *world) sever(i int) {
	for p := &w.nodes[i]; len(p.conns) > 0; {
		k := p.conns[0]
		c := &w.conns[k]
		side := 0
		if c.ends[0].node != int32(i) || !c.ends[0].open {
			side = 1
		}
		w.drop(&c.ends[side])
		w.shut(k, side)
		w.reset(k, 1-side)
	}
}

// reset tells one end that the other knows of no such link. Nobody sends it again if it is lost.
func (w *world) reset(k int32, side int) {
	c := &w.conns[k]
	if !c.ends[side].open || w.unheard(c, 1-side) {
		return
	}
	w.faults.LinksReset++
	if _, delay := w.attempt(c, 1-side, 0); delay > 0 {
		far := &c.ends[1-side]
		far.clear = max(far.clear, w.now.Add(delay))
		w.tell(k, side, core.FaultClosed, far.clear)
	}
}

// unknownLink answers bytes for a link that this end has closed, or lost with its process.
func (w *world) unknownLink(ev *event) {
	if w.conns[ev.peer].gen == ev.gen {
		w.reset(ev.peer, int(1-ev.side))
	}
}

// linkInput completes an input about a link; it reports false if its node must not hear it.
func (w *world) linkInput(ev *event, in *core.Input) bool {
	c := &w.conns[ev.peer]
	if c.gen != ev.gen {
		return false
	}
	e := &c.ends[ev.side]
	if !e.open {
		if ev.kind == evRead {
			w.unknownLink(ev)
		}
		return false
	}
	in.Link, in.From = e.link, address(int(c.ends[1-ev.side].home))
	switch ev.kind {
	case evUp:
		in.Kind = core.InputUp
	case evRead:
		in.Kind, in.Data, in.Size = core.InputRead, ev.data, 0
	case evFlushed:
		in.Kind = core.InputFlushed
	case evDown:
		in.Kind = core.InputDown
		w.shut(ev.peer, int(ev.side))
	}
	return true
}

// shut closes one end. When both are, the connection is gone.
func (w *world) shut(k int32, side int) {
	c := &w.conns[k]
	e := &c.ends[side]
	e.open = false
	p := &w.nodes[e.node]
	if at := slices.Index(p.conns, k); at >= 0 {
		p.conns = slices.Delete(p.conns, at, at+1)
	}
	if c.ends[0].open || c.ends[1].open {
		return
	}
	w.drop(&c.ends[0])
	w.drop(&c.ends[1])
	c.gen++
	w.unused = append(w.unused, k)
}

// drop forgets what waits to leave from an end.
func (w *world) drop(e *end) {
	for _, slot := range e.backlog {
		w.release(slot)
	}
	e.backlog = nil
}

// find looks up a link of node i: its connection, or -1, and which end of it.
func (w *world) find(i int, link core.Link) (k int32, side int) {
	for _, k := range w.nodes[i].conns {
		for side := range w.conns[k].ends {
			if e := &w.conns[k].ends[side]; e.node == int32(i) && e.open && e.link == link {
				return k, side
			}
		}
	}
	return -1, 0
}

// tell lets one end hear, at some time, that its link is down.
func (w *world) tell(k int32, side int, f core.Fault, at core.Instant) {
	w.pushLink(at, k, side, event{kind: evDown, fault: f})
}

func (w *world) pushRetry(k int32, side int) {
	c := &w.conns[k]
	w.pushLink(w.now.Add(c.ends[side].backoff), k, side, event{kind: evRetry})
}

func (w *world) pushLink(at core.Instant, k int32, side int, ev event) {
	w.addLink(&ev, k, side)
	w.pushEvent(at, classInput, ev)
}

// addLink addresses an event to one end of a connection.
func (w *world) addLink(ev *event, k int32, side int) {
	c := &w.conns[k]
	ev.peer, ev.side, ev.gen = k, uint8(side), c.gen
	ev.node, ev.boot = c.ends[side].node, c.ends[side].boot
}
