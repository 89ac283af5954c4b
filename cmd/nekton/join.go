package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/nekton-go/nekton/cmd/nekton/internal/agent"
)

func newJoin() *cobra.Command {
	c := &cobra.Command{
		Use:   "join host:port ...",
		Short: "Make an agent join the cluster of other members",
		Args:  someArgs("the host:port of at least one member"),
	}
	dial := talks(c)
	c.RunE = func(c *cobra.Command, seeds []string) error {
		for _, seed := range seeds {
			if err := agent.CheckSeed(seed); err != nil {
				return misuse(err)
			}
		}
		client, err := dial()
		if err != nil {
			return err
		}
		var joined agent.Joined
		if err := client.Post(c.Context(), "/v1/join", agent.Join{Seeds: seeds}, &joined); err != nil {
			return err
		}
		fmt.Fprintf(c.OutOrStdout(), "joined: %d of %d answered\n", joined.Reached, len(seeds))
		return nil
	}
	return c
}
