package repro

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nekton-go/nekton/internal/mutant"
	"github.com/nekton-go/nekton/sim"
	"github.com/nekton-go/nekton/sim/check"
	"github.com/nekton-go/nekton/sim/slice"
)

const disturbancesMax = 12 // that a report lists, the last before the violation

// A Report is all there is to say about a run that failed.
type Report struct {
	Case        sim.Case
	Violation   check.Violation
	More        int      // further violations of the same run
	Calls       []string // under way when a node panicked, innermost first
	Determinism string   // whether the same comes out again
	Described   bool     // who reads this has read before what the case is
	Shrunk      string   // what the case was made from; empty if it is as it was drawn
	Slice       slice.Slice
	Reproduce   string // the command that shows it again
}

// String is the report, for people who see such a thing for the first time.
func (r *Report) String() string {
	var b strings.Builder
	v := &r.Violation
	fmt.Fprintf(&b, "FAIL %s %s   seed=%d  step=%s  t=%v   (%s)\n", v.Oracle, v.Name, r.Case.Seed, thousands(v.Step),
		moment(time.Duration(v.At)), r.Determinism)
	if doc := doc(v.Oracle); doc != "" {
		fmt.Fprintf(&b, "  rule:     %s\n", doc)
	}
	row := v.Observer
	if v.Subject != "" {
		row += "'s view of " + v.Subject
	}
	if row != "" {
		row += ": "
	}
	fmt.Fprintf(&b, "  observed: %s%s\n", row, v.What)
	for _, line := range [...]struct{ label, text string }{
		{"expected", v.Expected}, {"handling", v.Cause}, {"before", v.Before},
	} {
		if line.text != "" {
			fmt.Fprintf(&b, "  %-9s %s\n", line.label+":", line.text)
		}
	}
	for _, call := range r.Calls {
		fmt.Fprintf(&b, "  in:       %s\n", call)
	}
	if r.More > 0 {
		fmt.Fprintf(&b, "  and then: %s more in the same run\n", count(r.More, "violation"))
	}
	if !r.Described {
		fmt.Fprintln(&b, Describe(&r.Case))
	}
	if r.Shrunk != "" {
		fmt.Fprintf(&b, "shrunk: %s\n", r.Shrunk)
	}
	b.WriteString(r.disturbances())
	if n := len(r.Slice.Lines); n > 0 {
		fmt.Fprintf(&b, "what led to it (%d of %s steps that can have):\n", n, thousands(uint64(r.Slice.Past)))
		for i, line := range r.Slice.Lines {
			mark := ""
			if i == n-1 && line.Step == v.Step {
				mark = "  <-- violates"
			}
			fmt.Fprintf(&b, "  %v%s\n", line, mark)
		}
	}
	if r.Reproduce != "" {
		fmt.Fprintf(&b, "reproduce: %s\n", r.Reproduce)
	}
	return b.String()
}

// disturbances lists the last operations that began before the violation, first of all those that befell who is
// in question. That members start and join is none.
func (r *Report) disturbances() string {
	var before []sim.Op
	for _, op := range r.Case.Ops {
		if op.Kind != sim.Start && op.Kind != sim.Join && op.At <= time.Duration(r.Violation.At) {
			before = append(before, op)
		}
	}
	if len(before) == 0 {
		return "what disturbed it: nothing\n"
	}
	slices.SortStableFunc(before, func(a, b sim.Op) int { return cmp.Compare(a.At, b.At) })
	slices.SortStableFunc(before, func(a, b sim.Op) int { return cmp.Compare(r.weight(&a), r.weight(&b)) })
	var b strings.Builder
	b.WriteString("what disturbed it:\n")
	if left := len(before) - disturbancesMax; left > 0 {
		fmt.Fprintf(&b, "  (and %d more before: see case.json)\n", left)
		before = before[left:]
	}
	slices.SortStableFunc(before, func(a, b sim.Op) int { return cmp.Compare(a.At, b.At) })
	for _, op := range before {
		name := ""
		if op.Fault != "" && op.Fault != op.Kind.String() {
			name = "  (" + op.Fault + ")"
		}
		at := op.At
		if op.Until == 0 || op.Until-op.At > time.Millisecond { // shorter ones would seem to take no time
			at, op.Until = moment(op.At), moment(op.Until)
		}
		fmt.Fprintf(&b, "  t=%-9v %v%s\n", at, op, name)
	}
	return b.String()
}

// weight says how likely an operation matters: faults more than what members do, and of each those more that name
// the observer or the subject.
func (r *Report) weight(op *sim.Op) int {
	weight := 0
	if op.IsFault() {
		weight = 2
	}
	for _, name := range [...]string{r.Violation.Observer, r.Violation.Subject} {
		if i := check.Index(name); slices.Contains(op.Nodes, i) || slices.Contains(op.Peers, i) {
			return weight + 1
		}
	}
	return weight
}

// Describe puts a case on one line: its members, its faults, and what is not as in swim.LAN.
func Describe(c *sim.Case) string {
	parts := []string{fmt.Sprintf("%s: %s for %v", c.Name, count(c.Nodes, "node"), moment(c.For))}
	var faults []string
	times := map[string]int{}
	for _, op := range c.Ops {
		if !op.IsFault() {
			continue
		}
		name := op.Fault
		if name == "" {
			name = op.Kind.String()
		}
		if times[name]++; times[name] == 1 {
			faults = append(faults, name)
		}
	}
	slices.Sort(faults)
	for i, name := range faults {
		if times[name] > 1 {
			faults[i] += " ×" + strconv.Itoa(times[name])
		}
	}
	if len(faults) > 0 {
		parts = append(parts, "faults "+strings.Join(faults, ", "))
	}
	if tuned := c.Tuned(); len(tuned) > 0 {
		parts = append(parts, "tuned "+strings.Join(tuned, ", "))
	}
	if c.Swim.Mutant != mutant.None {
		parts = append(parts, "MUTANT "+c.Swim.Mutant.String())
	}
	return strings.Join(parts, "; ")
}

func doc(oracle string) string {
	for _, info := range check.Oracles() {
		if info.ID == oracle {
			return info.Doc
		}
	}
	return ""
}

// moment rounds what people need not know to the nanosecond.
func moment(d time.Duration) time.Duration {
	if d < time.Second {
		return d.Round(time.Microsecond)
	}
	return d.Round(time.Millisecond)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// thousands writes 48112 as 48,112.
func thousands(n uint64) string {
	text := strconv.FormatUint(n, 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
