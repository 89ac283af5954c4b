package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/nekton-go/nekton/sim"
	"github.com/nekton-go/nekton/sim/check"
	"github.com/nekton-go/nekton/sim/repro"
)

// Exit codes of simulations, besides those in root.go: a contract with whatever runs many of them.
const (
	exitInfra     = 3   // a disk is full, a file cannot be written: says nothing about the nodes
	exitUnsafe    = 10  // something happened that must not
	exitNotLive   = 11  // something did not happen that must
	exitDiffers   = 12  // the same run went another way
	exitUncovered = 13  // it passed, but proves too little
	exitSlow      = 14  // a bound on what was measured does not hold
	exitApart     = 20  // members could not agree, and nothing could be done about it: passes
	exitBudget    = 124 // time or memory ran out first; as timeout(1) says it
)

var simExits = []struct {
	code int
	says string
}{
	{exitOK, "all is well"},
	{exitFailed, "the run that should fail does not, or a script prints something else"},
	{exitMisuse, "misuse"},
	{exitInfra, "a file could not be written, or the like: nothing is known; try again"},
	{exitUnsafe, "an oracle of what must never happen complained; there is a bundle"},
	{exitNotLive, "an oracle of what must happen in time complained; there is a bundle"},
	{exitDiffers, "the same run went another way: it is not deterministic"},
	{exitUncovered, "no failure, but something was never tried or would not have been noticed"},
	{exitSlow, "an expectation about what is measured was not met"},
	{exitApart, "members cannot agree: they do not know of each other, or have no room; no failure"},
	{exitBudget, "time or memory ran out first"},
	{exitInterrupted, "interrupted"},
}

func newSim() *cobra.Command {
	c := group("sim", "Run whole clusters in virtual time: look for failures, repeat and explain them",
		newSimRun(), newSimSweep(), newSimReplay(), newSimExplain(), newSimShrink(),
		newSimScript(), newSimDiff(), newSimVerify(), newSimAccept(), newSimBench(),
		newSimList())
	var b strings.Builder
	b.WriteString("Run whole clusters in virtual time, with every oracle watching. A run is a function of its\n" +
		"case: the same one gives the same trace hash on every machine, with native or WebAssembly nodes.\n\n" +
		"To look for failures, sweep over seeds. Each failure leaves a bundle, a file with all that is\n" +
		"needed to repeat, explain and shrink it.\n\n" +
		"Exit codes of these commands; explain and shrink show a failure and exit with 0:\n")
	for _, e := range simExits {
		fmt.Fprintf(&b, "  %-4d %s\n", e.code, e.says)
	}
	c.Long = strings.TrimSuffix(b.String(), "\n")
	c.Example = "  nekton sim run -scenario crash -nodes 128\n" +
		"  nekton sim sweep -seeds 0:1000\n" +
		"  nekton sim replay simrepro/S2-7.simrepro"
	return c
}

// infra marks err as a failure of this machine.
func infra(err error) error {
	if err == nil {
		return nil
	}
	return &exitError{exitInfra, err}
}

// exitOf is the exit code for what came of a run.
func exitOf(v *check.Violation) int {
	switch {
	case v == nil:
		return exitOK
	case v.Liveness():
		return exitNotLive
	}
	return exitUnsafe
}

// exitWith ends a command whose output is complete.
func exitWith(code int) error {
	if code == exitOK {
		return nil
	}
	return &exitError{code: code}
}

func verdict(r *sim.Result) error {
	if v := repro.Verdict(r); v != nil || r.Apart == "" {
		return exitWith(exitOf(v))
	}
	return exitWith(exitApart)
}

// printResult shows what is known of a run that did not fail, but for the verdict.
func printResult(w io.Writer, r *sim.Result) {
	fmt.Fprintf(w, "%s: %d nodes for %v in %v, %d steps, seed %d, trace %s\n", r.Scenario, r.Nodes,
		millis(r.VirtualMS), millis(r.WallMS), r.Steps, r.Seed, r.TraceHash)
	if r.FirstDetectionMS >= 0 {
		fmt.Fprintf(w, "crash detected after %v", millis(r.FirstDetectionMS))
		if r.FullDisseminationMS >= 0 {
			fmt.Fprintf(w, ", known to all after %v", millis(r.FullDisseminationMS))
		}
		fmt.Fprintln(w)
	}
	if r.ConvergedMS >= 0 {
		fmt.Fprintf(w, "views equal %v after the last disturbance\n", millis(r.ConvergedMS))
	}
	fmt.Fprintf(w, "false positives: %d\n", r.FalsePositives)
	fmt.Fprintf(w, "traffic: %.1f packets and %.0f bytes per node and second\n", r.PacketsPerNodeS, r.BytesPerNodeS)
	if r.Apart != "" {
		fmt.Fprintf(w, "cannot agree: %s\n", r.Apart)
	}
}

func millis(n int64) time.Duration { return time.Duration(n) * time.Millisecond }
