package accept

import (
	"errors"
	"fmt"

	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/sim"
	"github.com/nekton-go/nekton/sim/check"
)

// A Gate is one figure that must lie between two others.
type Gate struct {
	Name     string  `json:"name"`
	Expected float64 `json:"expected"` // by theory; of bounds, the bound
	Low      float64 `json:"low"`      // the least that passes
	High     float64 `json:"high"`     // the most that passes
	Measured float64 `json:"measured"`
	OK       bool    `json:"ok"`
}

// A Table is figures side by side, for people.
type Table struct {
	Title string
	Rows  [][]string // the first names the columns
}

// A Report is what a suite found.
type Report struct {
	Gates  []Gate
	Tables []Table
}

// OK reports whether every gate is passed.
func (r *Report) OK() bool {
	for i := range r.Gates {
		if !r.Gates[i].OK {
			return false
		}
	}
	return true
}

// A Run is one simulation of a suite. Runs know nothing of each other: they may be made in any order and at
// the same time.
type Run struct {
	Name string
	Make func() error
}

// A Suite is simulations and what to conclude from them.
type Suite struct {
	Runs []Run

	fold    []func(*Report)
	ordeals map[ordeal][]harm // looked up only
}

// Report draws the conclusions, once every run has been made.
func (s *Suite) Report() Report {
	var r Report
	for _, fold := range s.fold {
		fold(&r)
	}
	return r
}

// around adds the gate that measured lies within tolerance of expected; tolerance is a fraction.
func (r *Report) around(name string, expected, tolerance, measured float64) {
	off := float64(expected * tolerance)
	r.between(name, expected, expected-off, expected+off, measured)
}

// between adds the gate that measured lies between low and high.
func (r *Report) between(name string, expected, low, high, measured float64) {
	r.Gates = append(r.Gates, Gate{name, expected, low, high, measured, low <= measured && measured <= high})
}

// A watcher follows one run. Members of it that are nil are not called.
type watcher struct {
	step func(*sim.Step)
	done func() bool // enough has been seen
}

// simulate makes one run. Whatever a suite measures, it measures of runs in which no rule is broken.
func simulate(c sim.Case, w watcher) (sim.Result, error) {
	r, err := sim.Simulate(c, sim.Harness{Watch: w.step, Stop: w.done})
	if err != nil && !errors.Is(err, sim.ErrStopped) {
		return r, fmt.Errorf("%s: %w", c.Name, err)
	}
	for i := range r.Violations {
		if !r.Violations[i].Liveness() { // runs end in the middle of things: views need not agree
			return r, fmt.Errorf("%s, seed %d: %v", c.Name, c.Seed, r.Violations[i])
		}
	}
	return r, nil
}

// add plans n runs of one kind, each with a seed of its own, from 1.
func (s *Suite) add(name string, n int, run func(k int, seed uint64) error) {
	for k := range n {
		seed := uint64(k + 1)
		s.Runs = append(s.Runs, Run{
			Name: fmt.Sprintf("%s, seed %d", name, seed),
			Make: func() error { return run(k, seed) },
		})
	}
}

// conclude adds what to do with the measurements once they are there.
func (s *Suite) conclude(fold func(*Report)) { s.fold = append(s.fold, fold) }

// plain is what the SWIM paper has and no more: Lifeguard is off, and so are our own additions that would
// answer for a lost packet.
func plain() swim.Config {
	c := swim.LAN()
	c.HealthMax, c.SuspicionScale, c.NoBuddy, c.NoStreamPing = 0, 1, true, true
	return c
}

// subject is the number of the member of that name.
func subject(name string) int { return check.Index(name) }
