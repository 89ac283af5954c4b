package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nekton-go/nekton/sim"
	"github.com/nekton-go/nekton/sim/repro"
)

const (
	lookahead    = 64 // runs per worker that may wait for a slow one before them
	keptByOracle = 10 // findings that are looked into
)

// seedRun is a run of a sweep, as JSON.
type seedRun struct {
	Seed          uint64 `json:"seed"`
	OK            bool   `json:"ok"`
	ExitCode      int    `json:"exit_code"`
	Oracle        string `json:"oracle,omitempty"`
	Name          string `json:"name,omitempty"` // of the oracle
	Step          uint64 `json:"step,omitempty"`
	AtMS          int64  `json:"at_ms,omitempty"`
	Observer      string `json:"observer,omitempty"`
	Subject       string `json:"subject,omitempty"`
	What          string `json:"what,omitempty"`
	Deterministic *bool  `json:"deterministic,omitempty"` // unknown beyond the first failures of an oracle
	Bundle        string `json:"bundle,omitempty"`
	Nodes         int    `json:"nodes"`
	Steps         uint64 `json:"steps"`
	VirtualMS     int64  `json:"virtual_ms"`
	WallMS        int64  `json:"wall_ms"`
	TraceHash     string `json:"trace_hash"`
}

// attempt is what came of one seed. An error says that nothing did.
type attempt struct {
	k      uint64 // which of the range
	c      sim.Case
	result sim.Result
	err    error
}

// collect takes in what workers do, in the order of seeds, until all are done or ctx ends.
func (s *sweep) collect(ctx context.Context, cancel context.CancelCauseFunc, bar *progress) error {
	window := make(chan struct{}, s.jobs*lookahead)
	attempts := s.start(ctx, window)
	waiting := map[uint64]attempt{}
	var failed error
	for next := uint64(0); ; {
		a, more := <-attempts
		if !more {
			break
		}
		waiting[a.k] = a
		for a, ready := waiting[next]; ready; a, ready = waiting[next] {
			delete(waiting, next)
			<-window
			next++
			if ctx.Err() != nil && a.err != nil {
				continue // it was cut short
			}
			if errors.Is(context.Cause(ctx), errEnough) || failed != nil {
				continue // past the end
			}
			if failed = s.take(ctx, a, bar); failed != nil {
				cancel(failed)
			} else if s.stopAfter > 0 && s.total.Failed >= s.stopAfter {
				cancel(errEnough)
			}
		}
	}
	return failed
}

// start lets workers run the seeds. Those that are not begun when ctx ends do not come.
func (s *sweep) start(ctx context.Context, window chan<- struct{}) <-chan attempt {
	todo, done := make(chan uint64), make(chan attempt)
	go func() {
		defer close(todo)
		for k := range s.seeds.count() {
			select {
			case window <- struct{}{}:
			case <-ctx.Done():
				return
			}
			select {
			case todo <- k:
			case <-ctx.Done():
				return
			}
		}
	}()
	var workers sync.WaitGroup
	for range s.jobs {
		workers.Go(func() {
			for k := range todo {
				done <- s.attempt(ctx, k)
			}
		})
	}
	go func() {
		workers.Wait()
		close(done)
	}()
	return done
}

func (s *sweep) attempt(ctx context.Context, k uint64) attempt {
	a := attempt{k: k}
	start := time.Now()
	if a.c, a.err = s.draw(s.seeds.at(k)); a.err == nil {
		a.result, a.err = s.nodes.simulate(ctx, a.c, sim.Harness{})
	}
	a.result.WallMS = time.Since(start).Milliseconds()
	return a
}

