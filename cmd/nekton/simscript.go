package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/nekton-go/nekton/internal/golden"
	"github.com/nekton-go/nekton/sim"
)

func newSimScript() *cobra.Command {
	c := &cobra.Command{
		Use:   "script file...",
		Short: "Run golden scripts: commands to a cluster, each with what came of it below",
		Long: "Run golden scripts: commands to a cluster, each with what came of it below, after a line of ----.\n" +
			"Write the commands and run it with -update; run it without to see whether the same comes again.\n\n" +
			"  nodes N [SEED]   begin with so many members, none of which knows another\n" +
			"  run DURATION     let that time pass and show what members told their applications\n" +
			"  trace WHAT       what run shows: everything, events, or quiet, which are events without evidence\n" +
			"  views            rows that differ from the truth\n" +
			"  violations       what oracles said\n" +
			"  clock NODE       what the clocks of a member read\n\n" +
			"Anything else is an operation that begins now; see nekton sim list operations:\n\n" +
			"  KIND [NODES] [- PEERS | > PEERS] [PPM ppm] [SIZE bytes] [EXTRA late] [every DURATION]\n" +
			"      [after NTH] [as MODE] [for DURATION] [lost]\n\n" +
			"such as: join n1 n2 - n0, crash n1 lost for 3s, cut n0 > n1 n2 for 10s, loss 50000 ppm.",
		Example: "  printf 'nodes 3\\njoin n1 n2 - n0\\nrun 5s\\ncrash n2\\nrun 20s\\nviews\\n' > crash.txt\n" +
			"  nekton sim script crash.txt -update",
		Args: someArgs("at least one script"),
	}
	update := c.Flags().Bool("update", false, "write what comes of each command into the files")
	c.RunE = func(c *cobra.Command, files []string) error {
		changed := 0
		for _, file := range files {
			changes, err := runScript(file, *update)
			if err != nil {
				return err
			}
			for _, change := range changes {
				fmt.Fprintf(c.OutOrStdout(), "%s:%s", file, change)
			}
			if len(changes) == 0 {
				fmt.Fprintf(c.OutOrStdout(), "ok   %s\n", file)
			}
			changed += len(changes)
		}
		if changed > 0 && !*update {
			return errors.New("if this is what you want, run it again with -update")
		}
		return nil
	}
	return c
}

// runScript runs one file and describes what changed in it.
func runScript(file string, update bool) (changes []string, err error) {
	source, err := os.ReadFile(file)
	if err != nil {
		return nil, misuse(err)
	}
	script := golden.Parse(string(source))
	if changes, err = script.Run(sim.NewStage(sim.Harness{}).Do); err != nil {
		return nil, misuse(fmt.Errorf("%s:%w", file, err))
	}
	got := script.String()
	switch {
	case got == string(source):
		return changes, nil
	case update:
		return changes, infra(writeFile(file, []byte(got)))
	case len(changes) == 0:
		return []string{" the layout is not canonical\n"}, nil
	}
	return changes, nil
}
