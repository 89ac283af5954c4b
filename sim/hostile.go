package sim

import (
	"encoding/binary"
	"time"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/internal/mix"
	"github.com/nekton-go/nekton/sim/check"
)

// A stranger is no member, lives where nobody does, hears everything and knows everything but keys. What
// it says must hurt no more than it does to be heard: members refute what they are accused of, and drop the
// rest. What nobody could know to be wrong without a key is not in a stranger's repertoire, unless a case
// asks for it by name: that a member is alive, or accused, at an incarnation above its own, or that somebody
// is a member who is not. Whoever must withstand that, seals.
const (
	junk      = "garbage"
	truncated = "truncated" // the beginning of what a member said
	replay    = "replay"    // what a member said, up to long ago
	forged    = "forged"    // accusations of members that run
	oversized = "oversized" // claims of more than there is
	intrusion = "links"     // likewise, and silence, on links
	mutated   = "mutated"   // what a member said, changed: it may come to mean anything
)

var attacks = []string{"", junk, truncated, replay, forged, oversized, intrusion, mutated}

// stranger is the number of who is no member, as a sender: its address is nobody's.
const stranger = -1

// attack strikes for the n-th time, unless that is the 0th, and sees to the next.
func (w *world) attack(index int32, n int) {
	op := &w.ops[index]
	random := draw(w.seed, forStranger, uint64(op.At), 0, uint64(n))
	if n > 0 {
		w.assault(op, mix.Uint64(random))
	}
	at := w.now.Add(1 + sample(exponential, op.Every, random))
	if op.Until == 0 || at < core.Instant(op.Until) {
		w.pushEvent(at, classInput, event{kind: evAttack, node: index, size: int32(n + 1)})
	}
}

// assault attacks one member in one way.
func (w *world) assault(op *Op, random uint64) {
	to, mode := int(below(random, int64(len(w.nodes)))), op.Mode
	if len(op.Nodes) > 0 {
		to = op.Nodes[below(random, int64(len(op.Nodes)))]
	}
	random = mix.Uint64(random)
	if mode == "" {
		mode = attacks[1+below(random, int64(len(attacks)-2))]
	}
	random = mix.Uint64(random)
	w.faults.Attacks++
	w.trace.attack(w.now, to, mode)
	if mode == intrusion {
		w.intrude(to, random)
		return
	}
	from := stranger
	data := w.net.tap.words[:0]
	h := w.net.tap.pick(random)
	switch mode {
	case truncated:
		data = append(data, h.data[:below(mix.Uint64(random), int64(len(h.data)))]...)
	case mutated:
		data = w.net.tap.damage(append(data, h.data...), anyhow, mix.Uint64(random))
	case replay: // half of the time with the address of who said it
		if data = append(data, h.data...); random&1 == 0 && len(data) > 0 {
			from = h.from
		}
	default:
		data = w.invent(data, mode, random)
	}
	w.net.tap.words = data
	w.net.injected++
	w.packet(from, to, w.now.Add(w.net.latency(mix.Uint64(random+2))), data)
}

// invent appends what no member said.
func (w *world) invent(data []byte, mode string, random uint64) []byte {
	switch mode {
	case forged:
		data, _ = w.node.Dialect.AppendMessage(data, w.accusation(random))
	case oversized:
		data = append(data, claims[below(random, int64(len(claims)))]...)
		data = garbage(data, int(random%1000), random)
	default:
		data = garbage(data, 1+int(random%1400), random)
	}
	return data
}

// claims begin with a length or a count that no datagram, or frame, could hold.
var claims = [...]string{
	"\x9b\x7f\xff\xff\xff\xff\xff\xff\xff\x01",             // fields of a ping
	"\x84\x09\xf4\x9b\xff\xff\xff\xff\xff\xff\xff\xff",     // records of a push/pull
	"\x84\x09\xf5\x9a\x7f\xff\xff\xff",                     // likewise, fewer
	"\x82\x08\x5b\x7f\xff\xff\xff\xff\xff\xff\xff",         // bytes of the application
	"\x84\x06\x7b\xff\xff\xff\xff\xff\xff\xff\xff",         // bytes of a name
	"\x82\x18\x40\xbb\x7f\xff\xff\xff\xff\xff\xff\xff",     // pairs in a map of a message nobody knows
	"\x82\x18\x40\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81", // depth
}

// accusation is that a running member is suspect, dead, or has left, at the incarnation it has: it refutes.
func (w *world) accusation(random uint64) core.Message {
	who := int(below(random, int64(len(w.nodes))))
	by := int(below(mix.Uint64(random+3), int64(len(w.nodes))))
	name, incarnation := check.Name(who), w.check.Incarnation(who)
	if random&1 == 0 {
		return &swim.Accuse{Node: name, Incarnation: incarnation, From: check.Name(by)}
	}
	return &swim.Bury{Node: name, Incarnation: incarnation, From: check.Name(by)}
}

// intrude opens a link to a member and writes to it now and then, for a minute at most. Nobody reads there.
func (w *world) intrude(to int, random uint64) {
	p := &w.nodes[to]
	if !p.running {
		return
	}
	k := w.newConn()
	p.accepted++
	w.conns[k] = conn{gen: w.conns[k].gen + 1, torn: true, ends: [2]end{
		{node: stranger, home: stranger}, {node: int32(to), boot: p.boot, link: core.Accepted(p.accepted), open: true},
	}}
	p.conns = append(p.conns, k)
	at := w.now.Add(w.net.latency(mix.Uint64(random + 2)))
	w.pushLink(at, k, 1, event{kind: evUp})
	data := w.frame(w.net.tap.words[:0], random)
	w.net.tap.words = data
	for n := uint64(0); len(data) > 0; n++ {
		size := 1 + int(below(mix.Uint64(random+n), int64(len(data))))
		at = at.Add(time.Duration(below(mix.Uint64(random+n+64), int64(10*time.Second))))
		slot := w.alloc(event{kind: evRead})
		w.events[slot].data = append(w.events[slot].data[:0], data[:size]...)
		w.addLink(&w.events[slot], k, 1)
		w.queue.push(at, classInput, slot)
		data = data[size:]
	}
	if random&7 != 0 { // otherwise it stays, and says nothing any more
		w.tell(k, 1, core.FaultClosed, at.Add(time.Second))
	}
}

// frame appends what a stranger writes to a link: nothing, garbage, an accusation, or less than it promises.
func (w *world) frame(data []byte, random uint64) []byte {
	choice := below(mix.Uint64(random+4), 5)
	switch choice {
	case 0:
		return data
	case 1:
		return garbage(data, 1+int(random%200), random)
	}
	data = append(data, 0, 0, 0, 0)
	switch choice {
	case 2:
		data, _ = w.node.Dialect.AppendMessage(data, w.accusation(random))
	case 3:
		data = w.invent(data, oversized, random)
	default: // promises anything up to 4 GiB
		return garbage(binary.BigEndian.AppendUint32(data[:0], uint32(random)>>(random%9)), 100, random)
	}
	binary.BigEndian.PutUint32(data, uint32(len(data)-4))
	return data
}
