package accept

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/core/swim"
)

// TestQuickSuites: the gates of a slice of each suite are passed. nekton sim accept runs all of it.
func TestQuickSuites(t *testing.T) {
	for name, plan := range map[string]func(bool) *Suite{"swim": Swim, "lifeguard": Lifeguard} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := plan(true)
			for _, run := range s.Runs {
				require.NoError(t, run.Make(), run.Name)
			}
			r := s.Report()
			require.True(t, r.OK(), "%+v", r.Gates)
			require.NotEmpty(t, r.Tables)
			require.Equal(t, r, s.Report(), "concluding twice changes nothing")
		})
	}
}

// TestFullSuitesArePlanned: nothing is simulated here, but every run has a name and the gates are there.
func TestFullSuitesArePlanned(t *testing.T) {
	for name, plan := range map[string]func(bool) *Suite{"swim": Swim, "lifeguard": Lifeguard} {
		quick, full := plan(true), plan(false)
		require.Greater(t, len(full.Runs), 0, name)
		require.GreaterOrEqual(t, len(full.fold), len(quick.fold), name)
	}
}

// TestGatesNotice: what is not so is not passed. Two helpers are not three, and gossip to one member is not
// gossip to three.
func TestGatesNotice(t *testing.T) {
	var r Report
	counted, err := lossyProbes(64, 2, 200_000, 1, 300*time.Second)
	require.NoError(t, err)
	rate := float64(counted.ProbesFailed) / float64(counted.Probes)
	r.around("two helpers", suspicions(0.8, 2), 0.10, rate)
	r.around("three helpers", suspicions(0.8, 3), 0.10, rate)

	slow := swim.LAN()
	slow.GossipNodes = 1
	waits, err := hearings(slow, 300, 10, 1)
	require.NoError(t, err)
	mean, _ := meanOf(waits[:1])
	r.around("gossip to three", epidemic(swim.LAN(), 300, 290, 145), 0.15, mean/1e6)

	require.True(t, r.Gates[0].OK, "%+v", r.Gates[0])
	require.False(t, r.Gates[1].OK, "%+v", r.Gates[1])
	require.False(t, r.Gates[2].OK, "%+v", r.Gates[2])
	require.False(t, r.OK())
}

// TestTheory compares the formulas with figures computed by other means.
func TestTheory(t *testing.T) {
	limit := math.E / (math.E - 1)
	require.InDelta(t, 1.581977, limit, 1e-6)
	require.InDelta(t, limit, periodsInVain(100_000, 100_000), 1e-4)
	require.InDelta(t, 1/(1-math.Exp(-0.5)), periodsInVain(100_000, 50_000), 1e-4)
	require.InDelta(t, 1, periodsInVain(1, 1), 1e-9, "two members: the one pings the other in every period")

	for _, f := range []struct {
		q    float64
		k    int
		want float64
	}{{0.9, 1, 0.0653}, {0.9, 3, 0.00773}, {0.95, 1, 0.0181}, {0.95, 3, 6.2e-4}, {0.99, 1, 7.8e-4}, {0.99, 3, 1.2e-6}} {
		require.InEpsilon(t, f.want, suspicions(f.q, f.k), 0.02)
	}

	// With one contact a second and nobody else to find out, the two that know need 1/2 s for the third of three.
	c := swim.Config{ProbeInterval: 2 * time.Second, GossipInterval: time.Second, GossipNodes: 0}
	require.InDelta(t, 1000/(1*(2*1+0.5)/2), epidemic(c, 3, 3, 3), 1e-6)
	// For many, it is the logistic curve from 2: ln(n/2)/c to the half, and as long again to all but as few.
	c = swim.LAN()
	require.InEpsilon(t, 1000*math.Log(1e6/2)/17, epidemic(c, 1e6, 1e6, 5e5), 0.05)
	require.InDelta(t, math.Pow(0.7, 13), power(0.7, 13), 1e-15)
}

func TestLongestGapSeesStarvation(t *testing.T) {
	// 5 members and 3 periods: some pair has no ping at all, and the whole time is the gap.
	gap, err := longestGap(5, 1, 3*time.Second)
	require.NoError(t, err)
	require.Equal(t, 3*time.Second, gap)
}

func TestPercent(t *testing.T) {
	for _, p := range []struct{ share, n, want int }{{50, 9, 5}, {90, 10, 9}, {99, 100, 99}, {99, 101, 100}, {100, 7, 7}} {
		require.Equal(t, p.want, percent(p.share, p.n))
	}
}
