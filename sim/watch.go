package sim

import (
	"bytes"

	"github.com/nekton-go/nekton/core"
)

// A Step is one input that one node was given, and what it did: see Harness.Watch. It and all that it
// refers to are valid until Watch returns.
type Step struct {
	Number  uint64       // steps of all nodes are counted together, from 1
	Cause   uint64       // the step whose packet, write or request led to this input; 0: none
	At      core.Instant // virtual time
	Node    int
	Input   core.Input
	Effects []core.Effect
	Inside  *Inside // of a sealed cluster: what of this is behind the seal
	Hash    uint64  // of the run up to here: Result.TraceHash is that of the last step
	Broken  int     // how often rules have been broken up to here
}

// Inside is what the node behind a seal was given in one step, opened, and what it did, not yet sealed.
type Inside struct {
	Inputs  []core.Input
	Effects []core.Effect
}

// window is a node that shows what it is given and does. What it keeps is its own: there may be several steps
// inside in one outside.
type window struct {
	core.Verbs
	seen *Inside
}

func (n window) Step(now core.Instant, in core.Input) {
	n.Verbs.Step(now, in)
	in.Data = bytes.Clone(in.Data)
	n.seen.Inputs = append(n.seen.Inputs, in)
}

func (n window) Next() (core.Effect, bool) {
	e, ok := n.Verbs.Next()
	if ok {
		seen := e
		seen.Data = bytes.Clone(e.Data)
		n.seen.Effects = append(n.seen.Effects, seen)
	}
	return e, ok
}

func (w *world) show(i int, cause uint64, in *core.Input) {
	w.watch(&Step{
		Number: w.steps, Cause: cause, At: w.now, Node: i, Input: *in, Effects: w.effects,
		Inside: w.inside, Hash: w.hash.sum, Broken: w.check.Log().Count(),
	})
	w.effects = w.effects[:0]
	if w.inside != nil {
		w.inside.Inputs, w.inside.Effects = w.inside.Inputs[:0], w.inside.Effects[:0]
	}
}
