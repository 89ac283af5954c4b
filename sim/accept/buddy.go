package accept

import (
	"fmt"
	"time"

	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/sim"
)

// buddies shows what the buddy system is for, which the grid does not: a member that loses what it is sent for a
// while, and with it the gossip that it is suspect. Gossip is over in a second or two, so nobody would tell it
// again; by the buddy system every ping does. Counted are runs in which it is declared dead though it heard again
// before. The cut lasts 6 s. The suspicion begins a round after the first ping that is lost, 1 s plus an
// exponential time of mean 1 s into the cut, and lasts 8.43 s: so 3.43 s and that time are left for one of the
// pings that come each second on average, and with the buddy system it dies with probability e^−3.43 / 2 = 1.6 %.
func (s *Suite) buddies(quick bool) {
	runs := 100
	if quick {
		runs = 20
	}
	with := swimMode
	with.buddy = true
	off, on := s.missNews(swimMode, runs), s.missNews(with, runs)
	s.conclude(func(r *Report) {
		r.between("lifeguard 4: share that dies of having missed the news, SWIM", 1, 0.5, 1, share(off))
		r.between("lifeguard 4: share that dies of having missed the news, Buddy", 0.016, 0, 0.05, share(on))
	})
}

// missNews cuts the way to one member for six seconds, less than the shortest suspicion.
func (s *Suite) missNews(m mode, runs int) []bool {
	const length = 6 * time.Second
	died := make([]bool, runs)
	s.add(fmt.Sprintf("missed news, %s", m.name), runs, func(k int, seed uint64) error {
		c := cluster("missed news", anomalyNodes, seed, m.config(), settled+patience)
		c.Mark = settled + length
		c.Ops = append(c.Ops, sim.Op{
			Kind: sim.Cut, OneWay: true, Nodes: span(1, anomalyNodes), Peers: []int{0}, At: settled, Until: c.Mark,
		})
		_, err := simulate(c, watcher{step: func(step *sim.Step) {
			for i := range step.Effects {
				f, ok := step.Effects[i].Event.(*swim.Failed)
				died[k] = died[k] || ok && subject(f.Member.Name) == 0
			}
		}})
		return err
	})
	return died
}

func share(of []bool) float64 {
	n := 0
	for _, yes := range of {
		if yes {
			n++
		}
	}
	return float64(n) / float64(len(of))
}
