package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/nekton-go/nekton/internal/mutant"
	"github.com/nekton-go/nekton/sim"
)

func newSimSweep() *cobra.Command {
	c := &cobra.Command{
		Use:   "sweep",
		Short: "Run many seeds of a swarm, as many at a time as there are processors",
		Long: "Run many seeds of a swarm, as many at a time as there are processors. Failures are shown as they\n" +
			"are found, in the order of their seeds; the first ten of each oracle are run again, explained\n" +
			"and kept in bundles. The last line sums up. An interrupt, and a budget that is spent, end the\n" +
			"sweep with what was learnt so far.\n\n" +
			"With every sweep runs a canary: a run with a bug that any oracle must notice. If none does, the\n" +
			"sweep proves nothing and exits with 13. Other exit codes: nekton help sim.",
		Example: "  nekton sim sweep -seeds 0:1000\n" +
			"  nekton sim sweep -seeds 0: -budget 20m -stop-after 1\n" +
			"  nekton sim sweep -seeds 0:100000 -shard 3/8 -json -out results.jsonl",
		Args: noArgs,
	}
	s := sweep{memory: 4 << 30}
	f := c.Flags()
	f.Var(&s.seeds, "seeds", "seeds to run, `from:to`, without the last; from: goes on until something ends it")
	shard := f.String("shard", "", "`i/k` to run only every k-th seed, beginning with the i-th, counted from 0")
	f.IntVarP(&s.jobs, "jobs", "j", runtime.GOMAXPROCS(0), "`number` of runs at a time")
	f.StringVar(&s.swarm, "swarm", "default", "`kind` of swarm: "+strings.Join(sim.Profiles(), ", "))
	s.changes.defineChanges(f)
	nodes := defineNodes(f)
	f.BoolVar(&s.json, "json", false, "print JSON: an object for each failing seed, and one that sums up")
	f.BoolVarP(&s.verbose, "verbose", "v", false, "print seeds that are ok as well")
	out := f.String("out", "", "`file` to append a JSON object for each seed to")
	f.StringVar(&s.dir, "bundles", bundlesDir, "`directory` for bundles; empty for none")
	f.IntVar(&s.stopAfter, "stop-after", 0, "`number` of failures to end after; default: go on")
	f.DurationVar(&s.budget, "budget", 0, "`time` to end after, such as 20m; default: go on")
	f.Var(&s.memory, "memory", "`size` of memory to end at, such as 4GiB")
	f.BoolVar(&s.cover, "cover", false, "exit with 13 if something was never tried")
	c.RunE = func(c *cobra.Command, _ []string) (err error) {
		if err := s.validate(*shard); err != nil {
			return misuse(err)
		}
		if *out != "" {
			if s.records, err = openRecords(*out); err != nil {
				return misuse(err)
			}
			defer func() { err = errors.Join(err, infra(s.records.close())) }()
		}
		if s.nodes, err = nodes.open(c.Context()); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, s.nodes.close(context.WithoutCancel(c.Context()))) }()
		s.w, s.log = c.OutOrStdout(), c.ErrOrStderr()
		return s.run(c.Context())
	}
	return c
}

// sweep is one call of sim sweep.
type sweep struct {
	seeds     seedRange
	jobs      int
	swarm     string
	changes   caseFlags
	nodes     *simNodes
	json      bool
	verbose   bool
	dir       string
	stopAfter int
	budget    time.Duration
	memory    byteSize
	cover     bool
	records   *records
	w, log    io.Writer

	total    summary
	worst    int
	covered  coverage
	reported map[string]int // failures so far, by oracle
}

// summary is the last line of a sweep.
type summary struct {
	Seeds           int      `json:"seeds"`
	OK              int      `json:"ok"`
	Failed          int      `json:"failed"`
	VirtualMS       int64    `json:"virtual_ms"`
	WallMS          int64    `json:"wall_ms"`
	SeedsPerS       float64  `json:"seeds_per_s"`
	CoverageMissing []string `json:"coverage_missing"` // what was never tried or never happened
	Canary          bool     `json:"canary"`           // the run that must fail did
}

func (s *sweep) validate(shard string) error {
	if err := s.seeds.shardOf(shard); err != nil {
		return err
	}
	switch {
	case s.seeds.to == 0:
		return errors.New("say which -seeds, such as 0:1000")
	case s.jobs < 1:
		return fmt.Errorf("-jobs %d: use 1 or more", s.jobs)
	case s.stopAfter < 0 || s.budget < 0:
		return errors.New("-stop-after and -budget must not be negative")
	}
	c, err := s.draw(s.seeds.from)
	if err == nil {
		err = c.Validate()
	}
	return err
}

