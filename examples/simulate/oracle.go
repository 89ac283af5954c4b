package main

import (
	"time"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/sim/check"
)

// silence is how long a node may have been given no input and still count as running.
const silence = 10 * time.Second

// agree is an oracle: counts never fall, and in the end all registers that run hold the same value.
type agree struct {
	log   *check.Log
	nodes []seen
}

// seen is what the oracle knows of one node.
type seen struct {
	heard core.Instant // when it was last given an input
	meets bool         // it knows others, and so they should come to agree
	holds Value
}

func newAgree(l *check.Log) check.Oracle { return &agree{log: l} }

// Input implements check.Oracle.
func (a *agree) Input(at core.Instant, node int, _ *core.Input) {
	for len(a.nodes) <= node {
		a.nodes = append(a.nodes, seen{})
	}
	a.nodes[node].heard = at
}

// Effect implements check.Oracle.
func (a *agree) Effect(_ core.Instant, node int, e *core.Effect) {
	was := &a.nodes[node].holds
	switch event := e.Event.(type) {
	case *swim.Ready: // a process begins, and with it an empty register
		a.nodes[node].meets, *was = false, Value{}
	case *swim.Joined:
		a.nodes[node].meets = true
	case *Holds:
		if event.Count < was.Count {
			a.log.Add(check.Violation{
				Oracle: "R1", Name: "count-monotone", What: event.String(), Expected: "more than " + was.String(),
			})
		}
		*was = event.Value
	}
}

// Finished implements check.Oracle.
func (a *agree) Finished(at core.Instant) {
	first := -1
	for i := range a.nodes {
		n := &a.nodes[i]
		if !n.meets || n.holds.Count == 0 || at.Sub(n.heard) > silence {
			continue
		}
		if first < 0 {
			first = i
		}
		if expected := &a.nodes[first].holds; n.holds != *expected {
			a.log.Add(check.Violation{
				Oracle: "R2", Name: "registers-agree", Observer: check.Name(i), Subject: check.Name(first),
				What: "holds " + n.holds.String(), Expected: expected.String() + ", as " + check.Name(first) + " does",
			})
			return
		}
	}
}
