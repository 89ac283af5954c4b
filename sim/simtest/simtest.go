// Package simtest runs simulations as Go tests: of the members of this module, of an application's own
// machines on top of them, or of any node at all.
//
//	func TestRegister(t *testing.T) {
//		simtest.Run(t, simtest.Test{
//			Harness: sim.Harness{NewNode: newNode, Command: command, Oracles: []sim.NewOracle{agree}},
//			Case:    workload,
//		})
//	}
//
// Every seed is one run of ten virtual minutes, of a cluster and faults that the seed decides. The first that
// fails is made small (package shrink), and written to testdata/sim/TestRegister, as go test -fuzz does with
// what it finds: cases there run first, every time, so a bug that was found once stays found. The test's log
// says what broke, shows the small schedule, and ends in the one line that runs it again.
//
// Flags of the test binary:
//
//	-sim.seeds A:B   seeds A to B-1, in place of Test.Seeds
//	-sim.shrink 10s  how long to search for a smaller case; 0 not at all
package simtest

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nekton-go/nekton/sim"
	"github.com/nekton-go/nekton/sim/shrink"
)

var (
	seedsFlag  = flag.String("sim.seeds", "", "seeds to simulate, `A:B` for A to B-1; default: the test's own")
	shrinkFlag = flag.Duration("sim.shrink", 10*time.Second, "how long to search for a smaller failing case")
)

// A Test says what to simulate. Its zero value simulates 20 swarms of plain members.
type Test struct {
	sim.Harness // what nodes are made of, who watches, what commands mean

	// Case makes the run of a seed; default: Swarm. It may start from sim.Swarm and add operations of its own.
	Case func(seed uint64) (sim.Case, error)
	// Swarm is the kind of swarm to draw, one of sim.Profiles; default "default".
	Swarm string
	// Seeds are those to run if -sim.seeds does not say, "A:B" for A to B-1; default "0:20".
	Seeds string
}

// Run simulates the cases in testdata/sim/NAME, each as a subtest of its own, and then every seed until one
// fails; the seeds are left out if -run asks for one of those subtests. It ends the test by t.Fatal if a seed
// fails, or cannot be simulated, and if Seeds or -sim.seeds make no sense. Harnesses are used for one run after
// the other, never for two at one time.
func Run(t *testing.T, s Test) {
	first, end, err := seeds(*seedsFlag, s.Seeds)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join("testdata", "sim", filepath.FromSlash(t.Name()))
	files, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	asked := false
	for _, file := range files {
		if name, ok := strings.CutSuffix(file.Name(), ".json"); ok {
			t.Run(name, func(t *testing.T) {
				asked = below(t.Name())
				s.file(t, filepath.Join(dir, file.Name()))
			})
		}
	}
	if asked {
		return
	}
	if report, err := s.hunt(t.Name(), dir, first, end); err != nil {
		t.Fatal(err)
	} else if report != "" {
		t.Fatal(report)
	}
}

// below reports whether -run names a subtest by all parts of its name, and not only what it is part of.
func below(name string) bool {
	return strings.Count(flag.Lookup("test.run").Value.String(), "/") >= strings.Count(name, "/")
}

// hunt simulates seeds until one fails, and then says all there is to say about it.
func (s *Test) hunt(name, dir string, first, end uint64) (report string, err error) {
	for seed := first; seed < end; seed++ {
		c, err := s.make(seed)
		if err != nil {
			return "", fmt.Errorf("seed %d: %w", seed, err)
		}
		r, err := s.simulate(c)
		if err != nil {
			return "", fmt.Errorf("seed %d: %w", seed, err)
		}
		if r.Broken() != "" {
			return s.report(name, dir, seed, c, r), nil
		}
	}
	return "", nil
}

// file runs one case that failed once.
func (s *Test) file(t *testing.T, file string) {
	report, err := s.again(file)
	if err != nil {
		t.Fatal(err)
	}
	if report != "" {
		t.Error(report)
	}
}

// again runs a case that is kept, and says how it still fails, if it does.
func (s *Test) again(file string) (report string, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	var c sim.Case
	if err := json.Unmarshal(text, &c); err != nil {
		return "", fmt.Errorf("%s: %w; if it is from another version, delete it", file, err)
	}
	r, err := s.simulate(c)
	if err != nil || r.Broken() == "" {
		return "", err
	}
	return fmt.Sprintf("%s still fails:\n%s%s", file, describe(&r), schedule(&c)), nil
}

