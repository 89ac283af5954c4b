package sim

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/internal/script"
	"github.com/nekton-go/nekton/sim/check"
)

// TestWorld shows what the network, links, processes and journals do, with nodes that only report.
func TestWorld(t *testing.T) {
	script.Walk(t, filepath.Join("testdata", "world"), func(t *testing.T) script.Handler {
		return newStage(newToy).handle
	})
}

// TestCluster shows whole clusters.
func TestCluster(t *testing.T) {
	script.Walk(t, filepath.Join("testdata", "cluster"), func(t *testing.T) script.Handler {
		return newStage(nil).handle
	})
}

// stage is a world that a script drives. What nodes do shows when it runs.
type stage struct {
	w    *world
	make Factory
	out  strings.Builder

	quiet bool
}

func newStage(make Factory) *stage { return &stage{make: make} }

// emptyWorld is a world in which nothing is scheduled.
func emptyWorld(nodes int, seed uint64, h Harness) *world {
	return newWorld(&Case{
		Nodes: nodes, Seed: seed, Victim: -1, Network: Network{}.defaulted(), Swim: swim.LAN(),
	}, &h)
}

func (s *stage) handle(args []string) (string, error) {
	if args[0] == "nodes" {
		return "", s.nodes(args)
	}
	if s.w == nil {
		return "", fmt.Errorf("begin with: nodes N")
	}
	op, ok, err := s.parse(args)
	if ok {
		if err == nil {
			s.w.schedule(op)
		}
		return "", err
	}
	return s.ask(args)
}

// nodes N [seed]
func (s *stage) nodes(args []string) error {
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	var seed uint64
	if len(args) > 2 {
		if seed, err = strconv.ParseUint(args[2], 10, 64); err != nil {
			return err
		}
	}
	s.w = emptyWorld(n, seed, Harness{NewNode: s.make, Trace: &s.out})
	s.w.trace.events = s.make == nil
	for i := range n {
		s.w.schedule(Op{Kind: Start, Nodes: []int{i}})
	}
	return nil
}

// parse reads an operation that begins now:
// KIND [NODES [- PEERS | > PEERS]] [PPM ppm] [SIZE bytes] [EXTRA late] [every EVERY] [after NTH] [as MODE]
// [for DURATION] [lost]
func (s *stage) parse(args []string) (op Op, ok bool, err error) {
	kind, err := ParseKind(args[0])
	if err != nil {
		return op, false, nil
	}
	op = Op{Kind: kind, At: time.Duration(s.w.now)}
	into := &op.Nodes
	for i := 1; i < len(args) && err == nil; i++ {
		switch arg := args[i]; arg {
		case "-", ">":
			into, op.OneWay = &op.Peers, arg == ">"
		case "lost":
			op.Lost = true
		case "for":
			i++
			op.Until, err = time.ParseDuration(args[i])
			op.Until += op.At
		case "every":
			i++
			op.Every, err = time.ParseDuration(args[i])
		case "after":
			i++
			op.Nth, err = strconv.Atoi(args[i])
		case "as":
			i++
			op.Mode = args[i]
		case "bytes":
			op.Size, err = strconv.Atoi(args[i-1])
		case "ppm":
			op.PPM, err = strconv.Atoi(args[i-1])
		case "late":
			op.Extra, err = time.ParseDuration(args[i-1])
		default:
			if k := check.Index(arg); k >= 0 {
				*into = append(*into, k)
			}
		}
	}
	if err == nil {
		err = op.validate(len(s.w.nodes))
	}
	return op, true, err
}

// ask runs the world, orders toys about, or shows something.
func (s *stage) ask(args []string) (string, error) {
	i := -1
	if len(args) > 1 {
		i = check.Index(args[1])
	}
	rest := strings.Join(args[min(2, len(args)):], " ")
	do := func(e core.Effect) (string, error) {
		s.w.command(i, order{e})
		return "", nil
	}
	switch args[0] {
	case "run":
		d, err := time.ParseDuration(args[1])
		s.w.run(s.w.now.Add(d), func() bool { return false })
		return s.flush(), err
	case "trace": // everything, events, or quiet: without transitions, completions and the rest of the evidence
		s.w.trace.events, s.quiet = args[1] != "everything", args[1] == "quiet"
	case "views":
		return fmt.Sprintf("%d rows wrong\n%s", s.w.check.Wrong(), lines(s.w.check.Disagreements(10))), nil
	case "violations":
		return fmt.Sprintf("%d\n%s", s.w.check.Log().Count(), lines(s.w.check.Log().Violations())), nil
	case "clock":
		p := &s.w.nodes[i]
		return fmt.Sprintf("%v, wall clock %v", p.clock.tell(s.w.now), time.Duration(p.wall(s.w.now)-epoch)), nil
	case "send":
		return do(toySend(check.Index(args[2]), strings.Join(args[3:], " ")))
	case "dial":
		to := nowhere
		if k := check.Index(args[2]); k >= 0 {
			to = address(k)
		}
		return do(core.Effect{Kind: core.EffectDial, To: to})
	case "write":
		return do(core.Effect{Kind: core.EffectWrite, Data: []byte(rest)})
	case "close":
		return do(core.Effect{Kind: core.EffectClose})
	case "resolve":
		return do(core.Effect{Kind: core.EffectResolve, Name: rest})
	case "append":
		return do(core.Effect{Kind: core.EffectAppend, Proto: 200, Data: []byte(rest)})
	case "compact":
		return do(core.Effect{Kind: core.EffectCompact, Proto: 200, Data: []byte(rest)})
	case "wake":
		d, err := time.ParseDuration(rest)
		s.w.command(i, order{core.Effect{Token: core.Token(d)}})
		return "", err
	default:
		return "", script.Unknown(args)
	}
	return "", nil
}

func (s *stage) flush() string {
	text := s.out.String()
	s.out.Reset()
	var kept strings.Builder
	for line := range strings.Lines(text) {
		row := strings.Contains(line, " row n")
		if strings.HasSuffix(line, " obeyed\n") || s.quiet && (row || strings.Contains(line, " done")) {
			continue
		}
		if verdict, _, more := strings.Cut(line, ", "); more && s.quiet && strings.Contains(verdict, " declared by ") {
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
