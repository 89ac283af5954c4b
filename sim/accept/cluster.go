package accept

import (
	"time"

	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/sim"
)

// cluster is a run of n members that know each other from its beginning, and in which nothing happens.
func cluster(name string, n int, seed uint64, members swim.Config, length time.Duration) sim.Case {
	return sim.Case{
		Name: name, Seed: seed, Nodes: n, Victim: -1, For: length, Network: network, Swim: members,
		Converged: true,
	}
}

// network is the one of all suites: delays of 1 ms, give or take a half.
var network = sim.Network{LatencyMin: 500 * time.Microsecond, LatencyMax: 1500 * time.Microsecond}

// span lists the numbers from low to high, without high.
func span(low, high int) []int {
	all := make([]int, high-low)
	for i := range all {
		all[i] = low + i
	}
	return all
}
