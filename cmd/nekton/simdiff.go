package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/nekton-go/nekton/sim"
	"github.com/nekton-go/nekton/sim/repro"
	"github.com/nekton-go/nekton/sim/slice"
)

func newSimDiff() *cobra.Command {
	c := &cobra.Command{
		Use:   "diff A [B]",
		Short: "Show where two runs part, or one run with native and with WebAssembly nodes",
		Long: "Show where two runs part: the first step that is not the same, side by side. A and B are files, or\n" +
			"seeds of the swarm. With A alone, it is run with native and with WebAssembly nodes. Exits with 12\n" +
			"if the runs differ.",
		Example: "  nekton sim diff 7\n" +
			"  nekton sim diff simrepro/S2-7" + bundleExt + " fewer.json",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) < 1 || len(args) > 2 {
				return fmt.Errorf("%s needs one or two files or seeds", c.CommandPath())
			}
			return nil
		},
	}
	d := simDiff{}
	c.Flags().StringVar(&d.swarm, "swarm", "default", "`kind` of swarm that seeds are of")
	nodes := defineNodes(c.Flags())
	c.RunE = func(c *cobra.Command, args []string) (err error) {
		if len(args) == 1 && c.Flags().Changed("guest") {
			return misuse(errors.New("-guest is for two runs; one is run with both kinds of nodes"))
		}
		for i, name := range []string{"A", "B"} {
			if d.sides[i].c, err = d.find(args[min(i, len(args)-1)]); err != nil {
				return misuse(err)
			}
			d.sides[i].name = name
			switch {
			case len(args) == 2:
				d.sides[i].nodes, err = nodes.open(c.Context())
			case i == 0:
				d.sides[i].nodes = &simNodes{kind: "native"}
			default:
				d.sides[i].nodes, err = openWasm(c.Context(), *nodes.file, *nodes.interpreter)
			}
			if err != nil {
				return err
			}
			defer d.sides[i].nodes.close(context.WithoutCancel(c.Context()))
		}
		return d.run(c.Context(), c.OutOrStdout())
	}
	return c
}

// simDiff is one call of sim diff.
type simDiff struct {
	swarm string
	sides [2]side
}

// side is one of two runs.
type side struct {
	name   string
	c      sim.Case
	nodes  *simNodes
	result sim.Result
}

func (d *simDiff) find(what string) (sim.Case, error) {
	if seed, err := strconv.ParseUint(what, 10, 64); err == nil {
		return sim.Swarm(seed, d.swarm)
	}
	runs, err := readRuns(what)
	if err == nil && len(runs) > 1 {
		err = fmt.Errorf("%s: %d runs: take the grid out of the file", what, len(runs))
	}
	if err != nil {
		return sim.Case{}, err
	}
	return runs[0].Case, nil
}

func (d *simDiff) run(ctx context.Context, w io.Writer) (err error) {
	for i := range d.sides {
		s := &d.sides[i]
		if s.result, err = s.nodes.simulate(ctx, s.c, sim.Harness{}); err != nil {
			return err
		}
		outcome := "ok"
		if v := repro.Verdict(&s.result); v != nil {
			outcome = v.Oracle + " " + v.Name
		}
		fmt.Fprintf(w, "%s: %s, seed %d, %s nodes: %s after %d steps, trace %s\n",
			s.name, s.c.Name, s.c.Seed, s.nodes.kind, outcome, s.result.Steps, s.result.TraceHash)
	}
	a, b := &d.sides[0], &d.sides[1]
	after, by, differ := sim.Diverge(&a.result, &b.result)
	if !differ {
		_, err := fmt.Fprintln(w, "the same")
		return err
	}
	if a.c.Seed == b.c.Seed {
		fmt.Fprintf(w, "equal up to step %d, and not by step %d\n", after, by)
	}
	if err := d.show(ctx, w); err != nil {
		return err
	}
	return exitWith(exitDiffers)
}

// contextSteps is how many equal steps are shown before the first that is not.
const contextSteps = 3

// show runs both side by side up to the first step that differs.
func (d *simDiff) show(ctx context.Context, w io.Writer) error {
	a, b := &d.sides[0], &d.sides[1]
	nextA, stopA := iter.Pull2(a.steps(ctx))
	defer stopA()
	nextB, stopB := iter.Pull2(b.steps(ctx))
	defer stopB()
	hashes := a.c.Seed == b.c.Seed // those of other seeds differ from the start
	var before []string
	for {
		one, errA, moreA := nextA()
		other, errB, moreB := nextB()
		if err := errors.Join(errA, errB); err != nil {
			return err
		}
		if !moreA && !moreB {
			_, err := fmt.Fprintln(w, "every step is the same, in words")
			return err
		}
		if one.text == other.text && (!hashes || one.hash == other.hash) {
			before = append(before, one.text)
			before = before[max(0, len(before)-contextSteps):]
			continue
		}
		for _, text := range before {
			fmt.Fprintf(w, "   %s\n", text)
		}
		if one.text == other.text {
			fmt.Fprintln(w, "the next step is the same in words, but not to the byte:")
		}
		_, err := fmt.Fprintf(w, "A: %s\nB: %s\n", one.text, other.text)
		return err
	}
}

// told is a step in words. The zero value is the end of a run.
type told struct {
	text string
	hash uint64
}

// steps makes the run, step by step.
func (s *side) steps(ctx context.Context) iter.Seq2[told, error] {
	return func(yield func(told, error) bool) {
		reader, more := slice.NewReader(""), true
		_, err := s.nodes.simulate(ctx, s.c, sim.Harness{
			Watch: func(step *sim.Step) {
				reader.Follow(step)
				more = more && yield(told{stepText(reader, step), step.Hash}, nil)
			},
			Stop: func() bool { return !more },
		})
		if more && err != nil {
			yield(told{}, err)
		}
	}
}
