// Package shrink makes a failing run small: fewer members, fewer faults, less time, plainer values.
//
//	s := shrink.Shrinker{Run: func(c sim.Case) (sim.Result, error) {
//		return sim.Simulate(c, sim.Harness{FirstOnly: true})
//	}}
//	small, err := s.Shrink(failing)
//
// A candidate is taken if, and only if, the same oracle is the first to complain. Everything is tried that
// makes a case plainer, cheapest first, over and over until nothing helps or the budget is spent: leave out
// whole faults, cut off what comes after the failure, leave out operations (delta debugging: Zeller and
// Hildebrandt, 2002), leave out members, let fewer of them say more, name the packets that a loss took, lower
// values, go back to the default configuration. Draws are keyed, so most candidates are close to the original.
// Where a smaller case needs other luck, a few other seeds are tried.
//
// The result is valid at any time: a stopped search returns the smallest case it knows. It is called after the case
// that it was made from: no swarm draws it, from this seed or that.
package shrink

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nekton-go/nekton/sim"
)

// A Shrinker makes cases small.
type Shrinker struct {
	// Run simulates a case, ending at the first breach. An error ends the search.
	Run func(sim.Case) (sim.Result, error)
	// Stop is asked before every run whether the budget is spent; nil never ends the search.
	Stop func() bool
	// Progress, if not nil, is told of every smaller case.
	Progress func(why string, c sim.Case)

	name   string // of what is smaller
	best   sim.Case
	result sim.Result    // of best
	oracle string        // that must complain
	late   bool          // it complains only once the faults are over and all should be well
	calm   time.Duration // then: from the last disturbance to the end
	luck   uint64        // how many seeds to try
	runs   int
	err    error
}

// shrunk is how the name of a case begins that a search has made.
const shrunk = "shrunk from "

// ErrPasses says that there is nothing to shrink.
var ErrPasses = errors.New("this case does not fail")

const (
	littleLuck      = 12  // other seeds that are tried at first where a smaller case passes
	muchLuck        = 768 // likewise at last, if the case is not small by then
	seedsToRenumber = 200 // likewise, for what makes the greatest difference to readers
	small           = 4   // members, or faults, that a reader can hold in the head
)

// Shrink returns the smallest case it finds that fails as c does. If Run fails it returns that error beside
// the smallest case so far; ErrPasses, and c, if c does not fail at all.
func (s *Shrinker) Shrink(c sim.Case) (sim.Case, error) {
	s.best, s.runs, s.err = c, 0, nil
	if s.result, s.err = s.run(c); s.err != nil {
		return c, s.err
	}
	if s.oracle = s.result.Broken(); s.oracle == "" {
		return c, fmt.Errorf("%w: %s, seed %d", ErrPasses, c.Name, c.Seed)
	}
	if s.name = c.Name; !strings.HasPrefix(c.Name, shrunk) {
		s.name = fmt.Sprintf("%s%s, seed %d", shrunk, c.Name, c.Seed)
	}
	s.late, s.calm = late(&c, &s.result), c.For-c.Mark
	s.truncate()
	for s.luck = littleLuck; s.luck <= muchLuck; s.luck *= 8 {
		s.reduce()
		if started(&s.best) <= small && s.best.Faults() <= small {
			break
		}
	}
	return s.best, s.err
}

// reduce makes all passes, until none of them helps any more.
func (s *Shrinker) reduce() {
	for before := -1; s.running() && before != size(&s.best); {
		before = size(&s.best)
		for _, pass := range []func(){
			s.maskFaults, s.keepFewMembers, s.fillMeta, s.dropOps, s.dropMembers, s.renumber, s.nameLosses,
			s.resetConfig, s.advance, s.lowerValues,
		} {
			pass()
			s.truncate()
		}
	}
}

// Runs is how many cases the last search simulated.
func (s *Shrinker) Runs() int { return s.runs }

// Result is how the case that Shrink returned went.
func (s *Shrinker) Result() sim.Result { return s.result }

func (s *Shrinker) running() bool { return s.err == nil && (s.Stop == nil || !s.Stop()) }

func (s *Shrinker) run(c sim.Case) (sim.Result, error) {
	s.runs++
	return s.Run(c)
}

// try takes a candidate if it fails in the same way.
func (s *Shrinker) try(why string, c sim.Case) bool {
	if !s.running() || c.Validate() != nil {
		return false
	}
	c.Name = s.name
	r, err := s.run(c)
	if err != nil {
		s.err = err
		return false
	}
	if r.Broken() != s.oracle {
		return false
	}
	if !s.late {
		end(&c, min(c.For, failure(&r)))
	}
	s.best, s.result = c, r
	if s.Progress != nil {
		s.Progress(why, c)
	}
	return true
}

// trySmall is tryLuck where runs have become cheap, and try where they have not.
func (s *Shrinker) trySmall(why string, c sim.Case) bool {
	if started(&s.best) > small && s.luck == littleLuck {
		return s.try(why, c)
	}
	return s.tryLuck(why, c, s.luck)
}

// tryLuck is try, and if that fails the same with other seeds.
func (s *Shrinker) tryLuck(why string, c sim.Case, seeds uint64) bool {
	if !s.late {
		c.For *= 4 // other luck may take longer; what is too much is cut off again
	}
	if s.try(why, c) {
		return true
	}
	for k := range seeds {
		c.Seed = s.best.Seed + 1 + k
		if s.try(why, c) {
			return true
		}
	}
	return false
}

// size orders cases: what counts first weighs most.
func size(c *sim.Case) int {
	values := 0
	for i := range c.Ops {
		values += len(c.Ops[i].Nodes) + len(c.Ops[i].Peers)
	}
	return started(c)*1_000_000 + c.Faults()*10_000 + len(c.Ops)*100 + values + len(c.Tuned()) + int(c.For/time.Second)
}

// started counts the members that ever run.
func started(c *sim.Case) int { return len(starters(c)) }

// starters lists them, in order. Who crashes starts at the end of that, even if it did not run before.
func starters(c *sim.Case) (all []int) {
	for i := range c.Ops {
		if op := &c.Ops[i]; op.Kind == sim.Start || op.Kind == sim.Crash && op.Until > 0 {
			all = append(all, op.Nodes...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
