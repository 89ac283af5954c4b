package main

import (
	"github.com/spf13/cobra"

	"github.com/nekton-go/nekton/cmd/nekton/internal/agent"
)

const defaultHTTP = "127.0.0.1:7947"

// talks gives a command the flag that says which agent to talk to, and returns how to reach it.
func talks(c *cobra.Command) func() (*agent.Client, error) {
	addr := c.Flags().String("http", defaultHTTP, "`address` of the agent's API")
	return func() (*agent.Client, error) {
		client, err := agent.NewClient(*addr)
		return client, misuse(err)
	}
}
