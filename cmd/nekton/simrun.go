package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/nekton-go/nekton/sim"
	"github.com/nekton-go/nekton/sim/repro"
	"github.com/nekton-go/nekton/sim/scenario"
)

func newSimRun() *cobra.Command {
	c := &cobra.Command{
		Use:   "run [file]",
		Short: "Run a scenario, a seed of a swarm, or what a file says, with every oracle watching",
		Long: "Run a scenario, a seed of a swarm, or what a file says, in virtual time, with every oracle\n" +
			"watching. The file is a scenario (.toml), a case (.json) or a bundle (" + bundleExt + "). A run that\n" +
			"fails is made again, to see whether it fails in the same way, explained, and kept in a bundle.\n\n" +
			"Exit codes: nekton help sim.",
		Example: "  nekton sim run -scenario crash -nodes 128\n" +
			"  nekton sim run -scenario partition -nodes 32 -for 15m -seed 7 -json\n" +
			"  nekton sim run -swarm default -seed 7 -mask crash,cut",
		Args: oneFileAtMost,
	}
	r := simRun{}
	f := c.Flags()
	cases := defineCase(f)
	nodes := defineNodes(f)
	f.BoolVar(&r.json, "json", false, "print one JSON object")
	f.StringVar(&r.trace, "trace", "", "`file` for a line of everything that nodes do; - is the output")
	f.StringVar(&r.dir, "out", bundlesDir, "`directory` for the bundle of a run that fails")
	f.StringVar(&r.save, "save", "", "`file` for a bundle of the run, however it ends")
	c.RunE = func(c *cobra.Command, args []string) (err error) {
		runs, err := cases.cases(c, args)
		if err != nil {
			return misuse(err)
		}
		if len(runs) > 1 && r.save != "" {
			return misuse(fmt.Errorf("-save: %d runs do not fit in one bundle", len(runs)))
		}
		if r.nodes, err = nodes.open(c.Context()); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, r.nodes.close(c.Context())) }()
		r.w, r.log, r.args, r.drawn = c.OutOrStdout(), c.ErrOrStderr(), typed(c, args), cases.swarm != ""
		worst := exitOK
		for _, one := range runs {
			code, err := r.one(c.Context(), one)
			if err != nil {
				return err
			}
			worst = worse(worst, code)
		}
		return exitWith(worst)
	}
	return c
}

func oneFileAtMost(c *cobra.Command, args []string) error {
	if len(args) > 1 {
		return fmt.Errorf("%s takes one file, but got %q as well", c.CommandPath(), args[1])
	}
	return nil
}

// simRun is one call of sim run.
type simRun struct {
	json        bool
	drawn       bool // what runs has been drawn from a seed: nobody has seen it yet
	trace, save string
	dir         string
	nodes       *simNodes
	w, log      io.Writer
	args        []string // as they were typed
}

// ran is a run as JSON.
type ran struct {
	sim.Result
	ExitCode      int      `json:"exit_code"`
	Point         string   `json:"point,omitempty"` // of the grid
	Unmet         []string `json:"unmet,omitempty"` // expectations
	Deterministic *bool    `json:"deterministic,omitempty"`
	Bundle        string   `json:"bundle,omitempty"`
}

// one makes one run, and shows it. It returns its exit code; errors are about other things.
func (r *simRun) one(ctx context.Context, what scenario.Run) (int, error) {
	if r.drawn && !r.json {
		fmt.Fprintln(r.log, repro.Describe(&what.Case))
	}
	start := time.Now()
	result, err := r.traced(ctx, what.Case)
	if err != nil {
		return 0, err
	}
	result.WallMS = time.Since(start).Milliseconds()
	out := ran{Result: result, Point: what.Point, Unmet: scenario.Unmet(what.Expects, &result)}
	switch {
	case len(out.Unmet) > 0:
		out.ExitCode = exitSlow
	case result.Apart != "":
		out.ExitCode = exitApart
	}
	var found *finding
	if !result.OK {
		if found, err = r.nodes.investigate(ctx, what.Case, &result); err != nil {
			return 0, err
		}
		found.report.Described = r.drawn && !r.json
		same := found.deterministic()
		out.ExitCode, out.Deterministic = found.code, &same
		out.Bundle, err = found.keep(r.dir, r.args...)
	}
	if r.save != "" {
		b := repro.Bundle{Manifest: manifest(), Case: what.Case, Expect: repro.Outcome(&result)}
		if found != nil {
			b = found.bundle
		}
		err = errors.Join(err, writeBundle(r.save, &b))
	}
	if shown := r.show(&out, found); shown != nil || found == nil {
		return out.ExitCode, infra(errors.Join(shown, err))
	}
	if err != nil { // the failure is what counts
		fmt.Fprintln(r.log, "nekton: the bundle could not be written:", oneLine(err))
	}
	return out.ExitCode, nil
}

// traced makes the run and writes its trace, if that is asked for.
func (r *simRun) traced(ctx context.Context, c sim.Case) (sim.Result, error) {
	return withTrace(r.trace, r.w, func(trace io.Writer) (sim.Result, error) {
		return r.nodes.simulate(ctx, c, sim.Harness{Trace: trace})
	})
}

// withTrace simulates with a trace into a file, or without one.
func withTrace(file string, stdout io.Writer, simulate func(io.Writer) (sim.Result, error)) (sim.Result, error) {
	if file == "" {
		return simulate(nil)
	}
	out := stdout
	if file != "-" {
		f, err := os.Create(file)
		if err != nil {
			return sim.Result{}, misuse(err)
		}
		defer f.Close()
		out = f
	}
	buffered := bufio.NewWriterSize(out, 1<<16)
	result, err := simulate(buffered)
	if flushed := buffered.Flush(); flushed != nil {
		return result, infra(fmt.Errorf("write the trace: %w", flushed))
	}
	return result, err
}

func (r *simRun) show(out *ran, found *finding) error {
	if r.json {
		if found != nil {
			fmt.Fprint(r.log, &found.report)
		}
		return printJSON(r.w, out)
	}
	if out.Point != "" {
		fmt.Fprintf(r.w, "at %s:\n", out.Point)
	}
	if found != nil {
		_, err := fmt.Fprint(r.w, &found.report)
		return err
	}
	printResult(r.w, &out.Result)
	for _, line := range out.Unmet {
		fmt.Fprintln(r.w, "EXPECTED:", line)
	}
	if len(out.Unmet) == 0 {
		fmt.Fprintln(r.w, "ok")
	}
	return nil
}
