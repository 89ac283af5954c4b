package sim

import (
	"fmt"
	"math/rand/v2"
	"testing"

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
