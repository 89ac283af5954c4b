package sim

import (
	"errors"
	"fmt"
	"io"
	"math/bits"
	"time"

	"github.com/nekton-go/nekton/codec/cbor"
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/stack"
	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/sim/check"
)

const (
	nodesMax     = 4096           // views take nodes² rows of 24 bytes
	forMax       = 24 * time.Hour // of virtual time
	lossMax      = 900_000        // ppm; beyond it nothing is left to test
	inspectEvery = 10 * time.Second
	never        = -1 // of a time in Result: it did not happen
)

// ErrOptions is wrapped by every error that says that Options make no sense.
var ErrOptions = errors.New("bad simulation options")

func badOption(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrOptions}, args...)...)
}

// A Factory makes the node of member index. It must pass c on unchanged but for what it decorates: the
// seed, name, address and metadata are this process's own, and Scratch and Dialect may be shared,
// since nodes are stepped in turn.
type Factory func(index int, c stack.Config) (core.Verbs, error)

// Options say what to run. The zero value of a field means its default.
type Options struct {
	Scenario string        // one of Scenarios; required
	Nodes    int           // 2 to 4096 (restart: from 4); default 16
	For      time.Duration // virtual time, up to 24 h and past the last fault; default: the scenario's own
	Seed     uint64
	LossPPM  int         // of all packets, all the time; 0 to 900,000; default 0, in loss 50,000
	Network  Network     // how packets travel
	Preset   swim.Config // of every member; default swim.LAN
	NewNode  Factory     // default stack.New
	Trace    io.Writer   // gets a line for everything nodes do; default none
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

	OK         bool              `json:"ok"` // no violation, and all views agreed in time
	Violations []check.Violation `json:"violations"`
	Converged  bool              `json:"converged"` // all views agreed in time, and again at the end
	Disagree   []string          `json:"disagree"`  // rows that are wrong at the end, or why convergence was late

	// FalsePositives counts declarations that a member failed while it ran and could be reached.
	FalsePositives int `json:"false_positives"`
	// From the crash until the first, and the last, living member declared it.
	FirstDetectionMS    int64 `json:"first_detection_ms"`
	FullDisseminationMS int64 `json:"full_dissemination_ms"`
	// From the end of the last disturbance (calm: the last start) until every view was right.
	ConvergedMS int64 `json:"converged_ms"`

	PacketsPerNodeS float64 `json:"packets_per_node_s"` // datagrams sent, per process and second
	BytesPerNodeS   float64 `json:"bytes_per_node_s"`   // in them
	Faults          Faults  `json:"faults"`
}

// Unsafe reports whether a safety check failed.
func (r *Result) Unsafe() bool { return len(r.Violations) > 0 }

// Run runs one scenario to its end. An error means that nothing can be said: bad options (ErrOptions),
// a node that could not be made, a trace that could not be written. A run that breaks rules or does not
// converge is a Result, not an error. Run panics if a node does.
func Run(o Options) (Result, error) {
	p, err := o.plan()
	if err != nil {
		return Result{}, err
	}
	w := newWorld(&o)
	w.measure.victim = p.victim
	for _, op := range p.ops {
		w.schedule(op)
	}
	w.inspectFrom(inspectEvery)
	convergedAt := w.phases(core.Instant(p.mark), core.Instant(o.For), p.within)
	if w.err == nil {
		w.err = w.trace.err
	}
	if w.err != nil {
		return Result{}, w.err
	}
	return w.result(&o, &p, convergedAt), nil
}

// Schedule returns the operations and faults that Run would carry out. Errors are those of Run.
func Schedule(o Options) ([]Op, error) {
	p, err := o.plan()
	return p.ops, err
}

// plan completes the options and lets their scenario plan.
func (o *Options) plan() (plan, error) {
	sc, err := o.complete()
	if err != nil {
		return plan{}, err
	}
	p := sc.build(setting{o.Nodes, o.Seed, o.Preset})
	if o.For <= p.mark {
		return plan{}, badOption("%v; %s with %d nodes needs more than %v: its last disturbance comes then",
			o.For, sc.name, o.Nodes, p.mark)
	}
	if o.LossPPM > 0 {
		p.ops = append([]Op{{Kind: Loss, PPM: o.LossPPM}}, p.ops...)
	}
	return p, nil
}

