package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/nekton-go/nekton/cmd/nekton/internal/agent"
)

func newInfo() *cobra.Command {
	c := &cobra.Command{
		Use:   "info",
		Short: "Show how an agent and its view of the cluster are doing",
		Args:  noArgs,
	}
	dial := talks(c)
	asJSON := c.Flags().Bool("json", false, "print JSON")
	c.RunE = func(c *cobra.Command, _ []string) error {
		client, err := dial()
		if err != nil {
			return err
		}
		var info agent.Info
		if err := client.Get(c.Context(), "/v1/info", &info); err != nil {
			return err
		}
		if *asJSON {
			return printJSON(c.OutOrStdout(), info)
		}
		return printInfo(c.OutOrStdout(), &info)
	}
	return c
}

func printInfo(w io.Writer, info *agent.Info) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	health := fmt.Sprintf("%d", info.Health)
	if info.Health == 0 {
		health = "0 (well)"
	}
	fmt.Fprintf(table, "name\t%s\n", info.Name)
	fmt.Fprintf(table, "address\t%v\n", info.Addr)
	fmt.Fprintf(table, "running for\t%v\n", time.Since(info.Started).Round(time.Second))
	fmt.Fprintf(table, "incarnation\t%d\n", info.Incarnation)
	fmt.Fprintf(table, "health\t%s\n", health)
	fmt.Fprintf(table, "members\t%d alive, %d dead, %d left\n", info.Members, info.Dead, info.Left)
	fmt.Fprintf(table, "broadcasts\t%d queued\n", info.Broadcasts)
	printCounters(table, info.Counters)
	printCounters(table, info.Refused)
	fmt.Fprintf(table, "version\t%s\n", info.Version)
	return table.Flush()
}

// printCounters prints those that are not zero.
func printCounters(w io.Writer, counters map[string]uint64) {
	for _, name := range slices.Sorted(maps.Keys(counters)) {
		if n := counters[name]; n > 0 {
			fmt.Fprintf(w, "%s\t%d\n", name, n)
		}
	}
}
