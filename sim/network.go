package sim

import (
	"slices"
	"time"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/internal/mix"
	"github.com/nekton-go/nekton/internal/mutant"
)

// Network is how packets travel when no fault is scheduled. The zero value of a field means its default.
type Network struct {
	// LatencyMin and LatencyMax bound the one-way delay, which is drawn for each packet; default 0.5 ms
	// to 1.5 ms, at least 1 ns. Packets overtake each other accordingly.
	LatencyMin, LatencyMax time.Duration
	// Shape is how the delay is distributed above LatencyMin: "constant", "even", "exponential", "log-normal"
	// or "pareto", with a mean of LatencyMean in all, at least LatencyMin. What exceeds LatencyMax is
	// LatencyMax, which then is 100 times LatencyMean by default. Without a Shape the delay is even between
	// the bounds, and LatencyMean means nothing.
	Shape       string
	LatencyMean time.Duration
}

func (n Network) defaulted() Network {
	switch {
	case n.Shape != "":
		n.LatencyMin = orElse(n.LatencyMin, 1)
		n.LatencyMax = orElse(n.LatencyMax, outliers*n.LatencyMean)
	case n.LatencyMin == 0 && n.LatencyMax == 0:
		n.LatencyMin, n.LatencyMax = 500*time.Microsecond, 1500*time.Microsecond
	}
	return n
}

func (n *Network) validate() error {
	switch {
	case n.LatencyMin <= 0 || n.LatencyMax < n.LatencyMin || n.LatencyMax > forMax:
		return badOption("a latency of %v to %v; use more than 0, the least first, and at most %v",
			n.LatencyMin, n.LatencyMax, forMax)
	case n.Shape == "":
	case !slices.Contains(shapes, n.Shape):
		return badOption("a latency of shape %q; use one of %q", n.Shape, shapes)
	case n.LatencyMean < n.LatencyMin || n.LatencyMean > n.LatencyMax:
		return badOption("a mean latency of %v; use %v to %v", n.LatencyMean, n.LatencyMin, n.LatencyMax)
	}
	return nil
}

// latency maps random bits to a delay.
func (n *Network) latency(random uint64) time.Duration {
	if n.Shape == "" {
		return n.LatencyMin + time.Duration(below(random, int64(n.LatencyMax-n.LatencyMin)+1))
	}
	return min(n.LatencyMin+sample(n.Shape, n.LatencyMean-n.LatencyMin, random), n.LatencyMax)
}

// network decides what becomes of packets. Faults are a short list, so a calm network costs nothing;
// the only state per pair is a count of its packets, which keys their draws.
type network struct {
	Network
	seed  uint64
	rules []rule
	drops []Packet // that will be lost, whatever else
	sent  counts
	dials counts
	tap   tap

	delivered, injected uint64 // datagrams: see Ledger
}

func newNetwork(c *Case) network {
	return network{Network: c.Network, seed: c.Seed, sent: make(counts, c.Nodes), dials: make(counts, c.Nodes)}
}

// A Packet is one datagram of a run: the Nth that one member sent to another.
type Packet struct{ From, To, Nth int }

// lostMax is how many lost packets are kept by name.
const lostMax = 256

// rule is one open window of a network fault.
type rule struct {
	Op
	index   int32
	sides   []sides        // of every member
	salt    uint64         // keeps the draws of this rule apart from those of others of its kind
	free    []core.Instant // when each sender's uplink is free: see bandwidth
	weather []weather      // of the paths that were used last: see burst
}

// sides are the ends of an operation, Nodes and Peers, that a member is at: one, both or neither.
type sides uint8

const (
	near sides = 1 << iota // among Op.Nodes
	far                    // among Op.Peers
)

// sidesOf finds the sides of n members. Without Nodes, or Peers, everybody is there.
func sidesOf(op *Op, n int) []sides {
	all := make([]sides, n)
	for _, end := range [...]struct {
		members []int
		side    sides
	}{{op.Nodes, near}, {op.Peers, far}} {
		for _, i := range end.members {
			all[i] |= end.side
		}
		for i := 0; len(end.members) == 0 && i < n; i++ {
			all[i] |= end.side
		}
	}
	return all
}

func (n *network) add(index int32, op *Op) {
	nodes := len(n.sent)
	r := rule{
		Op: *op, index: index, salt: mix.Uint64(uint64(op.At)),
		sides: sidesOf(op, nodes),
	}
	switch op.Kind {
	case Drop:
		n.drops = append(n.drops, Packet{op.Nodes[0], op.Peers[0], op.Nth})
		return
	case Bandwidth:
		r.free = make([]core.Instant, nodes)
	case Corrupt:
		n.tap.users++
	}
	n.rules = append(n.rules, r)
}

