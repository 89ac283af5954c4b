package repro

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/sim"
	"github.com/nekton-go/nekton/sim/check"
)

// An Expect is what came of a run, and must come of it again.
type Expect struct {
	OK          bool             `json:"ok"`
	Violation   *check.Violation `json:"violation,omitempty"` // the one that counts: see Verdict
	Steps       uint64           `json:"steps"`
	TraceHash   string           `json:"trace_hash"`
	Checkpoints sim.Checkpoints  `json:"checkpoints"`
}

// Outcome takes down what came of a run.
func Outcome(r *sim.Result) Expect {
	return Expect{
		OK: r.OK, Violation: Verdict(r), Steps: r.Steps, TraceHash: r.TraceHash, Checkpoints: r.Checkpoints,
	}
}

// Verdict is the violation that a run is named after: the first of a safety oracle, or else the first. It
// returns nil for a run that is OK.
func Verdict(r *sim.Result) *check.Violation {
	if r.OK {
		return nil
	}
	at := slices.IndexFunc(r.Violations, func(v check.Violation) bool { return !v.Liveness() })
	if at < 0 && len(r.Violations) > 0 {
		at = 0
	}
	if at >= 0 {
		return &r.Violations[at]
	}
	v := check.Violation{
		Step: r.Steps, At: core.Instant(r.VirtualMS) * core.Instant(time.Millisecond), Oracle: "L2", Name: "agreement",
		What: "views do not agree in time",
	}
	if len(r.Disagree) > 0 { // all that is wrong is how long it took
		v.What = r.Disagree[0]
	}
	return &v
}

// Differences lists in what another run differs, most telling first; nil if it is the same.
func (e *Expect) Differences(got *Expect) (lines []string) {
	differ := func(what string, was, is any) {
		if was != is {
			lines = append(lines, fmt.Sprintf("%s: %v, not %v", what, is, was))
		}
	}
	differ("outcome", e.outcome(), got.outcome())
	if e.Violation != nil && got.Violation != nil {
		differ("step", e.Violation.Step, got.Violation.Step)
		differ("observed", observed(e.Violation), observed(got.Violation))
	}
	differ("steps in all", e.Steps, got.Steps)
	differ("trace hash", e.TraceHash, got.TraceHash)
	if after, by, differ := sim.Diverge(e.result(), got.result()); differ {
		lines = append(lines, fmt.Sprintf("the runs part after step %d and by step %d", after, by))
	}
	return lines
}

// observed is what a violation says, and of a panic what the node itself said: the host of a guest has more to tell.
func observed(v *check.Violation) string {
	if _, said, guest := strings.Cut(v.What, "; it said: "); guest && strings.HasPrefix(v.What, "panic: ") {
		return said
	}
	return v.What
}

func (e *Expect) outcome() string {
	if e.Violation == nil {
		return "ok"
	}
	return e.Violation.Oracle + " " + e.Violation.Name
}

func (e *Expect) result() *sim.Result {
	return &sim.Result{Steps: e.Steps, TraceHash: e.TraceHash, Checkpoints: e.Checkpoints}
}

// Fingerprint identifies the behaviour of the nodes that this program simulates, as far as one short run with
// crashes and restarts shows it.
func Fingerprint() string {
	r, err := sim.Run(sim.Options{Scenario: "restart", Nodes: 7, Seed: 1, For: 2 * time.Minute})
	if err != nil {
		return err.Error()
	}
	return r.TraceHash
}
