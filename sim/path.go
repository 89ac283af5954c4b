package sim

import (
	"time"

	"github.com/nekton-go/nekton/core"
)

// path is what the way from one member to another is like for one packet, by all faults that apply.
// Probabilities are in ppm.
type path struct {
	from, to int
	size     int // bytes that travel; 0 for who only asks
	a, b, n  uint64
	seed     uint64

	cut               bool
	full              bool          // a queue on the way has no room
	mtu               int           // 0: none
	loss, fade, burst int           // to be lost
	corrupt           int           // to be lost to a checksum
	damage            int           // to be changed, which no checksum finds,
	mode              string        // in this way
	slow              time.Duration // later than otherwise
	queued            time.Duration // in a queue
	held              core.Instant  // nothing leaves before
	reorder           int           // to be late,
	late              time.Duration // by up to
	duplicate         int           // to arrive again,
	again             time.Duration // up to this much later

	// Of links only.
	refuse  int          // to be refused, for a dial
	reset   int          // to end the link, for a chunk
	unheard int          // not to be heard of, for an end
	stalled core.Instant // nothing is read before
}

// key says by what the packet's draws are keyed.
func (p *path) key(a, b, n uint64) { p.a, p.b, p.n = a, b, n }

func (p *path) draw(what purpose) uint64 { return draw(p.seed, what, p.a, p.b, p.n) }

// hits is true ppm times in a million.
func (p *path) hits(what purpose, ppm int) bool { return ppm > 0 && p.strikes(what, ppm) }

// strikes is apart from hits so that hits is inlined: mostly there is no chance.
func (p *path) strikes(what purpose, ppm int) bool { return chance(p.draw(what), ppm) }

// calm reports whether nothing happens to packets but that they take their time.
func (n *network) calm() bool { return len(n.rules)+len(n.drops) == 0 }

// meet lets every open window have its say about a packet that travels now.
func (n *network) meet(now core.Instant, p *path) {
	p.seed = n.seed
	for i := range n.rules {
		if r := &n.rules[i]; r.applies(p.from, p.to) {
			r.meet(now, p)
		}
	}
}

func (r *rule) meet(now core.Instant, p *path) {
	switch r.Kind {
	case Cut:
		p.cut = p.cut || r.Every == 0 || now.Sub(core.Instant(r.At))%r.Every < r.Extra
	case Exile:
		p.cut = true
	case Loss:
		p.loss = either(p.loss, r.PPM)
	case Burst:
		r.burst(now, p)
	case Fade:
		p.fade = either(p.fade, r.progress(now))
	case Corrupt:
		if r.Mode == "" {
			p.corrupt = either(p.corrupt, r.PPM)
		} else {
			p.damage, p.mode = either(p.damage, r.PPM), r.Mode
		}
	case MTU:
		if p.mtu == 0 || r.Size < p.mtu {
			p.mtu = r.Size
		}
	case Latency:
		p.slow += sample(r.Mode, r.Extra, draw(p.seed^r.salt, forDelay, p.a, p.b, p.n))
	case Bandwidth:
		r.uplink(now, p)
	case Clog:
		p.held = max(p.held, core.Instant(r.Until))
	case Duplicate:
		p.duplicate, p.again = max(p.duplicate, r.PPM), max(p.again, r.Extra)
	case Reorder:
		p.reorder, p.late = max(p.reorder, r.PPM), max(p.late, r.Extra)
	case Refuse:
		p.refuse = either(p.refuse, r.PPM)
	case Reset:
		p.reset = either(p.reset, r.PPM)
	case HalfOpen:
		p.unheard = either(p.unheard, r.PPM)
	case Stall:
		p.stalled = max(p.stalled, core.Instant(r.Until))
	}
}

// blocked reports whether nothing passes, for now.
func (p *path) blocked(now core.Instant) bool { return p.cut || p.held > now }

// open reports whether packets pass both ways between two members, but for bad luck.
func (n *network) open(now core.Instant, a, b int) bool {
	there, back := path{from: a, to: b}, path{from: b, to: a}
	n.meet(now, &there)
	n.meet(now, &back)
	return !there.blocked(now) && !back.blocked(now)
}

// either combines the chances of independent causes, in ppm: what survives both survives.
func either(p, q int) int { return p + q - int(int64(p)*int64(q)/million) }

// progress is how much of r's window is over, in ppm.
func (r *rule) progress(now core.Instant) int {
	return int(million * int64(now.Sub(core.Instant(r.At))) / int64(r.Until-r.At))
}
