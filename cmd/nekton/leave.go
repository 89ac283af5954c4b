package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newLeave() *cobra.Command {
	c := &cobra.Command{
		Use:   "leave",
		Short: "Make an agent say goodbye to its cluster and end",
		Args:  noArgs,
	}
	dial := talks(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		client, err := dial()
		if err != nil {
			return err
		}
		if err := client.Post(c.Context(), "/v1/leave", struct{}{}, &struct{}{}); err != nil {
			return err
		}
		fmt.Fprintln(c.OutOrStdout(), "left")
		return nil
	}
	return c
}
