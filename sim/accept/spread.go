package accept

import (
	"fmt"
	"time"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/sim"
)

// shares are the parts of the members that must have heard, in %.
var shares = [...]int{50, 90, 99}

// spread measures how fast news travels (SWIM §4.1, §5): the time from the first member that suspects a dead
// one to when a half, 90 % and 99 % of those that are up do, in the LAN preset.
//
// Theory. Members gossip and probe at times of their own, so each of the j that know sends news to random
// others at a constant rate c: GossipNodes every GossipInterval, and a ping and an ack in each ProbeInterval,
// since news rides on both; 17 a second. Besides, each member finds out by itself when its own probe fails,
// which is once in N·T for N = n−1 others. So of the U members that are up the next one hears at the rate
//
//	(U−j)·(c·j + 1/T)/N
//
// and the expected time until m know is the sum of the inverses for j = 2 to m−1: the exact mean of the
// stochastic epidemic in which contacts are independent. It begins at 2, since the first one suspects at the
// end of a round, and the ping of the next leaves in the same instant. (The logistic curve x' = c·x·(1−x) is the
// same once many know; it leaves out that the first few are few.) Left out are the latency of 1 ms, which costs
// 2 %, and that contacts come in threes and regularly, which changes their variance, not their rate.
func (s *Suite) spread(quick bool) {
	sizes, runs, deaths := []int{1000, 4000}, []int{8, 4}, 10
	if quick {
		sizes, runs = []int{300}, []int{8}
	}
	for i, n := range sizes {
		waits := make([][len(shares)][]time.Duration, runs[i])
		s.add(fmt.Sprintf("spread among %d", n), runs[i], func(k int, seed uint64) (err error) {
			waits[k], err = hearings(swim.LAN(), n, deaths, seed)
			return err
		})
		s.conclude(func(r *Report) {
			for j, share := range shares {
				var all [][]time.Duration
				for _, w := range waits {
					all = append(all, w[j])
				}
				mean, count := meanOf(all)
				up := n - deaths
				name := fmt.Sprintf("swim 5: ms until %d %% know, n=%d, %d deaths", share, n, count)
				r.around(name, epidemic(swim.LAN(), n, up, percent(share, up)), 0.15, mean/1e6)
			}
		})
	}
}

// hearings lets members crash, one every 100 ms, and returns for each share how long it took each death's
// news to reach it.
func hearings(
	members swim.Config, n, deaths int, seed uint64,
) (waits [len(shares)][]time.Duration, err error) {
	members.SuspicionMult = 100 // suspicions do not end while we watch: their end is other news
	c := cluster("spread", n, seed, members, settled+patience)
	for i := range deaths {
		c.Mark = settled + time.Duration(i)*100*time.Millisecond
		c.Ops = append(c.Ops, sim.Op{Kind: sim.Crash, At: c.Mark, Nodes: []int{i}})
	}
	known, first := make([]int, deaths), make([]core.Instant, deaths)
	up, unheard := n-deaths, deaths*len(shares)
	heard := func(at core.Instant, victim int) {
		if known[victim]++; known[victim] == 1 {
			first[victim] = at
		}
		for j, share := range shares {
			if known[victim] == percent(share, up) {
				waits[j] = append(waits[j], at.Sub(first[victim]))
				unheard--
			}
		}
	}
	_, err = simulate(c, watcher{done: func() bool { return unheard == 0 }, step: func(step *sim.Step) {
		for i := range step.Effects {
			t, ok := step.Effects[i].Event.(*swim.Transition)
			if !ok || t.New.State != swim.Suspect || t.Old.State == swim.Suspect || step.Node < deaths {
				continue
			}
			if victim := subject(t.Name); victim < deaths {
				heard(step.At, victim)
			}
		}
	}})
	if err == nil && unheard > 0 {
		err = fmt.Errorf("spread among %d, seed %d: news did not reach its shares in %v", n, seed, patience)
	}
	return waits, err
}

// percent is how many of n are a share of them, rounded up.
func percent(share, n int) int { return (share*n + 99) / 100 }

// epidemic is the expected time in ms until m of the members that are up know; see spread.
func epidemic(c swim.Config, n, up, m int) (sum float64) {
	const second = float64(time.Second)
	alone := second / float64(c.ProbeInterval)
	contacts := float64(second/float64(c.GossipInterval)*float64(c.GossipNodes)) + float64(2*alone)
	for j := 2; j < m; j++ {
		rate := float64(float64(up-j) * (float64(contacts*float64(j)) + alone))
		sum += float64(1000*(n-1)) / rate
	}
	return sum
}
