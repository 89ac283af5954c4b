package accept

import (
	"fmt"
	"time"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/sim"
)

// How long a dead member goes unnoticed (SWIM §3.1, §5). What is timed is from the crash to the first ping
// that anyone sends to the dead member: what the detector of SWIM does about a member that does not answer
// comes later, and takes a time that is not left to chance.

// firstProbe has members that start their protocol periods independently of each other, as they do in
// production. Each of the U members that are up pings one of N = n−1 others every T, so a dead member is
// pinged U/(N·T) times a unit of time, and the time to the first ping is exponentially distributed with mean
//
//	T · N/U = T/q_f, where q_f is the fraction of the others that is up
func (s *Suite) firstProbe(quick bool) {
	n, deaths, runs := 1000, 50, 40
	if quick {
		n, deaths, runs = 200, 10, 100
	}
	members := detector()
	waits := make([][]time.Duration, runs)
	s.add("first probe", runs, func(k int, seed uint64) (err error) {
		waits[k], err = unnoticed("first probe", n, deaths, seed, 0, members)
		return err
	})
	s.conclude(func(r *Report) {
		mean, count := meanOf(waits)
		qf := float64(n-deaths) / float64(n-1)
		name := fmt.Sprintf("swim 1: periods to the first ping, unsynchronised, n=%d, %d deaths", n, count)
		r.around(name, 1/qf, 0.10, mean/float64(members.ProbeInterval))
	})
}

// firstPeriod has members whose periods begin together. Then time is counted in periods: 1 if somebody pings
// the dead member at the beginning of the first period after the crash. The paper lets each member choose its
// target anew each period, so that k periods pass in vain with probability (1−1/N)^(U·k); with q_f = 1 and N
// without bound that is e^−k, which gives the paper's e/(e−1) = 1.582 periods. Our members walk through all N
// others in an order of their own choosing: among the next k places of each walk the dead member stands with
// probability k/N. So the expected number of periods is
//
//	Σ (1−k/N)^U, for k = 0 to N
//
// which has the same limit, and is 0.2 % below the paper's form at the size measured here.
func (s *Suite) firstPeriod(quick bool) {
	n, deaths, runs := 256, 4, 500
	if quick {
		n, runs = 128, 250
	}
	members := detector()
	members.Phase = members.ProbeInterval / 2
	waits := make([][]time.Duration, runs)
	s.add("first period", runs, func(k int, seed uint64) (err error) {
		// The crash is at a whole second: half a period before the next begins, which counts as 1.
		waits[k], err = unnoticed("first period", n, deaths, seed, members.Phase, members)
		return err
	})
	s.conclude(func(r *Report) {
		mean, count := meanOf(waits)
		name := fmt.Sprintf("swim 2: periods to the first ping, aligned, n=%d, %d deaths", n, count)
		r.around(name, periodsInVain(n-1, n-deaths), 0.10, mean/float64(members.ProbeInterval))
	})
}

// detector is a configuration in which nothing but probes go on, and nobody is given up for dead: the number
// of members that are pinged stays what it is.
func detector() swim.Config {
	c := plain()
	c.GossipNodes, c.SuspicionMult, c.HealInterval = 0, 100, 0
	return c
}

// unnoticed lets the first members crash at one time and returns how long, and early more, each went unpinged.
func unnoticed(
	name string, n, deaths int, seed uint64, early time.Duration, members swim.Config,
) ([]time.Duration, error) {
	crash := settled
	c := cluster(name, n, seed, members, crash+patience)
	c.Mark = crash
	c.Ops = append(c.Ops, sim.Op{Kind: sim.Crash, At: crash, Nodes: span(0, deaths)})
	waits := make([]time.Duration, deaths)
	unseen := deaths
	p := newPings(func(at core.Instant, _, to int) {
		if to < deaths && at >= core.Instant(crash) && waits[to] == 0 {
			waits[to] = at.Sub(core.Instant(crash)) + early
			unseen--
		}
	})
	_, err := simulate(c, watcher{step: p.watch, done: func() bool { return unseen == 0 }})
	if err == nil && unseen > 0 {
		err = fmt.Errorf("%s, seed %d: nobody pinged %d of the dead in %v", name, seed, unseen, patience)
	}
	return waits, err
}

// patience is how long to wait for something that takes a period or two.
const patience = 20 * time.Second

// settled is when the members have left their common start behind.
const settled = 3 * time.Second

// meanOf is the mean of all measurements of all runs, in nanoseconds, and how many there are.
func meanOf(runs [][]time.Duration) (mean float64, count int) {
	sum := time.Duration(0)
	for _, run := range runs {
		for _, d := range run {
			sum += d
		}
		count += len(run)
	}
	return float64(sum) / float64(max(count, 1)), count
}

// periodsInVain is the expectation that firstPeriod explains.
func periodsInVain(others, up int) (sum float64) {
	for k := range others {
		sum += power(1-float64(k)/float64(others), up)
	}
	return sum
}

// power is x to the n-th, n ≥ 0.
func power(x float64, n int) float64 {
	result := 1.0
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			result = float64(result * x)
		}
		x = float64(x * x)
	}
	return result
}