// make is the case of a seed.
func (s *Test) make(seed uint64) (sim.Case, error) {
	if s.Case != nil {
		return s.Case(seed)
	}
	swarm := s.Swarm
	if swarm == "" {
		swarm = "default"
	}
	return sim.Swarm(seed, swarm)
}

func (s *Test) simulate(c sim.Case) (sim.Result, error) {
	h := s.Harness
	h.FirstOnly = true
	return sim.Simulate(c, h)
}

// report makes a failing case small, keeps it, and describes both.
func (s *Test) report(name, dir string, seed uint64, c sim.Case, r sim.Result) string {
	began := time.Now()
	search := shrink.Shrinker{Run: s.simulate, Stop: func() bool { return time.Since(began) >= *shrinkFlag }}
	small, err := search.Shrink(c)
	var b strings.Builder
	if result := search.Result(); err == nil && result.Broken() == r.Broken() {
		r = result
	}
	fmt.Fprintf(&b, "seed %d fails:\n%s", seed, describe(&r))
	if err != nil {
		fmt.Fprintf(&b, "the search for a smaller case ended early: %v\n", err)
	}
	fmt.Fprintf(&b, "shrunk from %d members and %d faults to %d and %d:\n%s",
		c.Nodes, c.Faults(), small.Nodes, small.Faults(), schedule(&small))
	kept := fmt.Sprintf("%s-%d", strings.Trim(notInNames.ReplaceAllString(r.Broken(), "-"), "-"), seed)
	if err := keep(filepath.Join(dir, kept+".json"), small); err != nil {
		fmt.Fprintf(&b, "cannot keep the smaller case: %v\n", err)
		fmt.Fprintf(&b, "reproduce: %s -sim.seeds=%d:%d", command(name), seed, seed+1)
	} else {
		fmt.Fprintf(&b, "kept as %s\n", filepath.Join(dir, kept+".json"))
		fmt.Fprintf(&b, "reproduce: %s", command(name+"/"+kept))
	}
	return b.String()
}

// notInNames is what names of files and tests do without: applications call their oracles as they like.
var notInNames = regexp.MustCompile(`[^A-Za-z0-9]+`)

// command runs one test of this package, from anywhere in its module.
func command(name string) string {
	pkg := "."
	if info, ok := debug.ReadBuildInfo(); ok && strings.HasSuffix(info.Path, ".test") {
		pkg = strings.TrimSuffix(info.Path, ".test")
	}
	parts := strings.Split(name, "/")
	for i, part := range parts {
		parts[i] = "^" + regexp.QuoteMeta(part) + "$"
	}
	return fmt.Sprintf("go test %s -run '%s'", pkg, strings.Join(parts, "/"))
}

// keep writes a case where Run looks for it.
func keep(file string, c sim.Case) error {
	text, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o666)
}

// describe says what broke first.
func describe(r *sim.Result) string {
	if r.Unsafe() {
		return fmt.Sprintln(r.Violations[0])
	}
	return strings.Join(r.Disagree, "\n") + "\n"
}

// schedule shows what happens in a case, a line each.
func schedule(c *sim.Case) string {
	var b strings.Builder
	ops := slices.Clone(c.Ops)
	slices.SortStableFunc(ops, func(a, b sim.Op) int { return int(a.At - b.At) })
	for _, op := range ops {
		fmt.Fprintf(&b, "  t=%-8v %v\n", op.At, op)
	}
	return b.String()
}

var errSeeds = errors.New("write -sim.seeds=A:B for seeds A to B-1")

// seeds reads a range; the first text that is not empty counts.
func seeds(texts ...string) (first, end uint64, err error) {
	for _, text := range append(texts, "0:20") {
		if text == "" {
			continue
		}
		a, b, _ := strings.Cut(text, ":")
		if first, err = strconv.ParseUint(a, 10, 64); err != nil {
			return 0, 0, errSeeds
		}
		if end, err = strconv.ParseUint(b, 10, 64); err != nil || end <= first {
			return 0, 0, errSeeds
		}
		break
	}
	return first, end, nil
}