func (n *network) remove(index int32) {
	for i := range n.rules {
		if n.rules[i].index == index {
			if n.rules[i].Kind == Corrupt {
				n.tap.users--
			}
			n.rules = slices.Delete(n.rules, i, i+1)
			return
		}
	}
}

func (r *rule) applies(from, to int) bool {
	a, b := r.sides[from], r.sides[to]
	return a&near != 0 && b&far != 0 || !r.OneWay && b&near != 0 && a&far != 0
}

// send puts one datagram on its way.
func (w *world) send(from int, e *core.Effect) {
	w.packets++
	w.bytes += uint64(len(e.Data))
	to := w.index(e.To)
	if to < 0 {
		w.faults.Stray++
		return
	}
	if w.node.Swim.Mutant == mutant.LosePacket && w.packets%100 == 0 {
		return
	}
	w.net.tap.hear(from, e.Data)
	nth := w.net.sent.next(from, to)
	if w.net.calm() {
		random := draw(w.net.seed, forLatency, uint64(from), uint64(to), nth)
		w.packet(from, to, w.now.Add(w.net.latency(random)), e.Data)
		return
	}
	p := path{from: from, to: to, size: len(e.Data)}
	p.key(uint64(from), uint64(to), nth)
	w.net.meet(w.now, &p)
	if why := w.intercept(&p); why != "" {
		w.trace.lost(w.now, from, to, why)
		return
	}
	delay := w.net.latency(p.draw(forLatency)) + w.detour(&p)
	slot := w.packet(from, to, max(w.now, p.held).Add(delay), e.Data)
	if p.hits(forDamage, p.damage) {
		w.faults.PacketsDamaged++
		ev := &w.events[slot]
		ev.data = w.net.tap.damage(ev.data, p.mode, mix.Uint64(p.draw(forDamage)))
	}
	if p.hits(forDuplicate, p.duplicate) {
		w.faults.PacketsDuplicated++
		random := mix.Uint64(p.draw(forDuplicate))
		delay := w.net.latency(random) + time.Duration(below(mix.Uint64(random), int64(p.again)+1))
		w.packet(from, to, max(w.now, p.held).Add(delay), e.Data)
	}
}

// intercept decides whether a datagram is stopped on its way, and says by what.
func (w *world) intercept(p *path) (why string) {
	f := &w.faults
	switch {
	case p.cut:
		f.PacketsCut++
		return "cut"
	case p.mtu > 0 && p.size > p.mtu:
		f.PacketsTooLarge++
		return "too large"
	case p.full:
		f.PacketsCrowdedOut++
		return "no room"
	case p.hits(forCorrupt, p.corrupt):
		f.PacketsCorrupted++
		why = "corrupted"
	case p.hits(forLoss, p.loss), w.net.drops != nil && slices.Contains(w.net.drops, Packet{p.from, p.to, int(p.n)}):
		f.PacketsLost++
		why = "lost"
	case p.hits(forFade, p.fade):
		f.PacketsFaded++
		why = "lost"
	case p.hits(forBurst, p.burst):
		f.PacketsBurst++
		why = "lost"
	}
	if why != "" && len(w.lost) < lostMax {
		w.lost = append(w.lost, Packet{p.from, p.to, int(p.n)})
	}
	return why
}

// detour is how much longer a datagram takes than it would by itself.
func (w *world) detour(p *path) time.Duration {
	f := &w.faults
	d := p.slow + p.queued
	if p.slow > 0 {
		f.PacketsSlowed++
	}
	if p.queued > 0 {
		f.PacketsQueued++
	}
	if p.held > w.now {
		f.PacketsHeld++
	}
	if p.reorder > 0 {
		if random := p.draw(forReorder); chance(random, p.reorder) {
			f.PacketsReordered++
			d += time.Duration(below(mix.Uint64(random), int64(p.late)+1))
		}
	}
	return d
}

// packet lets a datagram arrive at some time.
func (w *world) packet(from, to int, at core.Instant, data []byte) (slot int32) {
	home := int32(stranger)
	if from != stranger {
		home = w.nodes[from].home
	}
	slot = w.slot()
	ev := &w.events[slot]
	*ev = event{
		kind: evDatagram, node: int32(to), boot: uint32(w.nodes[to].home), peer: int32(from), gen: uint32(home),
		cause: w.cause, data: append(ev.data[:0], data...),
	}
	w.queue.push(at, classInput, slot)
	return slot
}
