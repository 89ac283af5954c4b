package sim

import (
	"math/bits"
	"strings"
	"time"

	"github.com/nekton-go/nekton/core/swim"
)

const (
	stagger = 7 * time.Millisecond // between starts
	warmUp  = 30 * time.Second     // of calm before the first fault
)

// plan is what a scenario makes of (nodes, duration, seed): an explicit schedule and what to expect.
type plan struct {
	ops    []Op
	mark   time.Duration // the last disturbance: convergence is timed from here
	within time.Duration // how long that may take
	victim int           // whose failure is timed from mark, or -1
}

// setting is what a scenario may plan with.
type setting struct {
	nodes int
	seed  uint64
	swim  swim.Config

	converged bool
}

// scenario is a named recipe.
type scenario struct {
	name  string
	nodes int           // the fewest it makes sense with
	usual time.Duration // default duration
	build func(setting) plan
}

var scenarios = []scenario{
	{"calm", 2, time.Minute, calm},
	{"crash", 2, 90 * time.Second, crash},
	{"loss", 2, 90 * time.Second, loss},
	{"partition", 2, 15 * time.Minute, partition},
	{"flap", 2, 5 * time.Minute, flap},
	{"restart", 4, 5 * time.Minute, restart},
}

// Scenarios lists the names of the scenarios, simplest first.
func Scenarios() []string {
	names := make([]string, len(scenarios))
	for i := range scenarios {
		names[i] = scenarios[i].name
	}
	return names
}

func find(name string) (scenario, error) {
	for _, s := range scenarios {
		if s.name == name {
			return s, nil
		}
	}
	return scenario{}, badOption("unknown scenario %q; use one of %s", name, strings.Join(Scenarios(), ", "))
}

// calm starts the members one after the other; all but the first join by way of it. Those who know each other
// already have started.
func calm(s setting) plan {
	p := plan{victim: -1, within: s.settle()}
	if s.converged {
		return p
	}
	for i := range s.nodes {
		p.mark = time.Duration(i) * stagger
		p.ops = append(p.ops, Op{At: p.mark, Kind: Start, Nodes: []int{i}})
		if i > 0 {
			p.ops = append(p.ops, Op{At: p.mark, Kind: Join, Nodes: []int{i}, Peers: []int{0}})
		}
	}
	return p
}

// crash kills one member for good, after a calm warm-up.
func crash(s setting) plan {
	p := calm(s)
	p.victim = 1 + s.choose(0, s.nodes-1)
	// Anywhere within a probe interval: all members count theirs from about the same moment.
	p.mark += warmUp + s.moment(1, s.swim.ProbeInterval)
	p.ops = append(p.ops, Op{At: p.mark, Kind: Crash, Nodes: []int{p.victim}})
	return p
}

// loss is crash while packets get lost: 5 % of them, unless Options.LossPPM says otherwise.
func loss(s setting) plan { return crash(s) }

const usualLoss = 50_000

// partition splits the cluster in two halves for five minutes, which is ten times longer than members
// gossip to the dead, then heals.
func partition(s setting) plan {
	p := calm(s)
	// Anywhere within an interval of everything periodic that may heal it.
	at := p.mark + warmUp + s.moment(0, s.swim.PushPullInterval)
	p.mark = at + 5*time.Minute
	near, far := s.halves()
	p.ops = append(p.ops, Op{At: at, Until: p.mark, Kind: Cut, Nodes: near, Peers: far})
	p.within = s.heal()
	return p
}

// flap lets the way between two halves come and go for two minutes, for shorter than it takes to give
// somebody up, while one link works in one direction only half of the time.
func flap(s setting) plan {
	p := calm(s)
	from := p.mark + warmUp
	near, far := s.halves()
	a := s.choose(0, s.nodes)
	b := (a + 1 + s.choose(1, s.nodes-1)) % s.nodes
	for at := from; at < from+2*time.Minute; at += 24 * time.Second {
		p.ops = append(p.ops, Op{At: at, Until: at + 8*time.Second, Kind: Cut, Nodes: near, Peers: far})
	}
	for at := from; at < from+2*time.Minute; at += 6 * time.Second {
		p.mark = at + 3*time.Second
		p.ops = append(p.ops, Op{At: at, Until: p.mark, Kind: Cut, OneWay: true, Nodes: []int{a}, Peers: []int{b}})
	}
	p.within = s.heal()
	return p
}

