package main

import (
	"errors"
	"fmt"
	"path/filepath"

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
		what, err := cases.single(c, args)
		if err != nil {
			return misuse(err)
		}
		n, err := nodes.open(c.Context())
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, n.close(c.Context())) }()
		result, err := n.simulate(c.Context(), what, sim.Harness{})
		if err != nil {
			return err
		}
		if repro.Verdict(&result) == nil {
			return fmt.Errorf("nothing to explain: %s, seed %d, is ok", what.Name, what.Seed)
		}
		found, err := n.investigate(c.Context(), what, &result)
		if err != nil {
			return err
		}
		found.report.Reproduce = commandLine(typed(c, args)...)
		if len(args) > 0 && filepath.Ext(args[0]) == bundleExt && c.Flags().NFlag() == 0 {
			found.report.Reproduce = commandLine("sim", "replay", args[0])
		}
		_, err = fmt.Fprint(c.OutOrStdout(), &found.report)
		return err
	}
	return c
}
