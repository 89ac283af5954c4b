package sim

import (
	"time"
)

// processFaults are what happens to processes and the machines they run on.
var processFaults = []fault{
	{"restart", "a member starts again at once, with what it knew or without", func(g *generator) []Op {
		op := Op{Nodes: g.member(), Lost: g.chance(million / 4), Mode: []string{"", wiped}[g.choose(2)]}
		return g.crashes(op, time.Millisecond, 100*time.Millisecond)
	}},
	{"rack", "several members stop at the same moment, and start at another", func(g *generator) []Op {
		return g.crashes(Op{Nodes: g.some(1 + g.choose((g.nodes+1)/2)), Lost: g.chance(million / 4)},
			time.Millisecond, time.Minute)
	}},
	{"move", "a member starts again at another address", func(g *generator) []Op {
		return g.crashes(Op{Nodes: g.member(), Lost: g.chance(million / 4), Mode: moved}, time.Millisecond, time.Minute)
	}},
	{"swap", "members start again at each other's addresses", func(g *generator) []Op {
		return g.crashes(Op{Nodes: g.some(min(2+g.choose(2), g.nodes)), Mode: swapped}, time.Millisecond, time.Minute)
	}},
	{"crash-within", "a member dies in the middle of a step", func(g *generator) []Op {
		op := Op{Kind: CrashWithin, Nodes: g.member(), Nth: 1 + g.choose(6), Lost: g.chance(million / 4)}
		return g.rejoined(g.window(op, time.Second, time.Minute)[0])
	}},
	{"cut-short", "a member dies while it says goodbye", func(g *generator) []Op {
		ops := g.crashes(Op{Nodes: g.member()}, time.Millisecond, time.Minute)
		return append(ops, g.goodbye(ops[0], time.Microsecond, time.Second))
	}},
	{"rejoin", "a member leaves, and is back while the others still remember that it left", func(g *generator) []Op {
		ops := g.crashes(Op{Nodes: g.member(), Lost: g.chance(million / 4)}, time.Millisecond, time.Second)
		return append(ops, g.goodbye(ops[0], time.Second, 10*time.Second))
	}},
	{"forget", "some forget a member while it is gone, others do not", func(g *generator) []Op {
		ops := g.crashes(Op{Nodes: g.member(), Lost: g.chance(million / 2)}, 20*time.Second, 2*time.Minute)
		for range 1 + g.choose(3) {
			ops = append(ops, Op{
				Kind: Forget, Nodes: g.some(1 + g.choose(g.nodes)), Peers: ops[0].Nodes,
				At: g.moment(ops[0].At, ops[0].Until),
			})
		}
		return ops
	}},
	{"wake", "a member is stopped, and finds its timers overdue when it goes on", func(g *generator) []Op {
		op := Op{Kind: Pause, Nodes: g.member(), Mode: wakeOrders[1+g.choose(len(wakeOrders)-1)]}
		return g.cramped(g.window(op, 100*time.Millisecond, 30*time.Second))
	}},
	{"freeze", "a machine migrates: its clock stands meanwhile", func(g *generator) []Op {
		return g.cramped(g.window(Op{Kind: Freeze, Nodes: g.member()}, 10*time.Millisecond, 30*time.Second))
	}},
	{"starve", "some members hardly get to run, or to use the network", func(g *generator) []Op {
		modes := kindTable[Starve].modes
		op := Op{Kind: Starve, Nodes: g.some(1 + g.choose((g.nodes+2)/3)), Mode: modes[g.choose(len(modes))]}
		op.Extra = g.span(128*time.Millisecond, 32*time.Second)
		op.Every = op.Extra + g.span(time.Millisecond, 16*time.Second)
		ops := g.window(op, 10*time.Second, 2*time.Minute)
		if op.Mode == mute { // what arrives does not wait
			return ops
		}
		return g.cramped(ops)
	}},
	{"gc", "the processes of some members stop often, for a moment", func(g *generator) []Op {
		op := Op{Kind: Starve, Nodes: g.some(1 + g.choose(g.nodes)), Mode: wakeOrders[g.choose(len(wakeOrders))]}
		op.Extra = g.span(time.Millisecond, 100*time.Millisecond)
		op.Every = op.Extra + g.span(100*time.Millisecond, 5*time.Second)
		return g.window(op, 10*time.Second, 2*time.Minute)
	}},
	{"slow-receive", "some members hear of what they receive later", func(g *generator) []Op {
		return g.slow(SlowReceive, 2*time.Second)
	}},
	{"slow-send", "what some members send leaves later", func(g *generator) []Op {
		return g.slow(SlowSend, 2*time.Second)
	}},
	{"slack", "the timers of some members are late", func(g *generator) []Op { return g.slow(Slack, time.Second) }},
}