// restart kills half of the members within two seconds and starts each again up to three seconds
// later, without its journal or a wall clock: nobody remembers its incarnation but the others.
func restart(s setting) plan {
	p := calm(s)
	from := p.mark + warmUp
	for k, i := range s.shuffled()[:s.nodes/2] {
		down := from + s.moment(2*k+1, 2*time.Second)
		up := down + s.moment(2*k+2, 3*time.Second)
		p.mark = max(p.mark, up)
		seeds := []int{(i + 1) % s.nodes, (i + 2) % s.nodes, (i + 3) % s.nodes}
		p.ops = append(p.ops,
			Op{At: down, Until: up, Kind: Crash, Nodes: []int{i}, Lost: true},
			Op{At: up + time.Millisecond, Kind: Join, Nodes: []int{i}, Peers: seeds})
	}
	return p
}

// settle bounds how long views take to agree once nothing happens any more: everyone exchanges
// everything once; who is not what others believe is probed, by members whose own health has stretched
// their intervals; and whatever is suspected then, or starts to be, is decided.
func (s setting) settle() time.Duration {
	n := uint(max(s.nodes, 2))
	tenths := time.Duration(bits.Len(n)*302/100 + 1) // of log10 n, at least
	suspicion := time.Duration(s.swim.SuspicionMult*s.swim.SuspicionScale) * s.swim.ProbeInterval * tenths / 10
	exchange := s.swim.PushPullInterval
	if n > 32 {
		exchange *= time.Duration(bits.Len((n-1)/32) + 1)
	}
	probes := time.Duration(8+2*(s.swim.HealthMax+1)) * s.swim.ProbeInterval
	return exchange + probes + 2*suspicion
}

// detect bounds how long it takes beyond that to find out who is gone for good. Two members may be all that are
// left to do so: who is gone is probed once in a pass, nobody waits for longer than two, and each probe in vain
// stretches the intervals further.
func (s setting) detect(gone int) time.Duration {
	return time.Duration(2*gone*(s.swim.HealthMax+1)) * s.swim.ProbeInterval
}

const healRounds = 4

// heal bounds how long two halves take to find each other again: four rounds of healing. Without
// healing there is no reason that they should; give them as long as anything else takes.
func (s setting) heal() time.Duration {
	if s.swim.HealInterval == 0 {
		return s.settle()
	}
	return healRounds * s.swim.HealInterval
}

// search bounds what it takes to find somebody of whom only one member knows while others are gone for good,
// which may be all that its seeds are: that member heals with everyone it has lost, and every such seed,
// in turn, the more often the more there are of them than of its peers. Whoever is gone does not answer.
func (s setting) search(gone int) time.Duration {
	if s.swim.HealInterval == 0 || gone == 0 {
		return 0
	}
	rounds := time.Duration(s.nodes+gone)*s.swim.HealInterval + time.Duration(2*gone)*s.swim.StreamTimeout
	return s.settle() + s.heal() + s.detect(gone) + rounds
}

// choose makes the scenario's k-th choice, below n.
func (s setting) choose(k, n int) int {
	return int(below(draw(s.seed, forSchedule, 0, 0, uint64(k)), int64(n)))
}

// moment makes the scenario's k-th choice, of a moment within d.
func (s setting) moment(k int, d time.Duration) time.Duration {
	return time.Duration(below(draw(s.seed, forSchedule, 0, 0, uint64(k)), int64(d)))
}

func (s setting) halves() (near, far []int) {
	for i := range s.nodes {
		if i < s.nodes/2 {
			near = append(near, i)
		} else {
			far = append(far, i)
		}
	}
	return near, far
}

// shuffled returns all members in an order of the seed's choosing.
func (s setting) shuffled() []int {
	all := make([]int, s.nodes)
	for i := range all {
		k := int(below(draw(s.seed, forSchedule, 1, 0, uint64(i)), int64(i+1)))
		all[i], all[k] = all[k], i
	}
	return all
}
