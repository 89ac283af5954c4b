package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/nekton-go/nekton/sim"
)

func newSimBench() *cobra.Command {
	c := &cobra.Command{
		Use:   "bench",
		Short: "Measure how fast simulations run here",
		Long: "Measure how fast simulations run here, on one processor: events that the simulator itself handles,\n" +
			"steps of nodes, and how much faster than real time large calm clusters run, with every oracle\n" +
			"watching. It takes half a minute. Each figure is the best of several.",
		Args: noArgs,
	}
	asJSON := c.Flags().Bool("json", false, "print one JSON object")
	c.RunE = func(c *cobra.Command, _ []string) error {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
		b := simBench{
			ctx: c.Context(), windows: 5, pending: 100_000, small: 128, medium: 1000, large: 10_000,
			settle: 5 * time.Second, work: 100_000 * time.Second,
		}
		if err := b.run(); err != nil {
			return err
		}
		if *asJSON {
			return printJSON(c.OutOrStdout(), &b.figures)
		}
		return b.print(c.OutOrStdout())
	}
	return c
}

// simBench is how to measure, and what came of it.
type simBench struct {
	ctx                  context.Context
	windows              int // of which the best counts
	pending              int // events
	small, medium, large int // nodes
	settle               time.Duration
	work                 time.Duration // of all nodes, in one window
	figures              benchFigures
}

// benchFigures are what was measured. X is how many times faster than real time something was.
type benchFigures struct {
	EngineEventsPerS  int64   `json:"engine_events_per_s"`
	CoreEventsPerS    int64   `json:"core_events_per_s"`
	Nodes1000X        float64 `json:"nodes_1000_x"`
	Nodes10000X       float64 `json:"nodes_10000_x"`
	BytesPerNode10000 int64   `json:"bytes_per_node_10000"`
	OraclesCostX      float64 `json:"oracles_cost_x"` // how much longer a run takes with them
}

// pace is how fast something went: per second of work.
type pace struct {
	events, steps float64
	virtual       float64 // seconds
}

func (b *simBench) run() error {
	f := &b.figures
	engine, err := sim.NewEngineBench(b.pending, b.harness())
	if err != nil {
		return err
	}
	p, err := b.measure(engine, b.work/time.Duration(b.pending/10))
	if err != nil {
		return err
	}
	f.EngineEventsPerS = int64(p.events)
	if p, _, err = b.cluster(b.small, true); err != nil {
		return err
	}
	f.CoreEventsPerS = int64(p.steps)
	blind, _, err := b.cluster(b.medium, false)
	if err != nil {
		return err
	}
	if p, _, err = b.cluster(b.medium, true); err != nil {
		return err
	}
	f.Nodes1000X, f.OraclesCostX = round(p.virtual), round(blind.virtual/p.virtual)
	p, f.BytesPerNode10000, err = b.cluster(b.large, true)
	f.Nodes10000X = round(p.virtual)
	return err
}

func (b *simBench) harness() sim.Harness {
	return sim.Harness{Stop: func() bool { return b.ctx.Err() != nil }}
}

// cluster measures calm members that all know each other from the start, and how much memory each takes.
func (b *simBench) cluster(nodes int, oracles bool) (p pace, bytesPerNode int64, err error) {
	before := heap()
	c, err := sim.Options{Scenario: "calm", Nodes: nodes, Converged: true}.Case()
	if err != nil {
		return p, 0, err
	}
	run, err := sim.NewBench(c, b.harness(), oracles)
	if err != nil {
		return p, 0, err
	}
	p, err = b.measure(run, b.work/time.Duration(nodes))
	bytesPerNode = (heap() - before) / int64(nodes)
	runtime.KeepAlive(run)
	return p, bytesPerNode, err
}

// heap is how much memory is in use.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// measure lets a run settle, then returns its pace in the best window.
func (b *simBench) measure(run *sim.Bench, window time.Duration) (best pace, err error) {
	_, _, err = run.Run(b.settle)
	for n := 0; n < b.windows && err == nil; n++ {
		start := worked()
		events, steps, stopped := run.Run(window)
		seconds := max(worked()-start, time.Microsecond).Seconds()
		p := pace{float64(events) / seconds, float64(steps) / seconds, window.Seconds() / seconds}
		if p.virtual > best.virtual {
			best = p
		}
		err = stopped
	}
	if errors.Is(err, sim.ErrStopped) {
		err = b.ctx.Err()
	}
	return best, err
}

func round(x float64) float64 { return float64(int64(100*x+0.5)) / 100 }

func (b *simBench) print(out io.Writer) error {
	f := &b.figures
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "simulator alone, %d events pending\t%.2f million events/s\n",
		b.pending, float64(f.EngineEventsPerS)/1e6)
	fmt.Fprintf(w, "%d calm nodes\t%.2f million steps/s\n", b.small, float64(f.CoreEventsPerS)/1e6)
	fmt.Fprintf(w, "%d calm nodes\t%.1f times faster than real time\n", b.medium, f.Nodes1000X)
	fmt.Fprintf(w, "%d calm nodes\t%.1f times faster than real time\n", b.large, f.Nodes10000X)
	fmt.Fprintf(w, "memory of one of them\t%.1f KiB\n", float64(f.BytesPerNode10000)/1024)
	fmt.Fprintf(w, "runs with oracles take\t%.2f times as long\n", f.OraclesCostX)
	return w.Flush()
}
