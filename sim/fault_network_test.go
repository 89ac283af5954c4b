package sim

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/stack"
	"github.com/nekton-go/nekton/core/swim"
)

// bad is every kind of fault of the network, in every mode, between some members, in its heaviest form, and
// what shows that it happened.
func bad(nodes, peers []int) (all []badness) {
	for k := range kinds {
		info := &kindTable[k]
		if info.realm != ofNetwork && info.realm != ofStranger || k == Drop || k == Exile {
			continue
		}
		op := Op{
			Kind: k, Nodes: nodes, Peers: peers, PPM: 500_000, Extra: 300 * time.Millisecond, Every: 1300 * time.Millisecond, Size: 6,
			At: 10 * time.Second, Until: time.Minute, Fault: info.Name,
		}
		modes := info.modes
		if len(modes) == 0 {
			modes = []string{""}
		}
		for _, mode := range modes {
			op.Mode = mode
			all = append(all, badness{op, counters[k]})
		}
	}
	return all
}

type badness struct {
	op       Op
	happened func(*Faults) uint64
}

// counters says how often each kind of fault struck.
var counters = map[Kind]func(*Faults) uint64{
	Cut:       func(f *Faults) uint64 { return f.PacketsCut },
	Loss:      func(f *Faults) uint64 { return f.PacketsLost },
	Duplicate: func(f *Faults) uint64 { return f.PacketsDuplicated },
	Reorder:   func(f *Faults) uint64 { return f.PacketsReordered },
	Latency:   func(f *Faults) uint64 { return f.PacketsSlowed },
	Burst:     func(f *Faults) uint64 { return f.PacketsBurst },
	Fade:      func(f *Faults) uint64 { return f.PacketsFaded },
	Corrupt:   func(f *Faults) uint64 { return f.PacketsCorrupted + f.PacketsDamaged },
	Bandwidth: func(f *Faults) uint64 { return min(f.PacketsQueued, f.PacketsCrowdedOut) },
	Clog:      func(f *Faults) uint64 { return f.PacketsHeld },
	MTU:       func(f *Faults) uint64 { return f.PacketsTooLarge },
	Refuse:    func(f *Faults) uint64 { return f.DialsRejected },
	Reset:     func(f *Faults) uint64 { return f.LinksTorn },
	HalfOpen:  func(f *Faults) uint64 { return f.EndsUnheard },
	Stall:     func(f *Faults) uint64 { return f.ChunksStalled },
	Hostile:   func(f *Faults) uint64 { return f.Attacks },
}

// TestFaultsShiftNoOtherDraw runs the same traffic with and without each fault between n0 and n1: what n2
// hears from n0, on datagrams and a link, must arrive at the same nanoseconds.
func TestFaultsShiftNoOtherDraw(t *testing.T) {
	run := func(faults ...Op) (arrivals []string, all string) {
		var out bytes.Buffer
		w := emptyWorld(3, 9, Harness{NewNode: newToy, Trace: &out})
		for _, op := range append(faults, Op{Kind: Start, Nodes: []int{0, 1, 2}}) {
			w.schedule(op)
		}
		w.run(0, func() bool { return false })
		w.command(1, order{core.Effect{Kind: core.EffectDial, To: address(0)}})
		w.command(2, order{core.Effect{Kind: core.EffectDial, To: address(0)}})
		for k := range 50 {
			w.run(w.now.Add(10*time.Millisecond), func() bool { return false })
			w.command(0, order{toySend(1, "to n1")})
			w.command(0, order{toySend(2, "to n2")})
			w.command(2, order{core.Effect{Kind: core.EffectWrite, Data: fmt.Append(nil, "write ", k)}})
			w.command(1, order{core.Effect{Kind: core.EffectWrite, Data: fmt.Append(nil, "not this ", k)}})
			w.command(1, order{toySend(0, "to n0")})
			if k%10 == 9 {
				w.command(1, order{core.Effect{Kind: core.EffectClose}})
				w.command(1, order{core.Effect{Kind: core.EffectDial, To: address(0)}})
			}
		}
		require.Zero(t, new(w.ledger()).Missing(), "%v: %+v", faults, w.ledger())
		for line := range bytes.Lines(out.Bytes()) {
			if bytes.Contains(line, []byte(`n2 datagram "to n2"`)) || bytes.Contains(line, []byte(`n2 flushed`)) {
				arrivals = append(arrivals, string(line))
			}
		}
		return arrivals, out.String()
	}
	calm, calmly := run()
	require.Len(t, calm, 98)
	for _, b := range bad([]int{0}, []int{1}) {
		b.op.At, b.op.Until = 0, 400*time.Millisecond
		if b.op.Kind == Hostile {
			b.op.Nodes, b.op.Every = []int{1}, 20*time.Millisecond
		}
		shaken, wildly := run(b.op)
		require.Equal(t, calm, shaken, "%v", b.op)
		require.NotEqual(t, calmly, wildly, "%v", b.op)
	}
	everywhere, _ := run(Op{Kind: Loss, PPM: 500_000})
	require.NotEqual(t, calm, everywhere)
}

