// Simulate tests an application before it has a network: a register that all members of a cluster share, in a
// simulation with every fault there is. One of its two versions has a bug. The program finds it, makes the
// failing run small, and shows that the other version passes the same runs.
//
//	go run ./examples/simulate
package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/stack"
	"github.com/nekton-go/nekton/sim"
	"github.com/nekton-go/nekton/sim/shrink"
)

const seeds = 30

func main() {
	if err := run(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(out io.Writer) error {
	fmt.Fprintln(out, "1. A register that keeps its own value in a tie, under faults that each seed draws anew:")
	careless := harness(false)
	c, r, err := find(careless)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "   seed %d fails: %d members, %d faults, %v\n", c.Seed, c.Nodes, c.Faults(), c.For)
	fmt.Fprintf(out, "   %v\n", r.Violations[0])

	fmt.Fprintln(out, "2. The same failure, with everything left out that does not matter:")
	search := shrink.Shrinker{Run: func(c sim.Case) (sim.Result, error) { return sim.Simulate(c, careless) }}
	small, err := search.Shrink(c)
	if err != nil {
		return err
	}
	for _, op := range small.Ops {
		fmt.Fprintf(out, "   t=%-6v %v\n", op.At.Round(time.Millisecond), op)
	}
	r = search.Result()
	fmt.Fprintf(out, "   %v\n", r.Violations[0])

	fmt.Fprintln(out, "3. It is the same every time:")
	again, err := sim.Simulate(small, careless)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "   trace %s, and again %s\n", r.TraceHash, again.TraceHash)

	fmt.Fprintln(out, "4. With ties broken by the writer's name:")
	if r, err = sim.Simulate(small, harness(true)); err != nil {
		return err
	}
	fmt.Fprintf(out, "   the small case: %s\n", verdict(&r))
	if c, r, err = find(harness(true)); err != nil {
		return err
	}
	fmt.Fprintf(out, "   all %d seeds: %s\n", seeds, verdict(&r))
	return nil
}

// find simulates one seed after the other until one fails; if none does it returns the last.
func find(h sim.Harness) (c sim.Case, r sim.Result, err error) {
	for seed := range uint64(seeds) {
		if c, err = workload(seed); err != nil {
			return c, r, err
		}
		if r, err = sim.Simulate(c, h); err != nil || r.Unsafe() {
			return c, r, err
		}
	}
	return c, r, nil
}

func verdict(r *sim.Result) string {
	if r.Unsafe() {
		return r.Violations[0].String()
	}
	return "ok"
}

// harness is the code of a run: nodes with a register on top, what operations mean to it, and who watches.
func harness(tieBreak bool) sim.Harness {
	id := uint64(0)
	return sim.Harness{
		NewNode: func(_ int, c stack.Config) (core.Verbs, error) {
			c.Above = append(c.Above, core.Mount{Proto: Proto, Machine: &Register{TieBreak: tieBreak}})
			return stack.New(c)
		},
		Command: func(_ int, op *sim.Op) core.Command {
			id++
			return Put{ID: uint64(Proto)<<56 | id, Text: op.Text}
		},
		Oracles:   []sim.NewOracle{newAgree},
		FirstOnly: true,
	}
}

// workload is a swarm of the seed's choosing, whose members put values now and then.
func workload(seed uint64) (sim.Case, error) {
	c, err := sim.Swarm(seed, "default")
	if err != nil {
		return c, err
	}
	for k := range 20 {
		c.Ops = append(c.Ops, sim.Op{
			At: time.Minute + time.Duration(k)*10*time.Second, Kind: sim.Call,
			Nodes: sim.Pick(seed, k, c.Nodes, 2), Text: fmt.Sprint("value ", k),
		})
	}
	return c, nil
}
