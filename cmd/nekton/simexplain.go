package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/nekton-go/nekton/sim"
	"github.com/nekton-go/nekton/sim/repro"
)

func newSimExplain() *cobra.Command {
	c := &cobra.Command{
		Use:   "explain [file]",
		Short: "Tell what led to the failure of a bundle, a case, a scenario or a seed",
		Long: "Make a run that fails again and tell what led to it: of all steps that happened before the\n" +
			"violation, those that carried news of the member in question to the one who was wrong about it.",
		Example: "  nekton sim explain simrepro/S2-7" + bundleExt + "\n" +
			"  nekton sim explain -swarm default -seed 7",
		Args: oneFileAtMost,
	}
	cases := defineCase(c.Flags())
	nodes := defineNodes(c.Flags())
	c.RunE = func(c *cobra.Command, args []string) (err error) {
		runs, err := cases.cases(c, args)
		if err != nil {
			return misuse(err)
		}
		if len(runs) > 1 {
			return misuse(fmt.Errorf("%d runs: explain one; take the grid out of the file", len(runs)))
		}
		n, err := nodes.open(c.Context())
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, n.close(c.Context())) }()
		result, err := n.simulate(c.Context(), runs[0].Case, sim.Harness{})
		if err != nil {
			return err
		}
		if repro.Verdict(&result) == nil {
			_, err := fmt.Fprintf(c.OutOrStdout(), "nothing to explain: the run is ok, trace %s\n", result.TraceHash)
			return err
		}
		found, err := n.investigate(c.Context(), runs[0].Case, &result)
		if err != nil {
			return err
		}
		found.report.Reproduce = commandLine(typed(c, args)...)
		_, err = fmt.Fprint(c.OutOrStdout(), &found.report)
		return err
	}
	return c
}
