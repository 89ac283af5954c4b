package shrink

import (
	"slices"
	"time"

	"github.com/nekton-go/nekton/sim"
)

// maskFaults leaves out whole entries of the catalogue.
func (s *Shrinker) maskFaults() {
	s.try("no faults", s.best.Without(faults(&s.best)...))
	for _, name := range faults(&s.best) {
		s.try("without "+name, s.best.Without(name))
	}
}

// faults lists the names of a case's faults.
func faults(c *sim.Case) (names []string) {
	for i := range c.Ops {
		if f := c.Ops[i].Fault; f != "" && !slices.Contains(names, f) {
			names = append(names, f)
		}
	}
	return names
}

// truncate cuts off what comes after the failure.
func (s *Shrinker) truncate() {
	c := s.best
	c.Ops = slices.Clone(c.Ops)
	if !s.late {
		end(&c, failure(&s.result))
		c.Ops = slices.DeleteFunc(c.Ops, func(op sim.Op) bool { return op.At > c.For })
		if c.For < s.best.For || len(c.Ops) < len(s.best.Ops) {
			s.try("ends at the failure", c)
		}
		return
	}
	last := time.Duration(0)
	for _, op := range c.Ops {
		last = max(last, op.At, op.Until)
	}
	if c.Mark, c.For = last, last+s.calm; c.For < s.best.For {
		s.try("calm after the last disturbance", c)
	}
}

// end truncates a case: nothing after the breach matters, nor whether members agree in the end.
func end(c *sim.Case, at time.Duration) {
	c.For, c.Mark, c.Within, c.Search, c.Truncated = at, min(c.Mark, at), 0, 0, true
}

// late says whether it took until members should have recovered for a run to fail.
func late(c *sim.Case, r *sim.Result) bool {
	if c.Truncated {
		return false
	}
	return !r.Unsafe() || failure(r) > min(c.For, c.Mark+c.Within)
}

// failure is just after the first breach.
func failure(r *sim.Result) time.Duration {
	return time.Duration(r.Violations[0].At) + 1
}

// dropOps is delta debugging over the schedule: leave out chunks, from halves down to single operations.
func (s *Shrinker) dropOps() {
	for chunk := (len(s.best.Ops) + 1) / 2; chunk > 0; chunk /= 2 {
		for at := 0; at < len(s.best.Ops) && s.running(); {
			c := s.best
			c.Ops = s.cut(at, min(at+chunk, len(c.Ops)))
			if len(c.Ops) == len(s.best.Ops) || !s.trySmall("fewer operations", c) {
				at += chunk
			}
		}
	}
}

// cut is the schedule without what it has from one place to another. Members that never joined cannot agree:
// if that is what failed, they join still.
func (s *Shrinker) cut(from, to int) (ops []sim.Op) {
	for i, op := range s.best.Ops {
		if i < from || i >= to || s.late && (op.Kind == sim.Start || op.Kind == sim.Join) {
			ops = append(ops, op)
		}
	}
	return ops
}

// fillMeta has members that change their metadata take all the room there is, for where it takes large datagrams to
// fail, fewer members will do. If they do not, nothing has changed.
func (s *Shrinker) fillMeta() {
	before, result, c := s.best, s.result, s.best
	full, more := c.Swim.Defaulted().MetaMax, false
	c.Ops = slices.Clone(c.Ops)
	for i := range c.Ops {
		if op := &c.Ops[i]; op.Kind == sim.SetMeta && (op.Size < full || op.Text != "") {
			op.Size, op.Text, more = full, "", true
		}
	}
	if !more || started(&c) <= small || !s.try("full metadata", c) {
		return
	}
	if s.keepFewMembers(); started(&s.best) == started(&before) {
		s.best, s.result = before, result
	}
}

// keepFewMembers tries the smallest clusters that have the members of the complaint in them.
func (s *Shrinker) keepFewMembers() {
	all := starters(&s.best)
	named := s.result.Blamed()
	others := slices.DeleteFunc(slices.Clone(all), func(i int) bool { return slices.Contains(named, i) })
	for size := range 4 {
		for at := 0; at+size <= min(len(others), 3); at++ {
			keep := append(slices.Clone(named), others[at:at+size]...)
			gone := slices.DeleteFunc(slices.Clone(all), func(i int) bool { return slices.Contains(keep, i) })
			if len(gone) > 0 && s.tryLuck("few members", without(s.best, gone), s.luck) {
				return
			}
		}
	}
}

// dropMembers leaves out members, from halves down to one.
func (s *Shrinker) dropMembers() {
	for chunk := (started(&s.best) + 1) / 2; chunk > 0; chunk /= 2 {
		for at := 0; s.running(); {
			all := starters(&s.best)
			if at >= len(all) || len(all) < 2 {
				break
			}
			c := without(s.best, all[at:min(at+chunk, len(all))])
			if !s.trySmall("fewer members", c) {
				at += chunk
			}
		}
	}
}

// without is a case in which some members never run and nothing happens to them.
func without(c sim.Case, gone []int) sim.Case {
	var ops []sim.Op
	left := except(starters(&c), gone)
	for _, op := range c.Ops {
		if op.Kind == sim.Join {
			op.Peers = sponsors(&op, left)
		}
		nodes, peers := except(op.Nodes, gone), except(op.Peers, gone)
		if len(op.Nodes) > 0 && len(nodes) == 0 || len(op.Peers) > 0 && len(peers) == 0 {
			continue // none of those are left; to leave the list empty would mean all
		}
		op.Nodes, op.Peers = nodes, peers
		ops = append(ops, op)
	}
	c.Ops = ops
	return c
}

// sponsors are the members by way of which a join still works.
func sponsors(op *sim.Op, left []int) []int {
	kept := slices.DeleteFunc(slices.Clone(op.Peers), func(i int) bool { return !slices.Contains(left, i) })
	if others := except(left, op.Nodes); len(kept) == 0 && len(others) > 0 {
		return others[:1]
	}
	return kept
}

func except(list, gone []int) []int {
	return slices.DeleteFunc(slices.Clone(list), func(i int) bool { return slices.Contains(gone, i) })
}

// renumber calls the members that are left n0, n1 and so on.
func (s *Shrinker) renumber() {
	left := starters(&s.best)
	if len(left) == s.best.Nodes || len(left) == 0 {
		return
	}
	s.try("no empty places at the end", resized(s.best, left[len(left)-1]+1))
	c := resized(s.best, len(left))
	c.Ops = slices.Clone(c.Ops)
	for i := range c.Ops {
		op := &c.Ops[i]
		op.Nodes, op.Peers = renumbered(op.Nodes, left), renumbered(op.Peers, left)
	}
	if c.Victim >= 0 {
		c.Victim = slices.Index(left, c.Victim)
	}
	s.tryLuck("members counted anew", c, seedsToRenumber)
}

func resized(c sim.Case, nodes int) sim.Case {
	c.Nodes = nodes
	return c
}

func renumbered(list, left []int) []int {
	out := make([]int, 0, len(list))
	for _, i := range list {
		if k := slices.Index(left, i); k >= 0 {
			out = append(out, k)
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// resetConfig goes back to the default configuration, all at once or field by field.
func (s *Shrinker) resetConfig() {
	tuned := s.best.Tuned()
	if len(tuned) == 0 || s.tryLuck("default configuration", s.best.Untuned(tuned...), s.luck) {
		return
	}
	for _, field := range tuned {
		s.trySmall("default "+field, s.best.Untuned(field))
	}
}
