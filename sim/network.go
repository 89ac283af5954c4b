package sim

import (
	"slices"
	"time"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/internal/mix"
)

// Network is how packets travel when no fault is scheduled. The zero value of a field means its default.
type Network struct {
	// LatencyMin and LatencyMax bound the one-way delay, which is even between them and drawn for each
	// packet; default 0.5 ms to 1.5 ms, at least 1 ns. Packets overtake each other accordingly.
	LatencyMin, LatencyMax time.Duration
}

func (n Network) defaulted() Network {
	if n.LatencyMin == 0 && n.LatencyMax == 0 {
		n.LatencyMin, n.LatencyMax = 500*time.Microsecond, 1500*time.Microsecond
	}
	return n
}

// network decides what becomes of packets. Faults are a short list, so a calm network costs nothing;
// the only state per pair is a count of its packets, which keys their draws.
type network struct {
	Network
	seed  uint64
	rules []rule
	drops []Packet   // that will be lost, whatever else
	sent  [][]uint32 // sent[from][to]; a row is made when from first sends
	dials [][]uint32 // likewise
}

// A Packet is one datagram of a run: the Nth that one member sent to another.
type Packet struct{ From, To, Nth int }

// lostMax is how many lost packets are kept by name.
const lostMax = 256

// rule is one open window of a network fault.
type rule struct {
	op       int32
	kind     Kind
	oneWay   bool
	ppm      int
	extra    time.Duration
	from, to bitset // nil: everyone
}

type bitset []uint64

func newBitset(members []int, n int) bitset {
	if len(members) == 0 {
		return nil
	}
	b := make(bitset, (n+63)/64)
	for _, i := range members {
		b[i/64] |= 1 << (i % 64)
	}
	return b
}

func (b bitset) has(i int) bool { return b == nil || b[i/64]>>(i%64)&1 == 1 }

func (n *network) add(index int32, op *Op, nodes int) {
	if op.Kind == Drop {
		n.drops = append(n.drops, Packet{op.Nodes[0], op.Peers[0], op.Nth})
		return
	}
	n.rules = append(n.rules, rule{
		op: index, kind: op.Kind, oneWay: op.OneWay, ppm: op.PPM, extra: op.Extra,
		from: newBitset(op.Nodes, nodes), to: newBitset(op.Peers, nodes),
	})
}

func (n *network) remove(index int32) {
	for i := range n.rules {
		if n.rules[i].op == index {
			n.rules = append(n.rules[:i], n.rules[i+1:]...)
			return
		}
	}
}

func (r *rule) applies(from, to int) bool {
	return r.from.has(from) && r.to.has(to) || !r.oneWay && r.from.has(to) && r.to.has(from)
}

// conditions is what a packet meets on its way.
type conditions struct {
	cut                      bool
	loss, duplicate, reorder int // ppm
	extra                    time.Duration
}

func (n *network) between(from, to int) (c conditions) {
	for i := range n.rules {
		r := &n.rules[i]
		if !r.applies(from, to) {
			continue
		}
		switch r.kind {
		case Cut:
			c.cut = true
		case Loss: // independent causes: what survives both survives
			c.loss += r.ppm - int(int64(c.loss)*int64(r.ppm)/million)
		case Duplicate:
			c.duplicate = max(c.duplicate, r.ppm)
		case Reorder:
			c.reorder, c.extra = max(c.reorder, r.ppm), max(c.extra, r.extra)
		}
	}
	return c
}

// open reports whether packets pass both ways between two members, but for bad luck.
func (n *network) open(a, b int) bool { return !n.between(a, b).cut && !n.between(b, a).cut }

// latency maps random bits to a delay.
func (n *network) latency(random uint64) time.Duration {
	return n.LatencyMin + time.Duration(below(random, int64(n.LatencyMax-n.LatencyMin)+1))
}

// count numbers what goes from one member to another.
func count(table [][]uint32, from, to int) uint64 {
	if table[from] == nil {
		table[from] = make([]uint32, len(table))
	}
	table[from][to]++
	return uint64(table[from][to])
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
	k := count(w.net.sent, from, to)
	a, b, seed := uint64(from), uint64(to), w.net.seed
	c := w.net.between(from, to)
	switch {
	case c.cut:
		w.faults.PacketsCut++
		w.trace.lost(w.now, from, to, "cut")
		return
	case c.loss > 0 && chance(draw(seed, forLoss, a, b, k), c.loss),
		len(w.net.drops) > 0 && slices.Contains(w.net.drops, Packet{from, to, int(k)}):
		w.faults.PacketsLost++
		if len(w.lost) < lostMax {
			w.lost = append(w.lost, Packet{from, to, int(k)})
		}
		w.trace.lost(w.now, from, to, "lost")
		return
	}
	delay := w.net.latency(draw(seed, forLatency, a, b, k))
	if c.reorder > 0 {
		if random := draw(seed, forReorder, a, b, k); chance(random, c.reorder) {
			w.faults.PacketsReordered++
			delay += time.Duration(below(mix.Uint64(random), int64(c.extra)+1))
		}
	}
	w.packet(from, to, delay, e.Data)
	if c.duplicate > 0 {
		if random := draw(seed, forDuplicate, a, b, k); chance(random, c.duplicate) {
			w.faults.PacketsDuplicated++
			w.packet(from, to, w.net.latency(mix.Uint64(random)), e.Data)
		}
	}
}

func (w *world) packet(from, to int, delay time.Duration, data []byte) {
	slot := w.alloc(event{kind: evDatagram, node: int32(to), peer: int32(from)})
	ev := &w.events[slot]
	ev.data = append(ev.data[:0], data...)
	w.queue.push(w.now.Add(delay), classInput, slot)
}
