package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/nekton-go/nekton/cmd/nekton/internal/agent"
)

func newKeys() *cobra.Command {
	c := group("keys", "Look at and change the keys of a running agent",
		newKeyList(), newKeyInstall(), newKeyChange("use", "Seal with an installed key from now on"),
		newKeyChange("remove", "Forget a key that is not in use"))
	c.Long = "Look at and change the keys of a running agent, and its key file with them.\n\n" +
		"To move a cluster to a new key without losing anybody, do each step on every agent before the next:\n" +
		"  nekton keys install FILE\n  nekton keys use ID\n  nekton keys remove OLD-ID"
	return c
}

func newKeyList() *cobra.Command {
	c := &cobra.Command{Use: "list", Short: "List the keys by their IDs", Args: noArgs}
	dial := talks(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		client, err := dial()
		if err != nil {
			return err
		}
		var keys agent.Keys
		if err := client.Get(c.Context(), "/v1/keys", &keys); err != nil {
			return err
		}
		printKeys(c.OutOrStdout(), keys)
		return nil
	}
	return c
}

func newKeyInstall() *cobra.Command {
	c := &cobra.Command{
		Use:   "install FILE",
		Short: "Open what others seal with the key in a file (- is standard input)",
		Args:  oneArg("a file that holds the key, or - for standard input"),
	}
	dial := talks(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		key, err := readOneKey(args[0], c.InOrStdin())
		if err != nil {
			return misuse(err)
		}
		return changeKeys(c, dial, "install", agent.NewKey{Key: key})
	}
	return c
}

func newKeyChange(verb, short string) *cobra.Command {
	c := &cobra.Command{Use: verb + " ID", Short: short, Args: oneArg("the ID of a key; see: nekton keys list")}
	dial := talks(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		return changeKeys(c, dial, verb, agent.KeyID{ID: args[0]})
	}
	return c
}

func changeKeys(c *cobra.Command, dial func() (*agent.Client, error), verb string, body any) error {
	client, err := dial()
	if err != nil {
		return err
	}
	var keys agent.Keys
	if err := client.Post(c.Context(), "/v1/keys/"+verb, body, &keys); err != nil {
		return err
	}
	printKeys(c.OutOrStdout(), keys)
	return nil
}

func printKeys(w io.Writer, keys agent.Keys) {
	for _, id := range keys.Keys {
		mark := ""
		if id == keys.Primary {
			mark = "  in use"
		}
		fmt.Fprintf(w, "%s%s\n", id, mark)
	}
}

func readOneKey(file string, stdin io.Reader) ([]byte, error) {
	var keys [][]byte
	var err error
	if file != "-" {
		keys, err = agent.ReadKeys(file)
	} else {
		var text []byte
		if text, err = io.ReadAll(io.LimitReader(stdin, 4096)); err == nil {
			keys, err = agent.ParseKeys(text)
		}
	}
	if err == nil && len(keys) > 1 {
		err = errors.New("more than one key; install them one by one")
	}
	if err != nil {
		return nil, err
	}
	return keys[0], nil
}