// TestUnmetFaultsChangeNothing runs a cluster with each fault between two members that never start.
func TestUnmetFaultsChangeNothing(t *testing.T) {
	c, err := Options{Scenario: "loss", Nodes: 6, Seed: 5}.Case()
	require.NoError(t, err)
	start := c.Ops
	c.Nodes, c.Victim = 8, -1
	calm, err := Simulate(c, Harness{})
	require.NoError(t, err)
	for _, b := range bad([]int{6}, []int{7}) {
		c.Ops = append([]Op{b.op}, start...)
		require.NoError(t, c.Validate())
		r, err := Simulate(c, Harness{})
		require.NoError(t, err)
		require.Equal(t, calm.TraceHash, r.TraceHash, "%v", b.op)
	}
}

// TestEachFaultStrikes runs a cluster with each fault alone: it happens, no rule breaks, no datagram is
// unaccounted for, and the members agree again afterwards.
func TestEachFaultStrikes(t *testing.T) {
	config := swim.LAN()
	config.PushPullInterval = 5 * time.Second // more links, which have faults of their own
	for _, b := range bad([]int{0, 1, 2}, nil) {
		if b.op.Kind == Hostile {
			b.op.Every = 200 * time.Millisecond
		}
		c, err := Options{Scenario: "calm", Nodes: 6, Seed: 11, For: 2 * time.Minute, Preset: config}.Case()
		require.NoError(t, err)
		c.Ops, c.Mark = append(c.Ops, b.op), b.op.Until
		c.Within = time.Minute
		require.NoError(t, c.Validate())
		w := newWorld(&c, &Harness{})
		for _, op := range c.Ops {
			w.schedule(op)
		}
		w.phases(&c)
		require.NoError(t, w.err)
		require.NotZero(t, b.happened(&w.faults), "%v: %+v", b.op, w.faults)
		require.Zero(t, new(w.ledger()).Missing(), "%v: %+v", b.op, w.ledger())
		if b.op.Mode != mutated && (b.op.Kind != Corrupt || b.op.Mode == "") {
			require.Empty(t, w.check.Log().Violations(), "%v", b.op)
			require.Zero(t, w.check.Wrong(), "%v: %v", b.op, w.check.Disagreements(5))
		}
	}
}

// TestStormsLoseNothing accounts for every datagram of runs in which everything goes wrong.
func TestStormsLoseNothing(t *testing.T) {
	for seed := range uint64(5) {
		c, err := Swarm(seed, "storm")
		require.NoError(t, err)
		w := newWorld(&c, &Harness{})
		for _, op := range c.Ops {
			w.schedule(op)
		}
		for k := range core.Instant(6) {
			w.run(k*core.Instant(time.Minute), func() bool { return false })
			require.NoError(t, w.err)
			require.Zero(t, new(w.ledger()).Missing(), "%+v", w.ledger())
		}
		require.NotZero(t, w.ledger().Injected)
		require.NotZero(t, w.ledger().Unheard)
	}
}

