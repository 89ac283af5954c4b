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
