package sim

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/core"
)

// BenchmarkQueue holds a number of entries pending: each turn pops one and pushes one.
func BenchmarkQueue(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	var ahead [1 << 12]core.Instant
	for i := range ahead {
		ahead[i] = core.Instant(swimDelay(rng))
	}
	for _, pending := range []int{50, 10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("wheel/%d", pending), func(b *testing.B) {
			var w wheel
			for i := range pending {
				w.push(core.Instant(swimDelay(rng)), classInput, int32(i))
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				e := w.pop()
				w.push(e.at+ahead[i%len(ahead)], classInput, e.slot)
			}
		})
		b.Run(fmt.Sprintf("heap/%d", pending), func(b *testing.B) {
			var h heap
			for i := range pending {
				h.push(entry{core.Instant(swimDelay(rng)), uint64(i), int32(i)})
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				e := h.pop()
				h.push(entry{e.at + ahead[i%len(ahead)], uint64(pending + i), e.slot})
			}
		})
	}
}

// BenchmarkSwarm runs one seed after another, with all faults and checks: 1 s / (ns/op) is seeds per second.
func BenchmarkSwarm(b *testing.B) {
	for _, name := range Profiles() {
		b.Run(name, func(b *testing.B) {
			var steps uint64
			b.ReportAllocs()
			for seed := uint64(0); b.Loop(); seed++ {
				c, err := Swarm(seed, name)
				require.NoError(b, err)
				r, err := Simulate(c, Harness{})
				require.NoError(b, err)
				steps += r.Steps
			}
			b.ReportMetric(float64(steps)/b.Elapsed().Seconds(), "steps/s")
		})
	}
}

// BenchmarkScenario runs scenarios of 16 members for ten minutes, and 128 for five.
func BenchmarkScenario(b *testing.B) {
	for _, o := range []Options{
		{Scenario: "calm", Nodes: 16, For: 10 * time.Minute},
		{Scenario: "flap", Nodes: 16, For: 10 * time.Minute},
		{Scenario: "restart", Nodes: 16, For: 10 * time.Minute},
		{Scenario: "crash", Nodes: 128, For: 5 * time.Minute},
	} {
		b.Run(fmt.Sprintf("%s/%d", o.Scenario, o.Nodes), func(b *testing.B) {
			var steps uint64
			b.ReportAllocs()
			for o.Seed = 0; b.Loop(); o.Seed++ {
				steps += mustRun(b, o).Steps
			}
			b.ReportMetric(float64(steps)/b.Elapsed().Seconds(), "steps/s")
		})
	}
}

// BenchmarkEngine is events per second of the simulator alone: queue, network and hash.
func BenchmarkEngine(b *testing.B) {
	for _, pending := range []int{1000, 10_000, 100_000} {
		b.Run(fmt.Sprint(pending), func(b *testing.B) {
			bench, err := NewEngineBench(pending, Harness{})
			require.NoError(b, err)
			_, _, err = bench.Run(5 * time.Second)
			require.NoError(b, err)
			b.ReportAllocs()
			var events uint64
			for b.Loop() {
				n, _, err := bench.Run(time.Millisecond)
				require.NoError(b, err)
				events += n
			}
			b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(events), "ns/event")
		})
	}
}

// TestEngineAllocatesNothing: in the long run an event costs no memory, however many there are.
func TestEngineAllocatesNothing(t *testing.T) {
	bench, err := NewEngineBench(5000, Harness{})
	require.NoError(t, err)
	_, _, err = bench.Run(100 * time.Second) // until everything has been as large as it ever is
	require.NoError(t, err)
	var events uint64
	require.Zero(t, testing.AllocsPerRun(10, func() {
		n, _, _ := bench.Run(time.Second)
		events += n
	}))
	require.Greater(t, events, uint64(50_000))
}

// TestBenchesRun: a run goes the same way whether oracles watch or not.
func TestBenchesRun(t *testing.T) {
	c, err := Options{Scenario: "calm", Nodes: 8, Converged: true}.Case()
	require.NoError(t, err)
	var steps []uint64
	for _, oracles := range []bool{false, true} {
		bench, err := NewBench(c, Harness{}, oracles)
		require.NoError(t, err)
		first, _, err := bench.Run(10 * time.Second)
		require.NoError(t, err)
		require.Positive(t, first)
		events, n, err := bench.Run(20 * time.Second)
		require.NoError(t, err)
		require.Greater(t, events, n)
		steps = append(steps, n)
		require.Equal(t, oracles, bench.w.check.Wrong() == 0 && bench.w.node.Check)
	}
	require.Equal(t, steps[0], steps[1])

	bench, err := NewBench(c, Harness{Stop: func() bool { return true }}, true)
	require.NoError(t, err)
	_, _, err = bench.Run(time.Second)
	require.ErrorIs(t, err, ErrStopped)
	c.Nodes = 0
	_, err = NewBench(c, Harness{}, true)
	require.ErrorIs(t, err, ErrOptions)
}