// TestFaultsAllocateNothing sends packets through every fault at once.
func TestFaultsAllocateNothing(t *testing.T) {
	w := emptyWorld(4, 0, Harness{Opaque: true, NewNode: func(i int, _ stack.Config) (core.Verbs, error) {
		return &pinger{to: address((i + 1) % 4)}, nil
	}})
	w.schedule(Op{Kind: Start, Nodes: []int{0, 1, 2, 3}})
	for _, b := range bad([]int{0, 1}, []int{1, 2}) {
		b.op.At, b.op.Until, b.op.PPM, b.op.Size = 0, time.Hour, 100_000, 1000
		b.op.Every, b.op.Extra = 10*time.Millisecond, time.Millisecond
		if k := b.op.Kind; k != Clog && k != Hostile { // a clog holds more and more; strangers compose
			w.schedule(b.op)
		}
	}
	second := func() { w.run(w.now.Add(time.Second), func() bool { return false }) }
	second()
	require.Zero(t, testing.AllocsPerRun(10, second))
	require.NotZero(t, w.faults.PacketsDamaged)
	require.NotZero(t, w.faults.PacketsSlowed)
}

// TestDamage spoils packets so that no checksum notices. A seal notices, and then damage is but loss. Without one
// members may come to believe anything of each other, until the damage ends.
func TestDamage(t *testing.T) {
	for _, mode := range append([]string{mutated}, damages...) {
		for seed := range uint64(6) {
			c, err := Swarm(seed, "lite")
			require.NoError(t, err)
			op := Op{Kind: Corrupt, Mode: mode, PPM: 100_000, At: 20 * time.Second, Until: 4 * time.Minute}
			if mode == mutated {
				op.Kind, op.Every = Hostile, 100*time.Millisecond
			}
			c.Ops = append(c.Ops, op)
			for _, c.Sealed = range []bool{true, false} {
				r, err := Simulate(c, Harness{})
				require.NoError(t, err)
				require.NotZero(t, r.Faults.PacketsDamaged+r.Faults.Attacks)
				require.Empty(t, r.Violations, "%s, seed %d, sealed: %v", mode, seed, c.Sealed)
				require.True(t, r.Converged, "%s, seed %d, sealed: %v: %v", mode, seed, c.Sealed, r.Disagree)
			}
		}
	}
}

// TestBursts compares bursts with the model they are named for: good and bad times are exponentially
// distributed, with the means that were asked for, and different for each pair.
func TestBursts(t *testing.T) {
	r := rule{Op: Op{Kind: Burst, PPM: 700_000, Every: 10 * time.Second, Extra: 2 * time.Second, At: time.Second}, salt: 3}
	const step = 50 * time.Millisecond
	var bad, bursts, steps, both int
	var longer int // bursts of more than the mean
	last, since := false, 0
	for now := core.Instant(r.At); steps < 400_000; now, steps = now.Add(step), steps+1 {
		p, q := path{from: 1, to: 2, seed: 7}, path{from: 2, to: 1, seed: 7}
		r.burst(now, &p)
		r.burst(now, &q)
		is := p.burst > 0
		if is {
			require.Equal(t, 700_000, p.burst)
			bad++
		}
		if is && q.burst > 0 {
			both++
		}
		if is && !last {
			bursts, since = bursts+1, steps
		}
		if !is && last && time.Duration(steps-since)*step > r.Extra {
			longer++
		}
		last = is
	}
	require.InEpsilon(t, 0.2, float64(bad)/float64(steps), 0.05)
	require.InEpsilon(t, 0.04, float64(both)/float64(steps), 0.15) // independent
	require.InEpsilon(t, 2.0, float64(bad)*step.Seconds()/float64(bursts), 0.06)
	require.InEpsilon(t, 0.368, float64(longer)/float64(bursts), 0.06)
}
