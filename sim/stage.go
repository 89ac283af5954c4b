package sim

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/sim/check"
)

// A Stage is a world that a script drives, command by command, with operations that happen now.
type Stage struct {
	w       *world
	harness Harness
	out     strings.Builder
	quiet   bool
}

// NewStage returns a Stage without a world: the script begins with one. Of the harness, all but Trace, Watch
// and Stop counts.
func NewStage(h Harness) *Stage { return &Stage{harness: h} }

// emptyWorld is a world in which nothing is scheduled.
func emptyWorld(nodes int, seed uint64, h Harness) *world {
	return newWorld(&Case{
		Nodes: nodes, Seed: seed, Victim: never, Network: Network{}.defaulted(), Swim: swim.LAN(),
	}, &h)
}

// Do carries out a command and returns what it shows. An error says that the command makes no sense.
//
//	nodes N [SEED]   begin with so many members, none of which knows another
//	run DURATION     let that time pass and show what nodes did
//	trace WHAT       what run shows: everything, events, or quiet, which are events without evidence
//	views            rows that differ from the truth
//	violations       what oracles said
//	clock NODE       what the clocks of a member read
//
// Anything else is an operation that begins now, by the name of its kind: see Kinds.
//
//	KIND [NODES] [- PEERS | > PEERS] [PPM ppm] [SIZE bytes | SIZE datagrams] [EXTRA late] [every DURATION]
//		[after NTH] [as MODE] [for DURATION] [lost]
func (s *Stage) Do(args []string) (string, error) {
	w := words{rest: args[1:]}
	if args[0] == "nodes" {
		return "", s.begin(&w)
	}
	if s.w == nil {
		return "", fmt.Errorf("begin with: nodes N")
	}
	if kind, err := ParseKind(args[0]); err == nil {
		op, err := s.operation(kind, &w)
		if err == nil {
			s.w.schedule(op)
		}
		return "", err
	}
	out, err := "", error(nil)
	switch args[0] {
	case "run":
		if d := w.duration(); w.end() == nil {
			out, err = s.run(d)
		}
	case "trace":
		what := w.one("everything", "events", "quiet")
		s.w.trace.events, s.quiet = what != "everything", what == "quiet"
	case "views":
		out = fmt.Sprintf("%d rows wrong\n%s", s.w.check.Wrong(), lines(s.w.check.Disagreements(10)))
	case "violations":
		log := s.w.check.Log()
		out = fmt.Sprintf("%d\n%s", log.Count(), lines(log.Violations()))
	case "clock":
		if i := w.member(len(s.w.nodes)); w.err == nil {
			p := &s.w.nodes[i]
			out = fmt.Sprintf("%v, wall clock %v", p.clock.tell(s.w.now), time.Duration(p.wall(s.w.now)-epoch))
		}
	default:
		return "", fmt.Errorf("unknown command %q", strings.Join(args, " "))
	}
	if err == nil {
		err = w.end()
	}
	return out, err
}

// run lets time pass. A node that panics ends it.
func (s *Stage) run(d time.Duration) (out string, err error) {
	defer func() {
		if s.w.stepping {
			out, err = s.flush(), fmt.Errorf("a node panics: %v", recover())
		}
	}()
	s.w.run(s.w.now.Add(d), func() bool { return false })
	return s.flush(), s.w.err
}

func (s *Stage) begin(w *words) error {
	n, seed := w.integer(), 0
	if len(w.rest) > 0 {
		seed = w.integer()
	}
	if err := w.end(); err != nil {
		return err
	}
	if n < 1 || n > nodesMax || seed < 0 {
		return fmt.Errorf("%d nodes, seed %d; use 1 to %d, and no negative seed", n, seed, nodesMax)
	}
	h := s.harness
	h.Trace, h.Watch, h.Stop = &s.out, nil, nil
	s.w = emptyWorld(n, uint64(seed), h)
	s.w.trace.events = h.NewNode == nil
	for i := range n {
		s.w.schedule(Op{Kind: Start, Nodes: []int{i}})
	}
	return nil
}

// operation reads an operation that begins now.
func (s *Stage) operation(kind Kind, w *words) (Op, error) {
	op := Op{Kind: kind, At: time.Duration(s.w.now)}
	into := &op.Nodes
	for len(w.rest) > 0 && w.err == nil {
		switch w.peek(1) {
		case "ppm":
			op.PPM = w.integer()
			w.next()
			continue
		case "bytes", "datagrams":
			op.Size = w.integer()
			w.next()
			continue
		case "late":
			op.Extra = w.duration()
			w.next()
			continue
		}
		switch w.peek(0) {
		case "-", ">":
			op.OneWay = w.next() == ">"
			into = &op.Peers
		case "lost":
			w.next()
			op.Lost = true
		case "for":
			w.next()
			op.Until = op.At + w.duration()
		case "every":
			w.next()
			op.Every = w.duration()
		case "after":
			w.next()
			op.Nth = w.integer()
		case "as":
			w.next()
			op.Mode = w.next()
		default:
			*into = append(*into, w.member(len(s.w.nodes)))
		}
	}
	if err := w.end(); err != nil {
		return op, err
	}
	return op, op.validate(len(s.w.nodes))
}

// flush returns what nodes did since it was asked last.
func (s *Stage) flush() string {
	text := s.out.String()
	s.out.Reset()
	if !s.quiet {
		return text
	}
	var kept strings.Builder
	for line := range strings.Lines(text) {
		if strings.Contains(line, " row n") || strings.Contains(line, " done") {
			continue
		}
		if verdict, _, more := strings.Cut(line, ", "); more && strings.Contains(verdict, " declared by ") {
			line = verdict + "\n"
		}
		kept.WriteString(line)
	}
	return kept.String()
}

func lines[T any](all []T) string {
	var b strings.Builder
	for _, one := range all {
		fmt.Fprintln(&b, one)
	}
	return b.String()
}

// words are the arguments of a command, read from the left. The first error stays.
type words struct {
	rest []string
	err  error
}

// peek is the word so many places on, or empty.
func (w *words) peek(n int) string {
	if n < len(w.rest) {
		return w.rest[n]
	}
	return ""
}

func (w *words) next() string {
	word := w.peek(0)
	if word == "" {
		w.fail("something is missing at the end")
		return ""
	}
	w.rest = w.rest[1:]
	return word
}

func (w *words) fail(format string, args ...any) {
	if w.err == nil {
		w.err = fmt.Errorf(format, args...)
	}
}

// end says what is wrong, or left over.
func (w *words) end() error {
	if w.err == nil && len(w.rest) > 0 {
		w.fail("what is %q?", strings.Join(w.rest, " "))
	}
	return w.err
}

func (w *words) integer() int {
	word := w.next()
	n, err := strconv.Atoi(word)
	if err != nil {
		w.fail("%q is no whole number", word)
	}
	return n
}

func (w *words) duration() time.Duration {
	word := w.next()
	d, err := time.ParseDuration(word)
	if err != nil || d < 0 {
		w.fail("%q is no duration; write 500ms, 30s or 10m", word)
	}
	return d
}

// one is one of some words.
func (w *words) one(of ...string) string {
	word := w.next()
	for _, known := range of {
		if word == known {
			return word
		}
	}
	w.fail("%q: use one of %s", word, strings.Join(of, ", "))
	return ""
}

// member is the number of a member.
func (w *words) member(of int) int {
	word := w.next()
	i := check.Index(word)
	if i < 0 || i >= of {
		w.fail("what is %q? Members are n0 to %s", word, check.Name(of-1))
		return 0
	}
	return i
}
