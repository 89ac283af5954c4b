package sim

import (
	"slices"
	"time"
)

// Faults of single packets, of ways between members, and of links.
var networkFaults = []fault{
	{"loss", "packets get lost", func(g *generator) []Op {
		return g.window(Op{Kind: Loss, PPM: g.ppm(300_000)}, time.Second, time.Minute)
	}},
	{"lossy-member", "what one member in a hundred hears, or says, gets lost", func(g *generator) []Op {
		op := Op{Kind: Loss, OneWay: true, PPM: g.ppm(900_000)}
		return g.window(g.towards(op, g.some(max(1, g.nodes/100))), 10*time.Second, 2*time.Minute)
	}},
	{"burst", "packets get lost for a while, now and then, on each way by itself", func(g *generator) []Op {
		bad := g.span(10*time.Millisecond, 5*time.Second)
		every := bad * time.Duration(2+g.choose(20))
		return g.window(Op{Kind: Burst, PPM: g.ppm(million), Extra: bad, Every: every}, 10*time.Second, 2*time.Minute)
	}},
	{"fade", "two groups hear less and less of each other, and at last nothing", func(g *generator) []Op {
		op := Op{Kind: Fade, OneWay: g.chance(million / 2)}
		op.Nodes, op.Peers = g.split()
		return g.window(op, 5*time.Second, 2*time.Minute)
	}},
	{"duplicate", "packets arrive twice", func(g *generator) []Op {
		return g.window(Op{Kind: Duplicate, PPM: g.ppm(500_000)}, time.Second, 2*time.Minute)
	}},
	{"replay", "packets arrive again up to half a minute later", func(g *generator) []Op {
		later := g.span(100*time.Millisecond, 30*time.Second)
		return g.window(Op{Kind: Duplicate, PPM: g.ppm(100_000), Extra: later}, time.Second, 2*time.Minute)
	}},
	{"reorder", "packets are late", func(g *generator) []Op {
		late := g.span(time.Millisecond, 2*time.Second)
		return g.window(Op{Kind: Reorder, PPM: g.ppm(500_000), Extra: late}, time.Second, 2*time.Minute)
	}},
	{"latency", "packets between two groups, or of one member, take longer", func(g *generator) []Op {
		op := Op{Kind: Latency, Mode: shapes[g.choose(len(shapes))]}
		op.Extra = g.span(time.Millisecond, 500*time.Millisecond)
		if op.Nodes, op.Peers = g.split(); g.chance(million / 2) {
			op.Nodes, op.Peers = g.member(), nil
		}
		return g.window(op, time.Second, 2*time.Minute)
	}},
	{"corrupt", "packets are damaged, which a checksum finds, or a seal", func(g *generator) []Op {
		op, mode := Op{Kind: Corrupt, PPM: g.ppm(200_000)}, damages[g.choose(len(damages))]
		if g.chance(million/2) && g.sealed {
			op.Mode = mode
		}
		return g.window(op, time.Second, 2*time.Minute)
	}},
	{"bandwidth", "members can send only so much", func(g *generator) []Op {
		op := Op{Kind: Bandwidth, Size: int(g.scale(100, 20_000)), Every: time.Second}
		op.Extra = g.span(50*time.Millisecond, 5*time.Second)
		return g.window(g.towards(op, g.some(1+g.choose(g.nodes))), 5*time.Second, time.Minute)
	}},
	{"clog", "what a member hears, or says, or both, is held for a while", func(g *generator) []Op {
		op := g.towards(Op{Kind: Clog, OneWay: g.chance(million * 2 / 3)}, g.member())
		return g.window(op, 100*time.Millisecond, 20*time.Second)
	}},
	{"swizzle", "some members are clogged one by one, and let go in another order", func(g *generator) (ops []Op) {
		from, to := g.frame(2*time.Second, time.Minute)
		third := (to - from) / 3
		for _, i := range g.some(1 + g.choose(g.nodes)) {
			ops = append(ops, Op{
				Kind: Clog, Nodes: []int{i}, At: g.moment(from, from+third), Until: g.moment(to-third, to),
			})
		}
		return ops
	}},
	{"mtu", "larger datagrams do not pass between two groups", func(g *generator) []Op {
		op := Op{Kind: MTU, Size: int(g.scale(16, 1300))}
		op.Nodes, op.Peers = g.split()
		return g.window(op, time.Second, 2*time.Minute)
	}},
	{"refuse", "links are refused", func(g *generator) []Op {
		return g.window(Op{Kind: Refuse, PPM: g.ppm(million)}, time.Second, 2*time.Minute)
	}},
	{"reset", "links end in the middle", func(g *generator) []Op {
		return g.window(Op{Kind: Reset, PPM: g.ppm(300_000)}, time.Second, 2*time.Minute)
	}},
	{"half-open", "links end at one side only", func(g *generator) []Op {
		return g.window(Op{Kind: HalfOpen, PPM: g.ppm(million)}, time.Second, 2*time.Minute)
	}},
	{"stall", "what is written to links is not read for a while", func(g *generator) []Op {
		op := g.towards(Op{Kind: Stall, OneWay: g.chance(million / 2)}, g.some(1+g.choose(g.nodes)))
		return g.window(op, 100*time.Millisecond, 30*time.Second)
	}},
	{"hostile", "somebody who is no member attacks some that are", func(g *generator) []Op {
		op := Op{Kind: Hostile, Every: g.span(20*time.Millisecond, 2*time.Second), Nodes: g.some(1 + g.choose(g.nodes))}
		if g.chance(million/4) && g.sealed {
			op.Mode = mutated
		}
		return g.window(op, time.Second, time.Minute)
	}},
}

