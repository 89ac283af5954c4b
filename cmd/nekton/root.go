package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// Exit codes. Those of simulations are in sim.go.
const (
	exitOK     = 0
	exitFailed = 1 // asked for the right thing, in vain
	exitMisuse = 2 // asked for something that makes no sense

	exitInterrupted = 130 // as shells say it
)

// An exitError chooses the exit code. Without err there is nothing to say.
type exitError struct {
	code int
	err  error
}

// Error implements error.
func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

// Unwrap returns what went wrong.
func (e *exitError) Unwrap() error { return e.err }

// misuse marks err as a mistake of whoever typed the command.
func misuse(err error) error {
	if err == nil {
		return nil
	}
	return &exitError{exitMisuse, err}
}

// run is the whole program but for signals, which end ctx. It returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(doubleDashes(root, args))
	root.SetIn(stdin)
	out := &output{w: stdout}
	root.SetOut(out)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil && out.err != nil {
		err = infra(fmt.Errorf("what there is to say could not be written: %w", out.err))
	}
	var exit *exitError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &exit) && exit.err == nil:
		return exit.code
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		fmt.Fprintln(stderr, "nekton: interrupted")
		return exitInterrupted
	}
	fmt.Fprintln(stderr, "nekton:", oneLine(err))
	if exit != nil {
		return exit.code
	}
	return exitFailed
}

func oneLine(err error) string {
	return strings.Join(strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' }), "; ")
}

func newRoot() *cobra.Command {
	root := group("nekton", "Clusters that know who is alive",
		newDemo(), newAgent(), newMembers(), newJoin(), newLeave(), newInfo(), newKeys(), newKeygen(),
		newSim(), newVersion())
	root.Long = "nekton runs a member of a cluster (agent), asks it and tells it what to do (members, join,\n" +
		"leave, info, keys), and runs whole clusters in virtual time (sim). To see it all: nekton demo\n\n" +
		"Flags may be written with one dash or two."
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetHelpCommand(newHelp())
	root.InitDefaultCompletionCmd()
	badArgsAreMisuse(root)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return misuse(fmt.Errorf("%w; see: %s -help", err, c.CommandPath()))
	})
	return root
}

// group returns a command that only has others below it.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short}
	c.AddCommand(commands...)
	c.Args = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		var names []string
		for _, sub := range c.Commands() {
			names = append(names, sub.Name())
		}
		all := strings.Join(names, ", ")
		return fmt.Errorf("%s has no command %q; use one of %s", c.CommandPath(), args[0], all)
	}
	return c
}

func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:   "help [command]",
		Short: "Explain a command",
		RunE: func(c *cobra.Command, args []string) error {
			about, rest, err := c.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return misuse(fmt.Errorf("there is no command %q to explain", strings.Join(args, " ")))
			}
			return about.Help()
		},
	}
}

// badArgsAreMisuse makes every command's validator of arguments report misuse. Cobra asks only those of commands
// that do something, so the others explain themselves.
func badArgsAreMisuse(c *cobra.Command) {
	if !c.Runnable() {
		c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	}
	if valid := c.Args; valid != nil {
		c.Args = func(c *cobra.Command, args []string) error { return misuse(valid(c, args)) }
	}
	for _, sub := range c.Commands() {
		badArgsAreMisuse(sub)
	}
}

func noArgs(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%s takes no argument, but got %q", c.CommandPath(), args[0])
	}
	return nil
}

func someArgs(what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return fmt.Errorf("%s needs %s", c.CommandPath(), what)
		}
		return nil
	}
}

func oneArg(what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != 1 {
			return fmt.Errorf("%s needs %s", c.CommandPath(), what)
		}
		return nil
	}
}
