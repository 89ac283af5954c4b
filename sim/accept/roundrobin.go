package accept

import (
	"fmt"
	"time"

	"github.com/nekton-go/nekton/core"
)

// roundRobin measures the longest time that passes between two pings of one member by one other, over all
// pairs (SWIM §4.3): at most 2n−1 periods while nobody comes or goes. The time before a pair's first ping and
// that after its last count as well. The bound is reached by the last of n members in one pass that is the
// first of the next; ours pings n−1 others in a pass, so its longest gap is 2(n−1)−1 periods. A gap of more
// than n−1 shows that the order of passes differs.
func (s *Suite) roundRobin(quick bool) {
	sizes, passes := []int{5, 33, 64, 100}, 20
	if quick {
		sizes = sizes[:3]
	}
	gaps := make([]time.Duration, len(sizes))
	period := detector().ProbeInterval
	for i, n := range sizes {
		s.add(fmt.Sprintf("round robin of %d", n), 1, func(_ int, seed uint64) (err error) {
			gaps[i], err = longestGap(n, seed, time.Duration(passes*n)*period)
			return err
		})
	}
	s.conclude(func(r *Report) {
		for i, n := range sizes {
			name := fmt.Sprintf("swim 3: periods between two pings of one member by one other, at most, n=%d", n)
			r.between(name, float64(2*n-1), float64(n), float64(2*n-1), float64(gaps[i])/float64(period))
		}
	})
}

func longestGap(n int, seed uint64, length time.Duration) (longest time.Duration, err error) {
	last := make([]core.Instant, n*n)
	p := newPings(func(at core.Instant, from, to int) {
		longest = max(longest, at.Sub(last[from*n+to]))
		last[from*n+to] = at
	})
	_, err = simulate(cluster("round robin", n, seed, detector(), length), watcher{step: p.watch})
	for pair, at := range last {
		if pair/n != pair%n {
			longest = max(longest, core.Instant(length).Sub(at))
		}
	}
	return longest, err
}
