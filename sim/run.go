package sim

import (
	"errors"
	"fmt"
	"io"
	"math/bits"
	"slices"
	"time"

	"github.com/nekton-go/nekton/codec/cbor"
	"github.com/nekton-go/nekton/codec/seal"
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/stack"
	"github.com/nekton-go/nekton/internal/mutant"
	"github.com/nekton-go/nekton/sim/check"
)

// ErrOptions is wrapped by every error that says that Options, or a Case, make no sense.
var ErrOptions = errors.New("bad simulation options")

// ErrStopped says that Harness.Stop ended a run early.
var ErrStopped = errors.New("the simulation was stopped")

func badOption(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrOptions}, args...)...)
}

const (
	inspectEvery = 10 * time.Second
	never        = -1 // of a time in Result: it did not happen
)

// A Factory makes the node of member index. It must pass c on unchanged but for what it decorates: the
// seed, name, address and metadata are this process's own, and Scratch and Dialect may be shared,
// since nodes are stepped in turn.
type Factory func(index int, c stack.Config) (core.Verbs, error)

// A NewOracle makes an oracle for one run, which reports to l.
type NewOracle func(l *check.Log) check.Oracle

// A Harness is what a run needs besides its Case: code. Its zero value is complete.
type Harness struct {
	NewNode Factory                             // default stack.New
	Opaque  bool                                // those do not speak codec/cbor in the clear: no oracle listens
	Command func(node int, op *Op) core.Command // what a Call means to the application; required for those
	Oracles []NewOracle                         // watch the run besides those of package check
	Trace   io.Writer                           // gets a line for everything nodes do; default none
	Watch   func(*Step)                         // is shown every step once it is over; default none
	Stop    func() bool                         // asked before every event whether to end the run there; default never

	FirstOnly bool // ends the run at the first breach of a rule; default: it goes on
}

// A Result is how a run went. Times are in ms of virtual time; -1 means that it did not happen.
type Result struct {
	Seed      uint64 `json:"seed"`
	Scenario  string `json:"scenario"`
	Nodes     int    `json:"nodes"`
	VirtualMS int64  `json:"virtual_ms"`
	WallMS    int64  `json:"wall_ms"` // the caller's to fill in: this package has no clock
	Steps     uint64 `json:"steps"`
	TraceHash string `json:"trace_hash"` // 16 hex digits; equal hashes, equal runs

	Checkpoints Checkpoints `json:"checkpoints"` // hashes along the way

	OK         bool              `json:"ok"` // no violation, and all views agreed in time, or are Apart, or Truncated
	Violations []check.Violation `json:"violations"`
	Converged  bool              `json:"converged"` // all views agreed in time, and again at the end
	Disagree   []string          `json:"disagree"`  // rows that are wrong at the end, or why convergence was late
	// Truncated says that the case is, so that neither matters.
	Truncated bool `json:"truncated,omitempty"`
	// Apart is why views could not come to agree: nobody in one group of members knew of anybody in another, or some
	// member had not room for all. It is empty if they agreed, or could have. What nobody can mend is no failure.
	Apart string `json:"apart,omitempty"`

	// FalsePositives counts declarations that a member failed while its process existed, stopped or not, and the
	// network let packets pass both ways. FalsePositivesOfWell are those of them about members that no fault of
	// processes had touched so far, FalsePositivesAmongWell those that such members made as well: Lifeguard's
	// FP and FP-.
	FalsePositives          int `json:"false_positives"`
	FalsePositivesOfWell    int `json:"false_positives_of_well"`
	FalsePositivesAmongWell int `json:"false_positives_among_well"`
	// From the crash until the first, and the last, living member declared it.
	FirstDetectionMS    int64 `json:"first_detection_ms"`
	FullDisseminationMS int64 `json:"full_dissemination_ms"`
	// From the end of the last disturbance (calm: the last start) until every view was right.
	ConvergedMS int64 `json:"converged_ms"`

	PacketsPerNodeS float64 `json:"packets_per_node_s"` // datagrams sent, per process and second
	BytesPerNodeS   float64 `json:"bytes_per_node_s"`   // in them
	Faults          Faults  `json:"faults"`

	Coverage check.Coverage `json:"-"` // of the branches of the protocol

	Lost []Packet `json:"-"` // the first 256 datagrams that losses took
}

