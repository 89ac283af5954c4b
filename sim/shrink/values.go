package shrink

import (
	"slices"
	"time"

	"github.com/nekton-go/nekton/sim"
)

// lowerValues makes operations plainer, one by one: certain rather than probable, short, early, round.
func (s *Shrinker) lowerValues() {
	for i := range s.best.Ops {
		s.lower(i, "certain", func(op *sim.Op) { op.PPM = certain(op.PPM) })
		s.lower(i, "keeps its journal", func(op *sim.Op) { op.Lost = false })
		s.lower(i, "both ways", func(op *sim.Op) { op.OneWay = false })
		s.lower(i, "to the end", func(op *sim.Op) { op.Until = 0 })
		for s.lower(i, "shorter", func(op *sim.Op) {
			if op.Until > 0 {
				op.Until -= (op.Until - op.At) / 2
			}
		}) {
		}
		for s.lower(i, "less", func(op *sim.Op) { op.Extra /= 2 }) {
		}
		for s.lower(i, "smaller", func(op *sim.Op) {
			if op.Kind == sim.SetMeta { // see fillMeta
				op.Size /= 2
			}
		}) {
		}
		for _, unit := range []time.Duration{10 * time.Second, time.Second, 100 * time.Millisecond, time.Millisecond} {
			s.lower(i, "a round time", func(op *sim.Op) {
				op.At, op.Until = op.At.Round(unit), op.Until.Round(unit)
			})
		}
	}
}

// advance lets everything after the start happen sooner.
func (s *Shrinker) advance() {
	for s.running() {
		c := s.best
		c.Ops = slices.Clone(c.Ops)
		first := time.Duration(0) // of what is no start
		for _, op := range c.Ops {
			if op.Kind != sim.Start && op.Kind != sim.Join && op.At > 0 && (first == 0 || op.At < first) {
				first = op.At
			}
		}
		by := (first / 2).Truncate(time.Millisecond)
		for i := range c.Ops {
			if op := &c.Ops[i]; op.At >= first {
				op.At -= by
				op.Until = max(op.Until-by, 0)
			}
		}
		c.Mark, c.For = max(c.Mark-by, 0), c.For-by
		if by < 100*time.Millisecond || !s.trySmall("sooner", c) {
			return
		}
	}
}

// certain makes a probability certainty; 0 stays.
func certain(ppm int) int {
	if ppm == 0 {
		return 0
	}
	return 1_000_000
}

// lower tries one change of one operation.
func (s *Shrinker) lower(i int, why string, change func(*sim.Op)) bool {
	if i >= len(s.best.Ops) {
		return false
	}
	c := s.best
	c.Ops = slices.Clone(c.Ops)
	change(&c.Ops[i])
	before, after := &s.best.Ops[i], &c.Ops[i]
	same := before.At == after.At && before.Until == after.Until && before.PPM == after.PPM &&
		before.Extra == after.Extra && before.Size == after.Size && before.Lost == after.Lost &&
		before.OneWay == after.OneWay
	return !same && s.trySmall(why, c)
}

// lossesMax is how many named packets are plainer than a rate.
const lossesMax = 3

// nameLosses puts the packets that got lost in the place of the losses, and then leaves out those that did
// not matter. If too many did, the losses stay.
func (s *Shrinker) nameLosses() {
	before, result, c := s.best, s.result, s.best
	c.Ops = slices.DeleteFunc(slices.Clone(c.Ops), func(op sim.Op) bool { return op.Loses() })
	losses := len(before.Ops) - len(c.Ops)
	if losses == 0 {
		return
	}
	for _, p := range s.result.Lost {
		c.Ops = append(c.Ops, sim.Op{
			Kind: sim.Drop, Fault: "loss", Nodes: []int{p.From}, Peers: []int{p.To}, Nth: p.Nth,
		})
	}
	if s.try("named losses", c) {
		s.dropOps()
	}
	if len(s.best.Ops)-len(before.Ops) > lossesMax-losses {
		s.best, s.result = before, result
	}
}
