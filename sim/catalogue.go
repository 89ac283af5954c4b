package sim

import (
	"math/bits"
	"slices"
	"time"

	"github.com/nekton-go/nekton/internal/mix"
)

// A fault is an entry of the catalogue that swarms draw from: something that goes wrong in the world, as the
// operations that bring it about. It may take several, and it may be one kind of operation in a pattern.
type fault struct {
	name, doc string
	// make draws one occurrence. All of it must happen within g.from and g.to.
	make func(g *generator) []Op
}

// catalogue is every fault there is. Its order means nothing: draws are keyed by name.
var catalogue = slices.Concat(
	memberFaults, processFaults, clockFaults, networkFaults, topologyFaults, diskCatalogue, chores,
)

// FaultInfo describes one entry of the catalogue.
type FaultInfo struct{ Name, Doc string }

// Catalogue describes the faults that swarms draw from.
func Catalogue() []FaultInfo {
	all := make([]FaultInfo, len(catalogue))
	for i, f := range catalogue {
		all[i] = FaultInfo{f.name, f.doc}
	}
	return all
}

var memberFaults = []fault{
	{"crash", "a member stops at once and starts again, with its journal", func(g *generator) []Op {
		return g.crash(Op{})
	}},
	{"amnesia", "a member starts again without journal and wall clock", func(g *generator) []Op {
		return g.crash(Op{Lost: true})
	}},
	{"pause", "a member is stopped and goes on later, as by SIGSTOP", func(g *generator) []Op {
		return g.cramped(g.window(Op{Kind: Pause, Nodes: g.member()}, 100*time.Millisecond, 30*time.Second))
	}},
	{"leave", "a member says goodbye, ends, and comes back", func(g *generator) []Op {
		ops := g.crash(Op{})
		goodbye := Op{Kind: Leave, Nodes: ops[0].Nodes, At: g.moment(g.from, ops[0].At)}
		return append(ops, goodbye)
	}},
}

// A generator draws one occurrence of one fault. Its draws are keyed by seed, the fault's name and the number
// of the occurrence: leaving out another fault, or adding one to the catalogue, changes none of them.
type generator struct {
	seed     uint64
	name     uint64 // of the fault, hashed
	n        uint64 // draws so far, those of earlier occurrences included
	nodes    int
	sealed   bool          // see Case.Sealed
	from, to time.Duration // when faults may be
}

func newGenerator(seed uint64, name string, nodes int, from, to time.Duration) *generator {
	g := &generator{seed: seed, nodes: nodes, from: from, to: to}
	for _, b := range []byte(name) {
		g.name = mix.Uint64(g.name<<8 | uint64(b))
	}
	return g
}

func (g *generator) draw() uint64 {
	g.n++
	return draw(g.seed, forSwarm, g.name, 0, g.n)
}

// choose draws from 0 to n-1.
func (g *generator) choose(n int) int { return int(below(g.draw(), int64(n))) }

// chance is true ppm times in a million.
func (g *generator) chance(ppm int) bool { return chance(g.draw(), ppm) }

// moment draws a time between two.
func (g *generator) moment(from, to time.Duration) time.Duration {
	return from + time.Duration(below(g.draw(), int64(to-from)))
}

// scale draws from min to max such that every order of magnitude is as likely as any other.
func (g *generator) scale(least, most int64) int64 {
	octaves := bits.Len64(uint64(most / least))
	low := least << g.choose(octaves)
	return low + below(g.draw(), min(low, most-low+1))
}

// span draws a duration, by scale.
func (g *generator) span(least, most time.Duration) time.Duration {
	return time.Duration(g.scale(int64(least), int64(most)))
}

// ppm draws a probability from a thousandth to max, by scale.
func (g *generator) ppm(most int) int { return int(g.scale(1000, int64(most))) }

// member draws one.
func (g *generator) member() []int { return []int{g.choose(g.nodes)} }

// some draws k of the members, in order.
func (g *generator) some(k int) []int {
	all := g.shuffled()[:k]
	slices.Sort(all)
	return all
}

// shuffled draws all of the members, in any order.
func (g *generator) shuffled() []int {
	all := make([]int, g.nodes)
	for i := range all {
		j := g.choose(i + 1)
		all[i], all[j] = all[j], i
	}
	return all
}

// split draws two groups that are everybody, neither empty if there are two members.
func (g *generator) split() (near, far []int) {
	near = g.some(1 + g.choose(max(g.nodes-1, 1)))
	for i := range g.nodes {
		if !slices.Contains(near, i) {
			far = append(far, i)
		}
	}
	return near, far
}

// window draws when op begins and ends.
func (g *generator) window(op Op, least, most time.Duration) []Op {
	lasts := min(g.span(least, most), g.to-g.from)
	op.At = g.moment(g.from, g.to-lasts+1)
	op.Until = op.At + lasts
	return []Op{op}
}

// crash draws a crash like op and what makes the member come back.
func (g *generator) crash(op Op) []Op {
	op.Kind, op.Nodes = Crash, g.member()
	ops := g.window(op, time.Millisecond, 2*time.Minute)
	return append(ops, g.back(ops[0].Until, op.Nodes[0]))
}

// back draws how a member that was gone joins again: by way of any other, and of a seed that all have in common.
// It may remember nobody, so two groups that do not hear each other would have nothing to find each other by.
func (g *generator) back(at time.Duration, member int) Op {
	peers := []int{0}
	if member == 0 {
		peers[0] = 1
	}
	if seed := (member + 1 + g.choose(g.nodes-1)) % g.nodes; seed != peers[0] {
		peers = append(peers, seed)
	}
	return Op{Kind: Join, At: at, Nodes: []int{member}, Peers: peers}
}

// Pick draws k of so many members, in order, for those who write schedules: one key, one choice.
func Pick(seed uint64, key, nodes, k int) []int {
	g := newGenerator(seed, "pick", nodes, 0, 0)
	g.n = uint64(key) << 32
	return g.some(min(max(k, 0), nodes))
}