// Unsafe reports whether something happened that must not. What did not happen in time is another matter.
func (r *Result) Unsafe() bool {
	return slices.ContainsFunc(r.Violations, func(v check.Violation) bool { return !v.Liveness() })
}

// Broken is the ID of the oracle that complained first, or "agreement" if all that is wrong is that views agreed
// too late. It is empty for a run that is OK.
func (r *Result) Broken() string {
	switch {
	case len(r.Violations) > 0:
		return r.Violations[0].Oracle
	case !r.Converged && r.Apart == "" && !r.Truncated:
		return "agreement"
	}
	return ""
}

// Blamed lists the members that the first violation names.
func (r *Result) Blamed() (members []int) {
	if len(r.Violations) == 0 {
		return nil
	}
	for _, name := range []string{r.Violations[0].Observer, r.Violations[0].Subject} {
		if i := check.Index(name); i >= 0 && !slices.Contains(members, i) {
			members = append(members, i)
		}
	}
	return members
}

// Simulate runs a case to its end. An error means that nothing can be said: a bad case (ErrOptions), a node
// that could not be made, a trace that could not be written. A run that breaks rules or does not converge is
// a Result, not an error, and so is one that a node's panic ends. After ErrStopped the Result says how far the
// run came.
func Simulate(c Case, h Harness) (Result, error) {
	if err := c.Validate(); err != nil {
		return Result{}, err
	}
	if h.Command == nil && slices.ContainsFunc(c.Ops, func(op Op) bool { return op.Kind == Call }) {
		return Result{}, badOption("operation %v needs Harness.Command: what does it mean?", Call)
	}
	w := newWorld(&c, &h)
	for _, op := range c.Ops {
		w.schedule(op)
	}
	w.inspectFrom(inspectEvery)
	convergedAt := w.play(&c)
	if w.err == nil {
		w.err = w.trace.err
	}
	if w.err != nil && !errors.Is(w.err, ErrStopped) {
		return Result{}, w.err
	}
	return w.result(&c, convergedAt), w.err
}

// play lets everything happen. A node's panic ends it.
func (w *world) play(c *Case) (convergedAt core.Instant) {
	defer func() {
		if w.stepping {
			convergedAt = never
			w.check.Panicked(recover())
		}
	}()
	if c.Converged {
		w.converge()
	}
	return w.phases(c)
}

func newWorld(c *Case, h *Harness) *world {
	members := c.Swim.Defaulted()
	members.Transitions = true
	dialect := cbor.New(cbor.Config{RecordsMax: c.Nodes})
	w := &world{
		seed:    c.Seed,
		node:    stack.Config{Swim: members, Dialect: dialect, Scratch: new(core.Scratch)},
		make:    h.NewNode,
		nodes:   make([]process, c.Nodes),
		tables:  newDirectory(c.Nodes),
		trace:   tracer{out: h.Trace, dialect: cbor.New(cbor.Config{})},
		measure: measure{victim: c.Victim},
		watch:   h.Watch, stop: h.Stop, call: h.Command, firstOnly: h.FirstOnly,
	}
	w.node.Check = c.Swim.Mutant == mutant.None // mutants are for oracles to find, not for the core itself
	if w.make == nil {
		w.make = func(_ int, c stack.Config) (core.Verbs, error) { return stack.New(c) }
	}
	if w.sealed = c.Sealed; w.sealed {
		w.node.MTU = mtu - seal.Overhead(cluster)
		if h.Watch != nil {
			w.inside = new(Inside)
		}
	}
	w.oversee(c, h)
	for i := range w.nodes {
		w.nodes[i].storage.disk = newDisk(c.Seed, i, &w.faults)
	}
	w.settle()
	w.net = newNetwork(c)
	w.hash.pair(c.Seed, 0)
	w.checkpoints.every = checkpointEvery
	return w
}

func (w *world) inspectFrom(every time.Duration) {
	w.pushEvent(core.Instant(every), classProbe, event{kind: evInspect, at: core.Instant(every)})
}