// Faults of the shape of the network: who can hear whom.
var topologyFaults = []fault{
	{"cut", "two groups do not hear each other", func(g *generator) []Op {
		near, far := g.split()
		return g.window(Op{Kind: Cut, Nodes: near, Peers: far}, time.Second, 2*time.Minute)
	}},
	{"one-way", "one group does not hear another, which hears it", func(g *generator) []Op {
		near, far := g.split()
		return g.window(Op{Kind: Cut, OneWay: true, Nodes: near, Peers: far}, time.Second, 2*time.Minute)
	}},
	{"isolate", "one member hears nobody, or is not heard, or both", func(g *generator) []Op {
		return g.window(g.towards(Op{Kind: Cut, OneWay: g.chance(million / 2)}, g.member()), time.Second, 2*time.Minute)
	}},
	{"split", "several groups do not hear each other", func(g *generator) []Op {
		return g.apart(g.groups(3+g.choose(3)), func(i, j int) bool { return true })
	}},
	{"bridge", "two groups do not hear each other, but both hear one member", func(g *generator) []Op {
		near, far := g.split()
		if len(near) > 1 {
			near = near[1:]
		} else {
			far = far[1:]
		}
		if len(far) == 0 {
			return nil // there are but two
		}
		return g.window(Op{Kind: Cut, Nodes: near, Peers: far}, time.Second, 2*time.Minute)
	}},
	{"ring", "groups in a circle hear their neighbours only", func(g *generator) []Op {
		k := 4 + g.choose(5)
		return g.apart(g.groups(k), func(i, j int) bool { return j-i > 1 && j-i < min(k, g.nodes)-1 })
	}},
	{"triangle", "one of three groups hears the others, which do not hear each other", func(g *generator) []Op {
		return g.apart(g.groups(3), func(i, j int) bool { return i == 0 && j == 1 })
	}},
	{"flap", "two groups hear each other now and then", func(g *generator) []Op {
		near, far := g.split()
		every := g.span(200*time.Millisecond, 30*time.Second)
		cut := every * time.Duration(1+g.choose(9)) / 10
		op := Op{Kind: Cut, Nodes: near, Peers: far, OneWay: g.chance(million / 2), Every: every, Extra: cut}
		return g.window(op, 10*time.Second, 2*time.Minute)
	}},
}

// towards makes op happen to what some members say, or to what they hear.
func (g *generator) towards(op Op, members []int) Op {
	if g.chance(million / 2) {
		op.Nodes = members
	} else {
		op.Peers = members
	}
	return op
}

// frame draws when something begins and ends.
func (g *generator) frame(least, most time.Duration) (from, to time.Duration) {
	op := g.window(Op{}, least, most)[0]
	return op.At, op.Until
}

// groups deals all members out, to k groups if there are as many.
func (g *generator) groups(k int) [][]int {
	k = min(k, g.nodes)
	groups := make([][]int, k)
	for i, at := range g.shuffled() {
		groups[i%k] = append(groups[i%k], at)
	}
	for _, group := range groups {
		slices.Sort(group)
	}
	return groups
}

// apart cuts some groups off from some others, all for the same time.
func (g *generator) apart(groups [][]int, cut func(i, j int) bool) (ops []Op) {
	from, to := g.frame(time.Second, 2*time.Minute)
	for j := range groups {
		for i := range j {
			if cut(i, j) {
				ops = append(ops, Op{Kind: Cut, Nodes: groups[i], Peers: groups[j], At: from, Until: to})
			}
		}
	}
	return ops
}