// draw is the case of a seed. Only what is no fault at all is refused: seeds have different ones.
func (s *sweep) draw(seed uint64) (sim.Case, error) {
	c, err := sim.Swarm(seed, s.swarm)
	if err != nil {
		return c, err
	}
	for _, name := range s.changes.mask {
		if !isFault(name) {
			return c, fmt.Errorf("-mask: no fault is called %q; see: nekton sim list faults", name)
		}
	}
	c = c.Without(s.changes.mask...)
	return c, mutate(&c, s.changes.mutant)
}

func isFault(name string) bool {
	for _, f := range sim.Catalogue() {
		if f.Name == name {
			return true
		}
	}
	return false
}

// Why a sweep ends before its last seed.
var (
	errEnough = errors.New("enough failures")
	errTime   = errors.New("the time budget is spent")
	errMemory = errors.New("the memory budget is spent")
)

func (s *sweep) run(parent context.Context) error {
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	if s.budget > 0 {
		timer := time.AfterFunc(s.budget, func() { cancel(errTime) })
		defer timer.Stop()
	}
	defer s.memory.watch(func() { cancel(errMemory) })()
	defer collectLess()()
	start := time.Now()
	s.reported, s.covered = map[string]int{}, coverage{}
	if err := s.canary(parent); err != nil {
		return err
	}
	bar := newProgress(s.log, s.seeds.count())
	err := s.collect(ctx, cancel, bar)
	bar.clear()
	s.total.WallMS = time.Since(start).Milliseconds()
	s.total.SeedsPerS = perSecond(s.total.Seeds, time.Since(start))
	s.total.CoverageMissing = s.covered.missing()
	return s.conclude(parent, context.Cause(ctx), err)
}

// canary runs a bug that any oracle must notice, with the first seed.
func (s *sweep) canary(ctx context.Context) error {
	c, err := sim.Swarm(s.seeds.from, s.swarm)
	if err != nil {
		return err
	}
	c.Swim.Mutant = mutant.Canary
	r, err := s.nodes.simulate(ctx, c, sim.Harness{FirstOnly: true})
	s.total.Canary = err == nil && !r.OK
	return err
}

// conclude sums up and finds the exit code: what was found counts most, then what stood in the way.
func (s *sweep) conclude(parent context.Context, cause, err error) error {
	if s.json {
		err = errors.Join(err, printJSON(s.w, &s.total))
	} else {
		s.print()
	}
	switch {
	case s.worst != exitOK:
		if err != nil {
			fmt.Fprintln(s.log, "nekton:", oneLine(err))
		}
		return exitWith(s.worst)
	case err != nil:
		return infra(err)
	case parent.Err() != nil:
		return &exitError{exitInterrupted, errors.New("interrupted")}
	case errors.Is(cause, errTime) && s.seeds.to == openEnd && s.total.Seeds > 0:
	case errors.Is(cause, errTime), errors.Is(cause, errMemory):
		return &exitError{exitBudget, cause}
	}
	switch {
	case !s.total.Canary:
		return &exitError{exitUncovered, errors.New("no oracle noticed the canary: what they say means nothing")}
	case s.cover && len(s.total.CoverageMissing) > 0:
		return &exitError{exitUncovered, fmt.Errorf("never seen: %s", strings.Join(s.total.CoverageMissing, ", "))}
	}
	return nil
}

// missingShown is how much of what a sweep missed is shown to who does not ask.
const missingShown = 5

func (s *sweep) print() {
	t := &s.total
	fmt.Fprintf(s.w, "%s: %d ok, %d failed; %v of virtual time in %v, %.1f seeds/s\n", count(t.Seeds, "seed"),
		t.OK, t.Failed, millis(t.VirtualMS), millis(t.WallMS), t.SeedsPerS)
	switch missing := t.CoverageMissing; {
	case len(missing) > missingShown:
		shown := strings.Join(missing[:missingShown], ", ")
		fmt.Fprintf(s.w, "never seen: %s, and %d more (-cover lists them)\n", shown, len(missing)-missingShown)
	case len(missing) > 0:
		fmt.Fprintf(s.w, "never seen: %s\n", strings.Join(missing, ", "))
	}
	if t.Canary {
		fmt.Fprintln(s.w, "canary: noticed")
	} else {
		fmt.Fprintln(s.w, "canary: NOT NOTICED")
	}
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func perSecond(n int, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	tenths := int64(n) * int64(10*time.Second) / int64(d)
	return float64(tenths) / 10
}