// clockFaults are what clocks do, and configurations.
var clockFaults = []fault{
	{"clock-rate", "the clocks of some members are too fast or too slow", func(g *generator) []Op {
		op := Op{Kind: ClockRate, Nodes: g.some(1 + g.choose(g.nodes)), PPM: 1 + g.choose(500)}
		op.Mode = []string{"", slower}[g.choose(2)]
		return g.window(op, 10*time.Second, 5*time.Minute)
	}},
	{"clock-grain", "the clocks of some members are coarse", func(g *generator) []Op {
		op := Op{Kind: ClockGrain, Nodes: g.some(1 + g.choose(g.nodes))}
		op.Extra = g.span(time.Millisecond, 16*time.Millisecond)
		return g.window(op, 10*time.Second, 5*time.Minute)
	}},
	{"wall-clock", "a wall clock is wrong, or stands, and a member starts by it", func(g *generator) []Op {
		op := Op{Kind: WallStep, Extra: g.span(time.Second, 12*time.Hour), Mode: []string{"", back}[g.choose(2)]}
		if g.chance(million / 4) {
			op = Op{Kind: WallStop}
		}
		ops := g.crashes(Op{Nodes: g.member(), Mode: []string{"", wiped}[g.choose(2)]}, time.Millisecond, time.Minute)
		op.Nodes, op.At = ops[0].Nodes, g.moment(g.from, ops[0].Until)
		if op.Until = g.moment(op.At, g.to) + 1; op.Until > g.to { // it may be right again, or not, when they start
			op.Until = g.to
		}
		return append(ops, op)
	}},
	{"retune", "some members start again with other intervals", func(g *generator) []Op {
		return g.retuned(Op{PPM: 1 + g.choose(500_000), Mode: []string{"", shorter}[g.choose(2)]})
	}},
	{"renumber", "some members start again with other numbers of helpers, confirmations and so on",
		func(g *generator) []Op { return g.retuned(Op{Mode: numbers}) }},
}

// cramped draws, now and then, that little room is left for what arrives while somebody does not listen.
func (g *generator) cramped(ops []Op) []Op {
	if g.chance(million / 4) {
		ops[0].Size = int(g.scale(1, inboxMax/2))
	}
	return ops
}

// crashes draws a crash of op's members, and what makes them come back.
func (g *generator) crashes(op Op, least, most time.Duration) []Op {
	op.Kind = Crash
	return g.rejoined(g.window(op, least, most)[0])
}

// rejoined has members join by way of another when a fault of theirs ends.
func (g *generator) rejoined(op Op) []Op {
	ops := []Op{op}
	for _, i := range op.Nodes {
		seed := (i + 1 + g.choose(g.nodes-1)) % g.nodes
		ops = append(ops, Op{Kind: Join, At: op.Until, Nodes: []int{i}, Peers: []int{seed}})
	}
	return ops
}

// goodbye has the members of a crash leave a while before it.
func (g *generator) goodbye(crash Op, least, most time.Duration) Op {
	return Op{Kind: Leave, Nodes: crash.Nodes, At: max(crash.At-g.span(least, most), g.from)}
}

// slow draws a fault that makes something of some members late.
func (g *generator) slow(kind Kind, most time.Duration) []Op {
	op := Op{Kind: kind, Nodes: g.some(1 + g.choose((g.nodes+1)/2)), Extra: g.span(time.Millisecond, most)}
	return g.window(op, 5*time.Second, 2*time.Minute)
}

// retuned has members start with the configuration of op.
func (g *generator) retuned(op Op) []Op {
	ops := g.crashes(Op{Nodes: g.some(1 + g.choose((g.nodes+1)/2))}, time.Millisecond, time.Minute)
	op.Kind, op.Nodes, op.At, op.Until = Retune, ops[0].Nodes, ops[0].At, ops[0].Until+1
	return append(ops, op)
}

// strike begins a fault of processes, or of the machines they run on.
func (w *world) strike(index int32, op *Op) {
	for _, i := range op.Nodes {
		p := &w.nodes[i]
		p.unwell = true
		switch op.Kind {
		case Crash:
			w.crash(i, op.Lost)
		case CrashWithin:
			p.fuse, p.fused = op.Nth, index
		case Pause, Freeze:
			if w.halt(i, index) {
				w.faults.Pauses++
			}
		}
	}
	if op.Kind == Starve {
		w.starve(index)
	}
	if kindTable[op.Kind].ails {
		w.ail(index)
	}
}

// relieve ends a fault of processes.
func (w *world) relieve(index int32, op *Op) {
	if op.Mode == moved || op.Mode == swapped {
		w.move(op.Nodes, op.Mode == swapped)
	}
	if kindTable[op.Kind].ails {
		w.heal(index)
	}
	for _, i := range op.Nodes {
		p := &w.nodes[i]
		if p.fuse > 0 && p.fused == index {
			p.fuse = 0
		}
		switch op.Kind {
		case Crash, CrashWithin:
			if op.Mode == wiped && !p.running {
				w.wipe(i)
			}
			if p.boot > 0 { // who never ran does not start again
				w.boot(i, op.Lost)
			}
		case Pause, Freeze, Starve:
			w.resume(i, index)
		}
	}
}

// Modes of Crash: how members come back.
const (
	moved   = "moved"   // at an address that nobody used before
	swapped = "swapped" // each at the address of the next
	wiped   = "wiped"   // without journal, but with a wall clock
)

// blow kills a process in the middle of a step.
func (w *world) blow(i int) {
	w.faults.CrashesWithin++
	w.crash(i, w.ops[w.nodes[i].fused].Lost)
}
