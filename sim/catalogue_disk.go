package sim

import "time"

var diskCatalogue = []fault{
	{"disk-slow", "a member's disk takes its time", func(g *generator) []Op {
		return g.disk(Op{Kind: DiskSlow})
	}},
	{"disk-full", "a member's disk is full, and has room again", func(g *generator) []Op {
		return g.disk(Op{Kind: DiskFull})
	}},
	{"disk-error", "a member's disk cannot keep, or not read, what was written", func(g *generator) []Op {
		return g.disk(Op{Kind: DiskError, PPM: int(g.scale(100_000, million))})
	}},
	{"disk-torn", "crashes leave the beginning of what a member was writing", func(g *generator) []Op {
		return g.disk(Op{Kind: DiskTorn})
	}},
	{"disk-reorder", "crashes leave pieces of what a member was writing", func(g *generator) []Op {
		return g.disk(Op{Kind: DiskReorder})
	}},
	{"disk-lose", "a member's disk loses at a crash what it said was durable", func(g *generator) []Op {
		return g.disk(Op{Kind: DiskLose})
	}},
	{"disk-rot", "bits flip on a member's disk", func(g *generator) []Op {
		return g.disk(Op{Kind: DiskRot, PPM: g.ppm(5000)})
	}},
	{"disk-stale", "a member starts from an old copy of its disk", func(g *generator) []Op {
		return g.disk(Op{Kind: DiskStale})
	}},
}

// disk draws a window of a fault of one member's disk, in which the member crashes, starts, and crashes again
// while it may still be writing.
func (g *generator) disk(op Op) []Op {
	op.Nodes = g.member()
	ops := g.window(op, 20*time.Second, 2*time.Minute)
	part := (ops[0].Until - ops[0].At) / 4
	ops[0].Extra = min(g.span(time.Millisecond, 5*time.Second), part)
	down := ops[0].At + g.moment(0, part)
	for _, after := range []time.Duration{0, ops[0].Extra} {
		down += g.moment(0, after+1)
		up := down + g.moment(time.Millisecond, part)
		ops = append(ops, Op{Kind: Crash, At: down, Until: up, Nodes: op.Nodes}, g.back(up, op.Nodes[0]))
		down = up
	}
	return ops
}
