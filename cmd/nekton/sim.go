package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/sim"
)

// Exit codes of sim run, besides those in root.go.
const (
	exitUnsafe    = 10 // a safety check failed
	exitUnsettled = 11 // views did not converge in time
)

func newSimRun() *cobra.Command {
	c := &cobra.Command{
		Use:   "run",
		Short: "Run one scenario, with every safety check on",
		Long: "Run one scenario in virtual time, with every safety check on. A run is a function of its flags: the\n" +
			"same ones give the same trace hash, on every machine, native or wasm.\n\n" +
			"Scenarios: " + strings.Join(sim.Scenarios(), ", ") + ".\n" +
			"Exit codes: 0 all is well, 10 a safety check failed, 11 views did not converge in time, 2 misuse.",
		Example: "  nekton sim run -scenario crash -nodes 128\n" +
			"  nekton sim run -scenario partition -nodes 32 -for 15m -seed 7 -json",
		Args: noArgs,
	}
	o := sim.Options{Nodes: 16}
	f := c.Flags()
	f.StringVar(&o.Scenario, "scenario", "", "`name` of what happens: "+strings.Join(sim.Scenarios(), ", "))
	f.IntVar(&o.Nodes, "nodes", 16, "`number` of members")
	f.DurationVar(&o.For, "for", 0, "virtual `time`, such as 90s or 15m; default: the scenario's own")
	f.BoolVar(&o.Converged, "converged", false, "begin with all members knowing each other, instead of joining")
	f.Uint64Var(&o.Seed, "seed", 1, "`number` that decides everything left to chance")
	f.IntVar(&o.LossPPM, "loss", 0, "packets to lose, all the time, in parts per million (`ppm`); 50000 is 5 %")
	preset := f.String("preset", "lan", "timing: lan, wan or local, or one of them with -memberlist appended")
	guest := defineSimGuest(f)
	asJSON := f.Bool("json", false, "print one JSON object")
	c.RunE = func(c *cobra.Command, _ []string) error {
		var err error
		if err = checkSimFlags(c); err != nil {
			return misuse(err)
		}
		if o.Preset, err = swim.Preset(*preset); err != nil {
			return misuse(fmt.Errorf("-preset: %w", err))
		}
		start := time.Now()
		result, err := interruptible(c.Context(), func() (sim.Result, error) { return guest.run(c.Context(), o) })
		if errors.Is(err, sim.ErrOptions) {
			return misuse(err)
		}
		if err != nil {
			return err
		}
		result.WallMS = time.Since(start).Milliseconds()
		if err := printResult(c.OutOrStdout(), &result, *asJSON); err != nil {
			return err
		}
		return verdict(&result)
	}
	return c
}

// interruptible runs a simulation, which knows no context, on the side. An interrupt ends the program, and it
// with it.
func interruptible(ctx context.Context, simulate func() (sim.Result, error)) (sim.Result, error) {
	type outcome struct {
		result sim.Result
		err    error
	}
	done := make(chan outcome, 1)
	go func() {
		result, err := simulate()
		done <- outcome{result, err}
	}()
	select {
	case o := <-done:
		return o.result, o.err
	case <-ctx.Done():
		return sim.Result{}, ctx.Err()
	}
}

// checkSimFlags refuses zeros, which the library takes for defaults.
func checkSimFlags(c *cobra.Command) error {
	for _, name := range []string{"scenario", "nodes", "for"} {
		f := c.Flags().Lookup(name)
		zero := f.Value.String() == "" || f.Value.String() == "0" || f.Value.String() == "0s"
		if f.Changed && zero {
			return fmt.Errorf("-%s must not be %s", name, f.Value)
		}
	}
	if !c.Flags().Changed("scenario") {
		return fmt.Errorf("say which -scenario: %s", strings.Join(sim.Scenarios(), ", "))
	}
	return nil
}

func verdict(r *sim.Result) error {
	switch {
	case r.Unsafe():
		return &exitError{code: exitUnsafe}
	case !r.Converged:
		return &exitError{code: exitUnsettled}
	}
	return nil
}

func printResult(w io.Writer, r *sim.Result, asJSON bool) error {
	if asJSON {
		return printJSON(w, r)
	}
	fmt.Fprintf(w, "%s: %d nodes for %v in %v, %d steps, seed %d, trace %s\n", r.Scenario, r.Nodes,
		millis(r.VirtualMS), millis(r.WallMS), r.Steps, r.Seed, r.TraceHash)
	if r.FirstDetectionMS >= 0 {
		fmt.Fprintf(w, "crash detected after %v", millis(r.FirstDetectionMS))
		if r.FullDisseminationMS >= 0 {
			fmt.Fprintf(w, ", known to all after %v", millis(r.FullDisseminationMS))
		}
		fmt.Fprintln(w)
	}
	if r.ConvergedMS >= 0 {
		fmt.Fprintf(w, "views equal %v after the last disturbance\n", millis(r.ConvergedMS))
	}
	fmt.Fprintf(w, "false positives: %d\n", r.FalsePositives)
	fmt.Fprintf(w, "traffic: %.1f packets and %.0f bytes per node and second\n", r.PacketsPerNodeS, r.BytesPerNodeS)
	for _, v := range r.Violations {
		fmt.Fprintf(w, "SAFETY: %v\n", v)
	}
	if !r.Converged {
		fmt.Fprintf(w, "NOT CONVERGED: %s\n", strings.Join(r.Disagree, "; "))
	}
	if r.OK {
		fmt.Fprintln(w, "ok")
	}
	return nil
}

func millis(n int64) time.Duration { return time.Duration(n) * time.Millisecond }
