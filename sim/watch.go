package sim

import "github.com/nekton-go/nekton/core"

// A Step is one input that one node was given, and what it did: see Harness.Watch. It and all that it
// refers to are valid until Watch returns.
type Step struct {
	Number  uint64       // steps of all nodes are counted together, from 1
	Cause   uint64       // the step whose packet, write or request led to this input; 0: none
	At      core.Instant // virtual time
	Node    int
	Input   core.Input
	Effects []core.Effect
	Hash    uint64 // of the run up to here: Result.TraceHash is that of the last step
	Broken  int    // how often rules have been broken up to here
}

func (w *world) show(i int, cause uint64, in *core.Input) {
	w.watch(&Step{
		Number: w.steps, Cause: cause, At: w.now, Node: i, Input: *in, Effects: w.effects,
		Hash: w.hash.sum, Broken: w.check.Log().Count(),
	})
	w.effects = w.effects[:0]
}