// complete fills in defaults and refuses nonsense.
func (o *Options) complete() (scenario, error) {
	sc, err := find(o.Scenario)
	if err != nil {
		return sc, err
	}
	o.Nodes = orElse(o.Nodes, 16)
	o.For = orElse(o.For, sc.usual)
	if o.LossPPM == 0 && sc.name == "loss" {
		o.LossPPM = usualLoss
	}
	if o.Preset.ProbeInterval == 0 {
		o.Preset = swim.LAN()
	}
	if o.NewNode == nil {
		o.NewNode = func(_ int, c stack.Config) (core.Verbs, error) { return stack.New(c) }
	}
	o.Network = o.Network.defaulted()
	switch {
	case o.Nodes < sc.nodes || o.Nodes > nodesMax:
		return sc, badOption("%d nodes; %s takes %d to %d", o.Nodes, sc.name, sc.nodes, nodesMax)
	case o.For < 0 || o.For > forMax:
		return sc, badOption("a duration of %v; use more than 0 and at most %v", o.For, forMax)
	case o.LossPPM < 0 || o.LossPPM > lossMax:
		return sc, badOption("a loss of %d ppm; use 0 to %d", o.LossPPM, lossMax)
	case o.Network.LatencyMin <= 0 || o.Network.LatencyMax < o.Network.LatencyMin:
		return sc, badOption("a latency of %v to %v; use more than 0, the least first",
			o.Network.LatencyMin, o.Network.LatencyMax)
	}
	return sc, nil
}

func orElse[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

func newWorld(o *Options) *world {
	dialect := cbor.New(cbor.Config{})
	preset := o.Preset
	preset.Transitions = true
	w := &world{
		seed:    o.Seed,
		node:    stack.Config{Swim: preset, Dialect: dialect, Scratch: new(core.Scratch), Check: true},
		make:    o.NewNode,
		nodes:   make([]process, o.Nodes),
		check:   check.New(check.Config{Nodes: o.Nodes, Swim: preset}),
		trace:   tracer{out: o.Trace, dialect: cbor.New(cbor.Config{})},
		measure: measure{victim: -1},
	}
	w.net = network{
		Network: o.Network, seed: o.Seed, sent: make([][]uint32, o.Nodes), dials: make([][]uint32, o.Nodes),
	}
	w.hash.word(o.Seed)
	return w
}

func (w *world) inspectFrom(every time.Duration) {
	w.pushEvent(core.Instant(every), classProbe, event{kind: evInspect, at: core.Instant(every)})
}

// phases runs through the disturbances, then until every view is right, then to the end; and if views
// are not right there, on until they are, or for as long as they may take. It returns when they first
// were right, or never.
func (w *world) phases(mark, end core.Instant, within time.Duration) (convergedAt core.Instant) {
	always := func() bool { return false }
	right := func() bool { return w.check.Wrong() == 0 }
	w.run(mark, always)
	w.run(end, right)
	convergedAt = never
	if right() {
		convergedAt = w.now
		w.run(end, always)
	}
	if !right() {
		w.run(max(end, mark.Add(within)), right)
		if convergedAt == never && right() {
			convergedAt = w.now
		}
	}
	w.check.Finished(w.now)
	return convergedAt
}

func (w *world) result(o *Options, p *plan, convergedAt core.Instant) Result {
	r := Result{
		Seed: o.Seed, Scenario: o.Scenario, Nodes: o.Nodes, Steps: w.steps,
		VirtualMS: ms(w.now.Sub(0)), TraceHash: fmt.Sprintf("%016x", w.hash.sum),
		Violations: append([]check.Violation{}, w.check.Violations()...), Disagree: w.check.Disagreements(10),
		FalsePositives: w.measure.falsePositives, Faults: w.faults,
		FirstDetectionMS: never, FullDisseminationMS: never, ConvergedMS: never,
	}
	mark := core.Instant(p.mark)
	if w.measure.witnesses > 0 {
		r.FirstDetectionMS = ms(w.measure.firstFailed.Sub(mark))
	}
	if w.measure.witnesses == o.Nodes-1 {
		r.FullDisseminationMS = ms(w.measure.lastFailed.Sub(mark))
	}
	if convergedAt != never {
		took := convergedAt.Sub(mark)
		r.ConvergedMS = ms(took)
		r.Converged = took <= p.within && w.check.Wrong() == 0
		if took > p.within {
			r.Disagree = append(r.Disagree, fmt.Sprintf("views agreed after %v; they should within %v", took, p.within))
		}
	}
	if r.Disagree == nil {
		r.Disagree = []string{}
	}
	r.OK = r.Converged && !r.Unsafe()
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
