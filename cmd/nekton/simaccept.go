package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/nekton-go/nekton/sim/accept"
)

// suites are those that sim accept knows, by name.
var suites = []struct {
	name string
	plan func(quick bool) *accept.Suite
}{
	{"swim", accept.Swim},
	{"lifeguard", accept.Lifeguard},
}

func newSimAccept() *cobra.Command {
	var names []string
	for _, s := range suites {
		names = append(names, s.name)
	}
	c := &cobra.Command{
		Use:   "accept " + strings.Join(names, "|"),
		Short: "Measure what the papers say a cluster must show",
		Long: "Run a suite of simulations and compare what they measure with what a paper, or arithmetic, says:\n" +
			"swim is the suite of SWIM (2002), lifeguard that of Lifeguard (2017). Seeds are fixed: the figures are\n" +
			"the same every time and everywhere.\n\n" +
			"Exit codes: 0 every gate is passed, 14 one is not, 2 misuse.",
		Example: "  nekton sim accept swim\n" +
			"  nekton sim accept lifeguard -quick -json",
		Args:      cobra.MatchAll(oneArg("the name of a suite: "+strings.Join(names, " or ")), knownSuite),
		ValidArgs: names,
	}
	quick := c.Flags().Bool("quick", false, "a slice of the suite that takes seconds")
	asJSON := c.Flags().Bool("json", false, "print one JSON array of gates")
	c.RunE = func(c *cobra.Command, args []string) error {
		for _, s := range suites {
			if s.name == args[0] {
				return accepted(c.Context(), c.OutOrStdout(), s.plan(*quick), *asJSON)
			}
		}
		return nil // knownSuite has seen to that
	}
	return c
}

func knownSuite(c *cobra.Command, args []string) error {
	for _, s := range suites {
		if s.name == args[0] {
			return nil
		}
	}
	return fmt.Errorf("there is no suite %q; use one of %s", args[0], strings.Join(c.ValidArgs, ", "))
}

// accepted makes the runs of a suite and says what came of it.
func accepted(ctx context.Context, w io.Writer, s *accept.Suite, asJSON bool) error {
	if err := makeRuns(ctx, s.Runs); err != nil {
		return err
	}
	report := s.Report()
	return judge(w, &report, asJSON)
}

// judge prints a report. Whether its gates are passed decides the exit code.
func judge(w io.Writer, r *accept.Report, asJSON bool) (err error) {
	if asJSON {
		err = printJSON(w, r.Gates)
	} else {
		err = printReport(w, r)
	}
	switch {
	case err != nil:
		return infra(err)
	case !r.OK():
		return exitWith(exitSlow)
	}
	return nil
}

// makeRuns makes all runs, as many at a time as there are processors. A simulation knows no context: those
// under way when ctx ends are left behind, which ends the program.
func makeRuns(ctx context.Context, runs []accept.Run) error {
	todo := make(chan accept.Run)
	errs := make(chan error, len(runs))
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(runs)) {
		workers.Go(func() {
			for run := range todo {
				errs <- run.Make()
			}
		})
	}
	go func() {
		defer close(todo)
		for _, run := range runs {
			select {
			case todo <- run:
			case <-ctx.Done():
				return
			}
		}
	}()
	var all error
	for range runs {
		select {
		case err := <-errs:
			all = errors.Join(all, err)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	workers.Wait()
	return all
}

func printReport(w io.Writer, r *accept.Report) error {
	for i := range r.Tables {
		if err := printTable(w, &r.Tables[i]); err != nil {
			return err
		}
	}
	gates := accept.Table{Rows: [][]string{{"", "gate", "expected", "from", "to", "measured"}}}
	off := 0
	for _, g := range r.Gates {
		verdict := "ok"
		if !g.OK {
			verdict = "OFF"
			off++
		}
		gates.Rows = append(gates.Rows,
			[]string{verdict, g.Name, digits(g.Expected), digits(g.Low), digits(g.High), digits(g.Measured)})
	}
	if err := printTable(w, &gates); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%d of %d gates passed\n", len(r.Gates)-off, len(r.Gates))
	return err
}

func printTable(w io.Writer, t *accept.Table) error {
	if t.Title != "" {
		fmt.Fprintln(w, t.Title)
	}
	aligned := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range t.Rows {
		fmt.Fprintln(aligned, strings.Join(row, "\t"))
	}
	fmt.Fprintln(aligned)
	return aligned.Flush()
}

// digits shows a figure to four significant digits.
func digits(x float64) string { return strconv.FormatFloat(x, 'g', 4, 64) }