// phases runs through the disturbances, then until every view is right, then to the end; and if views
// are not right there, on until they are, or for as long as they may take. It returns when they first
// were right, or never.
func (w *world) phases(c *Case) (convergedAt core.Instant) {
	mark, end := core.Instant(c.Mark), core.Instant(c.For)
	always := func() bool { return false }
	right := func() bool { return w.check.Wrong() == 0 }
	w.run(mark, always)
	if w.latest = core.Never; !c.Truncated {
		w.search(c, right)
	}
	w.run(end, right)
	convergedAt = never
	if right() {
		convergedAt = w.now
		w.run(end, always)
	}
	if w.err == nil && !right() && !c.Truncated {
		if w.apart = w.check.Apart(); w.apart == "" { // or else there is nothing to wait for
			w.run(max(end, w.latest), right)
		}
		if convergedAt == never && right() {
			convergedAt = w.now
		}
		if w.err == nil && w.apart == "" && !right() {
			if w.apart = w.check.Apart(); w.apart == "" {
				w.check.Settle(w.now)
			}
		}
	}
	if w.err == nil {
		packets := w.ledger()
		w.check.Conserved(packets.Missing())
		if !c.Truncated {
			w.check.Finished(w.now)
		}
	}
	return convergedAt
}

// search decides when views must agree at the latest: within Case.Within, of which the first rounds of healing are
// for finding each other. If some have not found others then, it is as much later as that takes.
func (w *world) search(c *Case, right func() bool) {
	interval := c.slowest().HealInterval
	w.latest = core.Instant(c.Mark + c.Within)
	begin := (healRounds - 1) * interval
	for after := begin; interval > 0 && after < c.Search && !right() && w.err == nil; after += interval {
		if w.now >= core.Instant(c.For) && w.check.Apart() != "" {
			return
		}
		w.run(core.Instant(c.Mark+after), right)
		if !right() && w.check.Scattered() != "" {
			w.latest = core.Instant(c.Mark + c.Within + after - begin)
		}
	}
}

func (w *world) result(c *Case, convergedAt core.Instant) Result {
	r := Result{
		Seed: c.Seed, Scenario: c.Name, Nodes: c.Nodes, Steps: w.steps,
		VirtualMS: ms(w.now.Sub(0)), TraceHash: hashText(w.hash.sum), Checkpoints: w.checkpoints.result(),
		Violations: append([]check.Violation{}, w.check.Log().Violations()...), Disagree: w.check.Disagreements(10),
		FalsePositives: w.measure.falsePositives, FalsePositivesOfWell: w.measure.ofWell,
		FalsePositivesAmongWell: w.measure.amongWell, Faults: w.faults, Coverage: w.check.Coverage(),
		Lost: w.lost, FirstDetectionMS: never, FullDisseminationMS: never, ConvergedMS: never,
	}
	mark := core.Instant(c.Mark)
	if w.measure.witnesses > 0 {
		r.FirstDetectionMS = ms(w.measure.firstFailed.Sub(mark))
	}
	if w.measure.witnesses == c.Nodes-1 {
		r.FullDisseminationMS = ms(w.measure.lastFailed.Sub(mark))
	}
	if convergedAt != never {
		took := convergedAt.Sub(mark)
		r.ConvergedMS = ms(took)
		within := w.latest.Sub(mark)
		r.Converged = took <= within && w.check.Wrong() == 0
		if took > within {
			r.Disagree = append(r.Disagree, fmt.Sprintf("views agreed after %v; they should within %v", took, within))
		}
	}
	if r.Disagree == nil {
		r.Disagree = []string{}
	}
	r.Apart, r.Truncated = w.apart, c.Truncated
	r.OK = (r.Converged || r.Apart != "" || r.Truncated) && len(r.Violations) == 0
	r.PacketsPerNodeS, r.BytesPerNodeS = rate(w.packets, w.nodeTime()), rate(w.bytes, w.nodeTime())
	return r
}

func ms(d time.Duration) int64 { return int64(d / time.Millisecond) }

// rate returns n per second of d, to a thousandth, computed in integers.
func rate(n uint64, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	hi, lo := bits.Mul64(n, uint64(1000*time.Second))
	thousandths, _ := bits.Div64(hi%uint64(d), lo, uint64(d))
	return float64(thousandths) / 1000
}
