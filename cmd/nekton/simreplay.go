package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/sim"
	"github.com/nekton-go/nekton/sim/check"
	"github.com/nekton-go/nekton/sim/repro"
	"github.com/nekton-go/nekton/sim/slice"
)

func newSimReplay() *cobra.Command {
	c := &cobra.Command{
		Use:   "replay bundle",
		Short: "Make the run of a bundle again",
		Long: "Make the run of a bundle again, and expect the same: oracle, step and hash. Exits as the run\n" +
			"did, with 12 if this version made the bundle and the run goes another way. A bundle of another\n" +
			"version is replayed all the same, and exits with what comes of it here: so it tells git bisect\n" +
			"which commits are bad. A run that is stopped exits with what came of it so far.",
		Example: "  nekton sim replay simrepro/S2-7" + bundleExt + "\n" +
			"  nekton sim replay simrepro/S2-7" + bundleExt + " -at 12.3s -trace -\n" +
			"  git bisect run sh -c 'go run ./cmd/nekton sim replay simrepro/S2-7" + bundleExt + "'",
		Args: oneArg("one bundle (" + bundleExt + ")"),
	}
	r := simReplay{}
	f := c.Flags()
	nodes := defineNodes(f)
	f.Uint64Var(&r.until, "until", 0, "stop after this `step`, and show the steps before")
	f.DurationVar(&r.at, "at", 0, "stop at this virtual `time`, such as 12.3s, and show the steps before")
	f.StringVar(&r.trace, "trace", "", "`file` for a line of everything that nodes do; - is the output")
	c.RunE = func(c *cobra.Command, args []string) (err error) {
		if r.until > 0 && r.at > 0 {
			return misuse(errors.New("-until and -at: use one of them"))
		}
		b, err := readBundle(args[0])
		if err != nil {
			return err
		}
		if r.nodes, err = nodes.open(c.Context()); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, r.nodes.close(c.Context())) }()
		r.w, r.log = c.OutOrStdout(), c.ErrOrStderr()
		if r.until > 0 || r.at > 0 {
			return r.stop(c.Context(), b.Case)
		}
		return r.replay(c.Context(), b, commandLine(typed(c, args)...))
	}
	return c
}

// simReplay is one call of sim replay.
type simReplay struct {
	until  uint64
	at     time.Duration
	trace  string
	nodes  *simNodes
	w, log io.Writer
}

func (r *simReplay) replay(ctx context.Context, b *repro.Bundle, again string) error {
	here := manifest()
	foreign := b.Manifest.Tool != here.Tool || b.Manifest.Core != here.Core
	if foreign {
		fmt.Fprintf(r.log, "nekton: made by %s (core %s), and this is %s (core %s): another outcome is no surprise\n",
			b.Manifest.Tool, b.Manifest.Core, here.Tool, here.Core)
	}
	result, err := withTrace(r.trace, r.w, func(trace io.Writer) (sim.Result, error) {
		return r.nodes.simulate(ctx, b.Case, sim.Harness{Trace: trace})
	})
	if err != nil {
		return err
	}
	got := repro.Outcome(&result)
	differences := b.Expect.Differences(&got)
	if b.Failure != "" && len(differences) == 0 {
		fmt.Fprint(r.w, strings.Replace(b.Failure, "\nreproduce: "+replayer(b)+"\n", "\nreproduce: "+again+"\n", 1))
	}
	switch {
	case len(differences) == 0:
		fmt.Fprintf(r.w, "reproduced: the same outcome after the same %d steps, hash %s\n", got.Steps, got.TraceHash)
	case foreign:
		fmt.Fprintf(r.w, "here: %s\n", strings.Join(differences, "; "))
	default:
		fmt.Fprintf(r.w, "NOT REPRODUCED: %s\n", strings.Join(differences, "; "))
		return exitWith(exitDiffers)
	}
	return verdict(&result)
}

// lastSteps is how many steps are shown before the one at which a replay stops.
const lastSteps = 10

// stop runs up to a step, or a time, and shows what happened last, and whether a rule had been broken by then.
func (r *simReplay) stop(ctx context.Context, c sim.Case) error {
	var last []string
	over, step, at := false, uint64(0), r.at
	reader := slice.NewReader("")
	h := sim.Harness{
		Watch: func(s *sim.Step) {
			if r.at > 0 && s.At > core.Instant(r.at) || over {
				over = true
				return
			}
			reader.Follow(s)
			last = append(last, stepText(reader, s))
			last = last[max(0, len(last)-lastSteps):]
			step, over = s.Number, r.until > 0 && s.Number >= r.until
			if r.until > 0 {
				at = time.Duration(s.At).Round(time.Microsecond)
			}
		},
		Stop: func() bool { return over },
	}
	result, err := withTrace(r.trace, r.w, func(trace io.Writer) (sim.Result, error) {
		h.Trace = trace
		return r.nodes.simulate(ctx, c, h)
	})
	if err != nil && !errors.Is(err, sim.ErrStopped) {
		return err
	}
	for _, text := range last {
		fmt.Fprintln(r.w, text)
	}
	if over {
		result.Violations = slices.DeleteFunc(result.Violations, func(v check.Violation) bool { return v.Step > step })
		result.OK = len(result.Violations) == 0 // whether members agree is not asked yet
		fmt.Fprintf(r.w, "stopped at %v, after step %d: ", at, step)
	} else {
		fmt.Fprintf(r.w, "the run ended before, at %v, after step %d: ", millis(result.VirtualMS), result.Steps)
	}
	if v := repro.Verdict(&result); v != nil {
		fmt.Fprintf(r.w, "%s %s had been broken, at step %d\n", v.Oracle, v.Name, v.Step)
	} else {
		fmt.Fprintln(r.w, "no rule had been broken")
	}
	return verdict(&result)
}

// stepText shows a step and what it did.
func stepText(reader *slice.Reader, s *sim.Step) string {
	at := time.Duration(s.At).Round(time.Microsecond)
	text := fmt.Sprintf("#%d %v n%d %s", s.Number, at, s.Node, reader.Input(s, -1))
	if s.Cause > 0 {
		text += fmt.Sprintf(" (of step %d)", s.Cause)
	}
	return strings.Join(append([]string{text}, reader.Effects(s)...), "\n    ")
}
