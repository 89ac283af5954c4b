package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/nekton-go/nekton/sim"
	"github.com/nekton-go/nekton/sim/shrink"
)

func newSimShrink() *cobra.Command {
	c := &cobra.Command{
		Use:   "shrink [file]",
		Short: "Make a run that fails small: fewer members, faults and operations, less time",
		Long: "Make a run that fails small: fewer members, faults and operations, less time, plainer values. What\n" +
			"comes out fails by the same oracle, is kept in a bundle and told. An interrupt ends the search with\n" +
			"the smallest run so far.",
		Example: "  nekton sim shrink simrepro/S2-7" + bundleExt + "\n" +
			"  nekton sim shrink -swarm default -seed 7 -budget 5m -out small" + bundleExt,
		Args: oneFileAtMost,
	}
	s := simShrink{}
	cases := defineCase(c.Flags())
	nodes := defineNodes(c.Flags())
	c.Flags().DurationVar(&s.budget, "budget", time.Minute, "`time` to search for")
	c.Flags().StringVar(&s.out, "out", "", "`file` for the bundle; default: beside the file, or in "+bundlesDir)
	c.RunE = func(c *cobra.Command, args []string) (err error) {
		what, err := cases.single(c, args)
		if err != nil {
			return misuse(err)
		}
		if s.nodes, err = nodes.open(c.Context()); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, s.nodes.close(context.WithoutCancel(c.Context()))) }()
		if len(args) > 0 && s.out == "" {
			s.out = strings.TrimSuffix(args[0], filepath.Ext(args[0])) + "-min" + bundleExt
		}
		s.w, s.log = c.OutOrStdout(), c.ErrOrStderr()
		return s.run(c.Context(), what)
	}
	return c
}

// simShrink is one call of sim shrink.
type simShrink struct {
	budget time.Duration
	out    string
	nodes  *simNodes
	w, log io.Writer
}

func (s *simShrink) run(ctx context.Context, c sim.Case) error {
	searching, cancel := context.WithTimeout(ctx, s.budget)
	defer cancel()
	bar := newProgress(s.log, 0)
	shrinker := shrink.Shrinker{
		Run: func(c sim.Case) (sim.Result, error) {
			return s.nodes.simulate(context.WithoutCancel(ctx), c, sim.Harness{FirstOnly: true})
		},
		Stop:     func() bool { return searching.Err() != nil },
		Progress: func(why string, c sim.Case) { bar.say("%s  (%s)", sizeOf(&c), why) },
	}
	small, err := shrinker.Shrink(c)
	bar.clear()
	if err != nil {
		return err
	}
	result, err := s.nodes.simulate(context.WithoutCancel(ctx), small, sim.Harness{})
	if err != nil {
		return err
	}
	found, err := s.nodes.investigate(context.WithoutCancel(ctx), small, &result)
	if err != nil {
		return err
	}
	found.report.Shrunk = fmt.Sprintf("from %s, in %s", sizeOf(&c), count(shrinker.Runs(), "run"))
	err = found.save(s.out)
	_, shown := fmt.Fprint(s.w, &found.report)
	return infra(errors.Join(shown, err))
}

// sizeOf says how large a case is.
func sizeOf(c *sim.Case) string {
	nodes, faults := 0, 0
	for i := range c.Ops {
		switch op := &c.Ops[i]; {
		case op.Kind == sim.Start:
			nodes += len(op.Nodes)
		case op.IsFault():
			faults++
		}
	}
	if c.Converged {
		nodes = c.Nodes
	}
	return fmt.Sprintf("%s, %s, %s, %v", count(nodes, "node"), count(faults, "fault"),
		count(len(c.Ops), "operation"), c.For.Round(time.Millisecond))
}
