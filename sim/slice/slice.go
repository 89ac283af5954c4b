// Package slice finds what led to one step of a run: its causal slice. Step b can depend on step a only if a
// happened before b: a came earlier on the same node, or sent what b was about, or there is a chain of such
// steps (Lamport, 1978). Of these, which soon are most of a run, a slice holds the few that carried news of
// one member to the step that is to be explained.
//
//	s, err := slice.Of(slice.Target{Step: v.Step, Node: 3, About: 7}, func(h sim.Harness) error {
//		_, err := sim.Simulate(c, h)
//		return err
//	})
package slice

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/sim"
	"github.com/nekton-go/nekton/sim/check"
)

const (
	linesMax = 30 // a reader is shown
	chainMax = 12 // of them, for one piece of news and where it came from
	newsMax  = 6  // of them, for news that changed nothing
)

// A Target is what to explain.
type Target struct {
	Step  uint64 // the step in question
	Node  int    // whose view is in question, if that is not whose step it is: its last step counts; else -1
	About int    // the member it is a view of; -1: of nobody in particular
}

// A Slice is an explanation: steps in order, the one in question last.
type Slice struct {
	Lines []Line
	Steps uint64 // in the run, up to the step in question
	Past  int    // of them, how many happened before it
	Heard int    // of those, how many were about messages that speak of the member
}

// A Line is one step.
type Line struct {
	Step, Cause uint64 // see sim.Step
	At          core.Instant
	Node        int
	Input       string
	Changes     []string // what became of rows of the member of interest
}

// String shows the line.
func (l Line) String() string {
	at := time.Duration(l.At).Round(time.Microsecond)
	text := fmt.Sprintf("#%d %v %s %s", l.Step, at, check.Name(l.Node), l.Input)
	if len(l.Changes) > 0 {
		text += "  =>  " + strings.Join(l.Changes, ", ")
	}
	return text
}

// past is what the first run finds out: for every step its node, its cause, and whether a row of interest
// changed in it. Steps are numbered from 1.
type past struct {
	target  Target
	nodes   []int32
	causes  []uint32
	changed []bool
	heard   []bool // a message about the member came in
	reader  *Reader
}

// Of explains a step. It simulates the run twice, each time up to that step; run must make the same run
// each time. Its errors are those of run.
func Of(t Target, run func(sim.Harness) error) (Slice, error) {
	p := &past{target: t, reader: NewReader(about(t))}
	if err := upTo(t.Step, p.watch, run); err != nil {
		return Slice{}, err
	}
	t.Step = uint64(len(p.nodes))
	for t.Step > 0 && t.Node >= 0 && p.nodes[t.Step-1] != int32(t.Node) {
		t.Step--
	}
	if t.Step == 0 {
		return Slice{}, nil // it did nothing
	}
	p.target = t
	cone := p.cone()
	s := Slice{Steps: t.Step}
	for step, in := range cone {
		if in {
			s.Past++
			if p.heard[step] {
				s.Heard++
			}
		}
	}
	chosen := p.choose()
	reader := NewReader(about(t))
	err := upTo(t.Step, func(step *sim.Step) {
		reader.Follow(step)
		if _, ok := slices.BinarySearch(chosen, step.Number); ok {
			s.Lines = append(s.Lines, p.line(reader, step))
		}
	}, run)
	return s, err
}

func about(t Target) string {
	if t.About < 0 {
		return ""
	}
	return check.Name(t.About)
}

// upTo runs until a step is over.
func upTo(last uint64, watch func(*sim.Step), run func(sim.Harness) error) error {
	var over bool
	err := run(sim.Harness{
		Watch: func(s *sim.Step) {
			if !over {
				watch(s)
			}
			over = s.Number >= last
		},
		Stop: func() bool { return over },
	})
	if errors.Is(err, sim.ErrStopped) {
		return nil
	}
	return err
}

func (p *past) watch(s *sim.Step) {
	p.reader.Follow(s)
	p.nodes = append(p.nodes, int32(s.Node))
	p.causes = append(p.causes, uint32(s.Cause))
	p.changed = append(p.changed, p.target.About >= 0 && len(changes(s, about(p.target))) > 0)
	p.heard = append(p.heard, p.reader.Mentions())
}

// changes lists what became of rows of a member in one step.
func changes(s *sim.Step, name string) (all []string) {
	for i := range s.Effects {
		if t, ok := s.Effects[i].Event.(*swim.Transition); ok && (name == "" || t.Name == name) {
			before, after := "unknown", "forgotten"
			if t.Known {
				before = fmt.Sprintf("%v@%d", t.Old.State, t.Old.Incarnation)
			}
			if !t.Gone {
				after = fmt.Sprintf("%v@%d", t.New.State, t.New.Incarnation)
			}
			all = append(all, fmt.Sprintf("%s %s -> %s (%v)", t.Name, before, after, t.Cause))
		}
	}
	return all
}

// cone marks the steps that happened before the one in question, and that one.
func (p *past) cone() []bool {
	in := make([]bool, len(p.nodes))
	in[p.target.Step-1] = true
	needed := map[int32]bool{} // nodes whose earlier steps are all in it
	for k := int(p.target.Step) - 1; k >= 0; k-- {
		if !in[k] && !needed[p.nodes[k]] {
			continue
		}
		in[k], needed[p.nodes[k]] = true, true
		if c := p.causes[k]; c > 0 {
			in[c-1] = true
		}
	}
	return in
}

// choose picks the steps to show, in order: those that made the row what it is, and what it was before, each
// followed back to its origin; and those that brought news of the member to this node last. If it is about no
// member in particular, what this node did last.
func (p *past) choose() []uint64 {
	chosen := map[uint64]bool{}
	p.follow(p.target.Step, chosen)
	for k := p.before(p.target.Step); k > 0 && len(chosen) < linesMax/2; k = p.before(k) {
		p.follow(k, chosen)
	}
	last := newsMax
	for k := p.target.Step; k > 0 && last > 0 && len(chosen) < linesMax; k-- {
		news := p.heard[k-1] || p.target.About < 0
		if news && p.nodes[k-1] == p.nodes[p.target.Step-1] && !chosen[k] {
			chosen[k] = true
			last--
		}
	}
	steps := make([]uint64, 0, len(chosen))
	for k := range p.nodes {
		if chosen[uint64(k)+1] {
			steps = append(steps, uint64(k)+1)
		}
	}
	return steps
}

// follow goes from a step to where its news came from: to the step that sent it, then to the one in which the
// row of that node changed, and so on. The origin is a deadline, or a command, and what it was set for.
func (p *past) follow(step uint64, chosen map[uint64]bool) {
	for n := 0; n < chainMax && step > 0 && !chosen[step] && len(chosen) < linesMax; n++ {
		chosen[step] = true
		switch cause := uint64(p.causes[step-1]); {
		case cause == 0:
			step = p.before(step)
		case p.changed[cause-1] || p.before(cause) == 0:
			step = cause
		default:
			step = p.before(cause)
		}
	}
}

// before is the last step before this one in which a row of interest changed on the same node, or 0.
func (p *past) before(step uint64) uint64 {
	for k := step - 1; k > 0; k-- {
		if p.changed[k-1] && p.nodes[k-1] == p.nodes[step-1] {
			return k
		}
	}
	return 0
}

func (p *past) line(r *Reader, s *sim.Step) Line {
	from := -1
	if s.Cause > 0 {
		from = int(p.nodes[s.Cause-1])
	}
	return Line{
		Step: s.Number, Cause: s.Cause, At: s.At, Node: s.Node, Input: r.Input(s, from),
		Changes: changes(s, about(p.target)),
	}
}
