package sim

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/nekton-go/nekton/core/swim"
)

// A profile says what kind of swarm to draw from a seed.
type profile struct {
	name, doc string
	sizes     []int // numbers of members to draw from
	faults    []string
	share     int // of those faults that a seed includes, in ppm
	most      int // occurrences of one fault
	retune    bool
}

var profiles = []profile{
	{
		name: "default", doc: "3 to 33 members, 16 on average; half of all faults, other configurations",
		sizes: []int{3, 4, 5, 7, 8, 9, 10, 11, 15, 16, 17, 24, 31, 32, 33}, share: million / 2, most: 4, retune: true,
	},
	{
		name: "lite", doc: "2 to 8 members; one fault in five",
		sizes: []int{2, 3, 4, 5, 8}, share: million / 5, most: 3,
	},
	{
		name: "storm", doc: "8 to 16 members; every fault, many times",
		sizes: []int{8, 11, 16}, share: million, most: 8, retune: true,
	},
}

// Profiles lists the names of the kinds of swarm.
func Profiles() []string {
	names := make([]string, len(profiles))
	for i := range profiles {
		names[i] = profiles[i].name
	}
	return names
}

const (
	swarmFor  = 10 * time.Minute
	swarmMark = 5 * time.Minute // when chaos ends
)

// Swarm draws a case from a seed: how many members, how they are configured, which faults there are and when.
// Leaving kinds of faults out at random finds what all of them at once would hide (Groce et al., Swarm
// Testing, ISSTA 2012). A run has a calm start, chaos, and then only what must recover: a part of the
// members, whose views must become equal. Errors wrap ErrOptions.
func Swarm(seed uint64, name string) (Case, error) {
	at := slices.IndexFunc(profiles, func(p profile) bool { return p.name == name })
	if at < 0 {
		return Case{}, badOption("there is no swarm called %q; use one of %s", name, strings.Join(Profiles(), ", "))
	}
	p := &profiles[at]
	g := newGenerator(seed, "cluster", 0, 0, 0)
	g.nodes = p.sizes[g.choose(len(p.sizes))]
	c := Case{
		Name: "swarm " + name, Seed: seed, Nodes: g.nodes, Mark: swarmMark, For: swarmFor, Victim: never,
		Network: Network{}.defaulted(), Swim: swim.LAN(),
	}
	c.Sealed = newGenerator(seed, "seal", 0, 0, 0).chance(million / 4)
	if p.retune {
		retune(newGenerator(seed, "configuration", g.nodes, 0, 0), &c.Swim)
		reroute(newGenerator(seed, "network", g.nodes, 0, 0), &c)
	}
	begin := calm(setting{nodes: g.nodes, seed: seed, swim: c.Swim})
	c.Ops = begin.ops
	from := begin.mark + g.span(time.Second, warmUp)
	for i := range catalogue {
		c.Ops = append(c.Ops, p.occurrences(&catalogue[i], &c, from)...)
	}
	lost := losses(newGenerator(seed, "core", g.nodes, from, swarmMark))
	c.Ops = append(c.Ops, lost...)
	c.Swim.MembersMax = max(c.Swim.MembersMax, g.nodes-len(lost)) // there is room for the core, at least
	slices.SortStableFunc(c.Ops, func(a, b Op) int { return cmp.Compare(a.At, b.At) })
	s := setting{nodes: g.nodes, seed: seed, swim: c.slowest()}
	c.Within, c.Search = s.settle()+s.heal()+s.detect(len(lost)), s.search(len(lost))
	return c, nil
}

// losses draws, half of the time, who does not recover with the others: they crash for good when everything
// else heals, or are cut off for good earlier. At least two members are left: the core, which must agree. If
// everybody healed, whom everybody depends on would heal as well, and nobody would notice that they do.
func losses(g *generator) (ops []Op) {
	if g.nodes < 3 || g.chance(million/2) {
		return nil
	}
	for _, i := range g.some(1 + g.choose(g.nodes-2)) {
		op := Op{Kind: Crash, Nodes: []int{i}, At: swarmMark, Fault: "crash for good"}
		if g.chance(million / 2) {
			op.Kind, op.At, op.Fault = Exile, g.moment(g.from, g.to), Exile.String()
		}
		ops = append(ops, op)
	}
	return ops
}

// occurrences draws whether a swarm has a fault, and what of it.
func (p *profile) occurrences(f *fault, c *Case, from time.Duration) (ops []Op) {
	g := newGenerator(c.Seed, f.name, c.Nodes, from, swarmMark)
	g.sealed = c.Sealed
	if !g.chance(p.share) || len(p.faults) > 0 && !slices.Contains(p.faults, f.name) {
		return nil
	}
	for range 1 + g.choose(p.most) {
		for _, op := range f.make(g) {
			op.Fault = f.name
			ops = append(ops, op)
		}
	}
	return ops
}

// reroute draws another network, half of the time: one on which no probe of a member that is well times out.
func reroute(g *generator, c *Case) {
	if g.chance(million / 2) {
		return
	}
	longest := c.Swim.ProbeTimeout / 4
	mean := g.span(100*time.Microsecond, longest/4)
	c.Network = Network{
		LatencyMin: mean / time.Duration(1+g.choose(10)), LatencyMax: longest,
		Shape: shapes[g.choose(len(shapes))], LatencyMean: mean,
	}
}

// retune draws another configuration, half of the time.
func retune(g *generator, c *swim.Config) {
	if g.chance(million / 2) {
		return
	}
	c.ProbeInterval = g.span(500*time.Millisecond, 4*time.Second)
	c.ProbeTimeout = c.ProbeInterval / time.Duration(2+g.choose(3))
	c.IndirectProbes = g.choose(5)
	c.SuspicionMult = 2 + g.choose(5)
	c.SuspicionScale = 1 + g.choose(6)
	c.Confirmations = g.choose(4)
	c.HealthMax = g.choose(9)
	c.GossipInterval = g.span(100*time.Millisecond, time.Second)
	c.GossipNodes = 1 + g.choose(4)
	c.RetransmitMult = 1 + g.choose(5)
	c.PushPullInterval = g.span(5*time.Second, time.Minute)
	c.HealInterval = g.span(5*time.Second, 30*time.Second)
	if g.chance(million / 4) { // hardly any room
		c.RelaysMax, c.BroadcastsMax, c.MembersMax = 1, 16, 2
	}
}
