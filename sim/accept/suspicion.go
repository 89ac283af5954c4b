package accept

import (
	"fmt"
	"time"

	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/sim"
)

// falseSuspicion measures how often a probe of a member that is up fails for want of luck (SWIM §3.1, §5),
// each datagram getting through with probability q:
//
//	(1−q²) · (1−q_f·q⁴)^k
//
// since a ping and its ack must both be lost, and for each of the k helpers one of four messages; and q_f,
// the fraction of helpers that are up, is 1 here. Counted are the rounds that members start and those that
// end in a suspicion, by their own counters. The ping on a link is off, and so is Lifeguard. News travels
// on pings alone, and suspicions last for long, so that nobody dies of one.
func (s *Suite) falseSuspicion(quick bool) {
	type setting struct{ lossPPM, helpers, nodes, seconds, runs int }
	settings := []setting{
		{100_000, 1, 128, 130, 2}, {100_000, 3, 128, 500, 4}, {200_000, 3, 128, 120, 2}, {50_000, 1, 128, 450, 2},
	}
	if quick {
		settings = []setting{{100_000, 1, 64, 300, 1}, {200_000, 3, 64, 300, 1}}
	}
	for _, set := range settings {
		counts := make([]swim.Counters, set.runs)
		name := fmt.Sprintf("q=%.2f, k=%d", 1-float64(set.lossPPM)/1e6, set.helpers)
		s.add("false suspicion, "+name, set.runs, func(k int, seed uint64) (err error) {
			length := time.Duration(set.seconds) * time.Second
			counts[k], err = lossyProbes(set.nodes, set.helpers, set.lossPPM, seed, length)
			return err
		})
		s.conclude(func(r *Report) {
			var probes, failed uint64
			for _, c := range counts {
				probes, failed = probes+c.Probes, failed+c.ProbesFailed
			}
			expected := suspicions(1-float64(set.lossPPM)/1e6, set.helpers)
			title := fmt.Sprintf("swim 6: false suspicions per probe, %s, %d of %d", name, failed, probes)
			r.around(title, expected, 0.10, float64(failed)/float64(max(probes, 1)))
		})
	}
}

// suspicions is how many there are expected to be for each probe; see falseSuspicion.
func suspicions(q float64, helpers int) float64 {
	return float64((1 - power(q, 2)) * power(1-power(q, 4), helpers))
}

// lossyProbes returns the sums of all members' counters at the end of a run.
func lossyProbes(n, helpers, lossPPM int, seed uint64, length time.Duration) (sum swim.Counters, err error) {
	members := detector()
	members.IndirectProbes = helpers
	c := cluster("false suspicion", n, seed, members, length)
	c.Ops = append(c.Ops, sim.Op{Kind: sim.Loss, PPM: lossPPM})
	last := make([]swim.Counters, n)
	_, err = simulate(c, watcher{step: func(step *sim.Step) {
		for i := range step.Effects {
			if info, ok := step.Effects[i].Event.(*swim.Info); ok {
				last[step.Node] = info.Counters
			}
		}
	}})
	for _, c := range last {
		sum.Probes += c.Probes - 1 // the last round is not over
		sum.ProbesFailed += c.ProbesFailed
	}
	return sum, err
}