// take counts, shows and writes down what came of a seed.
func (s *sweep) take(ctx context.Context, a attempt, bar *progress) error {
	if a.err != nil {
		return fmt.Errorf("seed %d: %w", s.seeds.at(a.k), a.err)
	}
	r := &a.result
	out := seedRun{
		Seed: r.Seed, OK: r.OK, Nodes: r.Nodes, Steps: r.Steps, VirtualMS: r.VirtualMS, WallMS: r.WallMS,
		TraceHash: r.TraceHash,
	}
	s.total.Seeds++
	s.total.VirtualMS += r.VirtualMS
	s.covered.add(&a.c, r)
	if r.OK {
		s.total.OK++
		if r.Apart != "" {
			out.ExitCode = exitApart
		}
	} else {
		s.total.Failed++
		if err := s.fail(ctx, a, &out); err != nil {
			return err
		}
	}
	bar.step(s.total.Seeds, s.total.Failed)
	var err error
	if s.records != nil {
		err = s.records.add(&out)
	}
	if r.OK && !s.verbose {
		return err
	}
	bar.clear()
	return errors.Join(err, s.show(&out))
}

// fail looks into a failure, if it is one of the first of its oracle.
func (s *sweep) fail(ctx context.Context, a attempt, out *seedRun) error {
	v := repro.Verdict(&a.result)
	out.ExitCode, out.Oracle, out.Name, out.Step = exitOf(v), v.Oracle, v.Name, v.Step
	out.AtMS, out.Observer, out.Subject, out.What = time.Duration(v.At).Milliseconds(), v.Observer, v.Subject, v.What
	if s.reported[v.Oracle]++; s.reported[v.Oracle] <= keptByOracle {
		f, err := s.nodes.investigate(ctx, a.c, &a.result)
		if err != nil && ctx.Err() == nil {
			return err
		}
		if err == nil {
			same := f.deterministic()
			out.ExitCode, out.Deterministic = f.code, &same
			if out.Bundle, err = f.keep(s.dir); err != nil {
				fmt.Fprintln(s.log, "nekton: a bundle could not be written:", oneLine(err))
			}
		}
	}
	s.worst = worse(s.worst, out.ExitCode)
	return nil
}

// worse is the exit code that says more.
func worse(a, b int) int {
	for _, code := range []int{exitDiffers, exitUnsafe, exitNotLive, exitSlow, exitApart} {
		if a == code || b == code {
			return code
		}
	}
	return exitOK
}

func (s *sweep) show(r *seedRun) error {
	if s.json {
		return printJSON(s.w, r)
	}
	if r.OK {
		_, err := fmt.Fprintf(s.w, "ok   seed %d: %d nodes, %d steps, trace %s\n",
			r.Seed, r.Nodes, r.Steps, r.TraceHash)
		return err
	}
	_, err := fmt.Fprintf(s.w, "FAIL seed %d: %s %s at %v: %s\n", r.Seed, r.Oracle, r.Name, millis(r.AtMS), seen(r))
	if err == nil && r.Deterministic != nil && !*r.Deterministic {
		_, err = fmt.Fprintln(s.w, "     NOT DETERMINISTIC: a second run went another way")
	}
	if err == nil {
		_, err = fmt.Fprintf(s.w, "     %s\n", s.explainer(r))
	}
	return err
}

// explainer is the command that tells more about a failure. Of what is masked, explain takes only what is there.
func (s *sweep) explainer(r *seedRun) string {
	if r.Bundle != "" {
		return commandLine("sim", "explain", r.Bundle)
	}
	words := []string{"sim", "explain", "-swarm", s.swarm, "-seed", strconv.FormatUint(r.Seed, 10)}
	if c, err := sim.Swarm(r.Seed, s.swarm); err == nil {
		drawn := faultsOf(&c)
		mask := slices.Clone(s.changes.mask)
		mask = slices.DeleteFunc(mask, func(name string) bool { return !slices.Contains(drawn, name) })
		if len(mask) > 0 {
			words = append(words, "-mask", strings.Join(mask, ","))
		}
	}
	if s.changes.mutant != "" {
		words = append(words, "-mutant", s.changes.mutant)
	}
	if s.nodes.kind == "wasm" {
		words = append(words, "-guest", "wasm")
	}
	return commandLine(words...)
}

func seen(r *seedRun) string {
	if r.Subject == "" || r.Observer == "" {
		return r.What
	}
	return fmt.Sprintf("%s's view of %s: %s", r.Observer, r.Subject, r.What)
}
