package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/nekton-go/nekton/cmd/nekton/internal/agent"
)

func newMembers() *cobra.Command {
	c := &cobra.Command{
		Use:   "members",
		Short: "List the members that an agent knows",
		Long: "List the members that an agent knows, those that died or left included.\n" +
			"With -watch, go on with everything that happens, until interrupted.",
		Args: noArgs,
	}
	dial := talks(c)
	asJSON := c.Flags().Bool("json", false, "print JSON: an array, or with -watch one object per line")
	watch := c.Flags().Bool("watch", false, "go on with everything that happens")
	c.RunE = func(c *cobra.Command, _ []string) error {
		client, err := dial()
		if err != nil {
			return err
		}
		if *watch {
			return watchMembers(c.Context(), client, c.OutOrStdout(), *asJSON)
		}
		var all agent.Members
		if err := client.Get(c.Context(), "/v1/members", &all); err != nil {
			return err
		}
		if *asJSON {
			return printJSON(c.OutOrStdout(), all.Members)
		}
		return printMembers(c.OutOrStdout(), all.Members)
	}
	return c
}

func printMembers(w io.Writer, all []agent.Member) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tADDRESS\tSTATE\tFOR\tMETA")
	for _, m := range all {
		since := time.Since(m.Since).Round(time.Second)
		fmt.Fprintf(table, "%s\t%v\t%s\t%v\t%s\n", readable([]byte(m.Name)), m.Addr, m.State, since, readable(m.Meta))
	}
	return table.Flush()
}

// watchMembers prints events until ctx ends, which is no error.
func watchMembers(ctx context.Context, client *agent.Client, w io.Writer, asJSON bool) error {
	for e, err := range client.Events(ctx) {
		switch {
		case err != nil:
		case asJSON:
			err = printJSON(w, e)
		case e.Kind == "snapshot":
			if e.Missed > 0 {
				fmt.Fprintf(w, "... missed %d events; this is how things are now:\n", e.Missed)
			}
			err = printMembers(w, e.Members)
		default:
			_, err = fmt.Fprintf(w, "%s  %s\n", time.Now().Format(time.TimeOnly), e.Text)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
