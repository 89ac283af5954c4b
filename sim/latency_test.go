package sim

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestShapes compares samples with the distributions they are named for.
func TestShapes(t *testing.T) {
	const n = 200_000
	mean := 40 * time.Millisecond
	for shape, quantile := range map[string]func(float64) float64{ // in means
		constant:    func(float64) float64 { return 1 },
		even:        func(p float64) float64 { return 2 * p },
		exponential: func(p float64) float64 { return -math.Log1p(-p) },
		logNormal:   func(p float64) float64 { return math.Exp(math.Sqrt2*math.Erfinv(2*p-1) - 0.5) },
		pareto:      func(p float64) float64 { return 0.5 / math.Sqrt(1-p) },
	} {
		require.Contains(t, shapes, shape)
		all := make([]time.Duration, n)
		sum := time.Duration(0)
		for i := range all {
			all[i] = sample(shape, mean, draw(3, forLatency, 1, 2, uint64(i)))
			sum += all[i]
		}
		slices.Sort(all)
		require.InEpsilon(t, mean, sum/n, 0.02, shape)
		require.LessOrEqual(t, all[n-1], outliers*mean, shape)
		for _, p := range []float64{0.01, 0.1, 0.5, 0.9, 0.99, 0.999} {
			want := quantile(p) * float64(mean)
			require.InEpsilon(t, want, all[int(p*n)], 0.1, "%s at %v", shape, p)
		}
	}
}

// TestShapesTakeAnyBits samples what is rarest.
func TestShapesTakeAnyBits(t *testing.T) {
	for _, shape := range shapes {
		for _, mean := range []time.Duration{0, 1, time.Nanosecond * 7, time.Second, forMax} {
			for _, random := range []uint64{0, 1, 2, math.MaxUint64, 1 << 63, 1<<63 - 1} {
				d := sample(shape, mean, random)
				require.True(t, d >= 0 && d <= outliers*mean, "%s of %v for %x: %v", shape, mean, random, d)
			}
		}
	}
}

func BenchmarkSample(b *testing.B) {
	for _, shape := range shapes {
		b.Run(shape, func(b *testing.B) {
			var sum time.Duration
			for i := uint64(0); b.Loop(); i++ {
				sum += sample(shape, time.Millisecond, draw(3, forLatency, 1, 2, i))
			}
		})
	}
}
