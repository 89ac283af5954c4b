package main

import (
	"context"
	"strings"

	"github.com/nekton-go/nekton/sim"
	"github.com/nekton-go/nekton/sim/check"
	"github.com/nekton-go/nekton/sim/repro"
	"github.com/nekton-go/nekton/sim/slice"
)

// A finding is a run that failed, made again and looked into.
type finding struct {
	code   int
	bundle repro.Bundle
	report repro.Report
}

// deterministic reports whether the run failed in the same way again.
func (f *finding) deterministic() bool { return f.code != exitDiffers }

// investigate makes a failed run again, to see whether the same comes out, and finds out what led to it.
func (n *simNodes) investigate(ctx context.Context, c sim.Case, failed *sim.Result) (*finding, error) {
	f := &finding{bundle: repro.Bundle{Manifest: manifest(), Case: c, Expect: repro.Outcome(failed)}}
	v := f.bundle.Expect.Violation
	f.code = exitOf(v)
	f.report = repro.Report{
		Case: c, Violation: *v, More: max(0, len(failed.Violations)-1),
		Determinism: "deterministic: a second run had the same hash",
	}
	again, err := n.seeing(&f.report.Calls).simulate(ctx, c, sim.Harness{})
	if err != nil {
		return nil, err
	}
	second := repro.Outcome(&again)
	if differences := f.bundle.Expect.Differences(&second); len(differences) > 0 {
		f.code = exitDiffers
		f.report.Determinism = "NOT DETERMINISTIC: in a second run " + strings.Join(differences, "; ")
		return f, nil // what led to it would be another story each time
	}
	f.report.Slice, err = n.explain(ctx, c, v)
	return f, err
}

// explain finds what led to a violation.
func (n *simNodes) explain(ctx context.Context, c sim.Case, v *check.Violation) (slice.Slice, error) {
	target := slice.Target{Step: v.Step, Node: check.Index(v.Observer), About: check.Index(v.Subject)}
	return slice.Of(target, func(h sim.Harness) error {
		_, err := n.simulate(ctx, c, h)
		return err
	})
}

// keep writes the bundle into a directory, under a name of its own, and names the command that replays it. If
// that fails, the command is one that does without.
func (f *finding) keep(dir string, without ...string) (file string, err error) {
	f.report.Reproduce = commandLine(without...)
	if dir == "" {
		return "", nil
	}
	f.tell()
	if file, err = keepBundle(dir, &f.bundle); err == nil {
		f.report.Reproduce = commandLine("sim", "replay", file)
	}
	return file, err
}

// save writes the bundle into a file, or if that has no name as keep does into the usual directory.
func (f *finding) save(file string) (err error) {
	if file == "" {
		_, err = f.keep(bundlesDir)
		return err
	}
	f.tell()
	if err = writeBundle(file, &f.bundle); err == nil {
		f.report.Reproduce = commandLine("sim", "replay", file)
	}
	return err
}

// tell puts the report into the bundle. What a bundle says of itself does not depend on where it is.
func (f *finding) tell() {
	report := f.report
	report.Reproduce = replayer(&f.bundle)
	f.bundle.Failure = report.String()
}

// replayer is the command that a bundle itself says replays it.
func replayer(b *repro.Bundle) string { return "nekton sim replay " + bundleName(b) }
