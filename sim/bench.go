package sim

import (
	"net/netip"
	"time"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/stack"
)

// A Bench is a run that goes on for as long as its caller likes, so that the caller, who has a clock, can tell
// how fast runs are.
type Bench struct {
	w *world
}

// NewBench begins a case. Without oracles nobody looks: no oracle, and no self-check of a node. Errors are those
// of Simulate.
func NewBench(c Case, h Harness, oracles bool) (*Bench, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	w := newWorld(&c, &h)
	if !oracles {
		w.blind, w.node.Check, w.node.Swim.Transitions = true, false, false
	}
	for _, op := range c.Ops {
		w.schedule(op)
	}
	w.inspectFrom(inspectEvery)
	if c.Converged {
		w.converge()
	}
	return &Bench{w}, w.err
}

// Run lets virtual time pass and returns how many events happened in it, and how many of them were steps of
// nodes. Errors are those of Simulate.
func (b *Bench) Run(d time.Duration) (events, steps uint64, err error) {
	popped, before := b.w.queue.popped(), b.w.steps
	b.w.run(b.w.now.Add(d), func() bool { return false })
	return b.w.queue.popped() - popped, b.w.steps - before, b.w.err
}

const (
	relays        = 1000
	relayNextHops = 16
	relayBytes    = 32
)

// NewEngineBench begins a run without a protocol, which shows what the simulator itself can do: nodes that pass on
// every datagram at once, each to a few others in turn, and so many datagrams under way, which take 1 s each.
func NewEngineBench(pending int, h Harness) (*Bench, error) {
	h.NewNode = func(i int, _ stack.Config) (core.Verbs, error) {
		r := &relay{left: (pending + i) / relays}
		for k := range r.to {
			r.to[k] = address((i + 1 + 61*k) % relays)
		}
		return r, nil
	}
	o := Options{Scenario: "calm", Nodes: relays, For: forMax, Converged: true}
	o.Network = Network{LatencyMin: 500 * time.Millisecond, LatencyMax: 1500 * time.Millisecond}
	c, err := o.Case()
	if err != nil {
		return nil, err
	}
	start := Op{Kind: Start}
	for i := range relays {
		start.Nodes = append(start.Nodes, i)
	}
	c.Converged, c.Ops = false, []Op{start}
	return NewBench(c, h, false)
}

// relay is a node that sends as many datagrams as it gets, and at first as many as it is given.
type relay struct {
	to   [relayNextHops]netip.AddrPort
	next int
	left int // datagrams to send in this step
	data [relayBytes]byte
}

func (r *relay) Deadline() core.Instant { return core.Never }

func (r *relay) Step(_ core.Instant, in core.Input) {
	if in.Kind == core.InputDatagram {
		r.left++
	}
}

func (r *relay) Next() (core.Effect, bool) {
	if r.left == 0 {
		return core.Effect{}, false
	}
	r.left--
	r.next++
	return core.Effect{Kind: core.EffectSend, To: r.to[r.next%relayNextHops], Data: r.data[:]}, true
}
