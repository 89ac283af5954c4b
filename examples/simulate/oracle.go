package main

import (
	"slices"
	"time"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/sim/check"
)

// silence is how long a node may have heard nobody and still count.
const silence = 10 * time.Second

// agree is an oracle: counts never fall, and in the end any two that hear somebody and see each other hold one value.
// Some members of a swarm are gone for good, or cut off for good: nothing is asked of who hears nobody any more.
type agree struct {
	log   *check.Log
	nodes []seen
}

// seen is what the oracle knows of one node.
type seen struct {
	heard core.Instant // when it last received a datagram
	peers []int        // whom it sees alive
	holds Value
}

func newAgree(l *check.Log) check.Oracle { return &agree{log: l} }

// Input implements check.Oracle.
func (a *agree) Input(at core.Instant, node int, in *core.Input) {
	for len(a.nodes) <= node {
		a.nodes = append(a.nodes, seen{})
	}
	if in.Kind == core.InputDatagram {
		a.nodes[node].heard = at
	}
}

// Effect implements check.Oracle.
func (a *agree) Effect(_ core.Instant, node int, e *core.Effect) {
	n := &a.nodes[node]
	switch event := e.Event.(type) {
	case *swim.Ready: // a process begins, and with it an empty register
		n.peers, n.holds = nil, Value{}
	case *swim.Joined:
		n.peers = append(n.peers, check.Index(event.Member.Name))
	case *swim.Failed:
		n.forget(event.Member.Name)
	case *swim.Departed:
		n.forget(event.Member.Name)
	case *Holds:
		if event.Count < n.holds.Count {
			a.log.Add(check.Violation{
				Oracle: "R1", Name: "count-monotone", What: event.String(), Expected: "more than " + n.holds.String(),
			})
		}
		n.holds = event.Value
	}
}

func (n *seen) forget(name string) {
	n.peers = slices.DeleteFunc(n.peers, func(i int) bool { return i == check.Index(name) })
}

// Finished implements check.Oracle.
func (a *agree) Finished(at core.Instant) {
	for i := range a.nodes {
		for j := range i {
			n, other := &a.nodes[i], &a.nodes[j]
			hear := at.Sub(n.heard) <= silence && at.Sub(other.heard) <= silence
			if !hear || !slices.Contains(n.peers, j) || !slices.Contains(other.peers, i) || n.holds == other.holds {
				continue
			}
			a.log.Add(check.Violation{
				Oracle: "R2", Name: "registers-agree", Observer: check.Name(i), Subject: check.Name(j),
				What: "holds " + n.holds.String(), Expected: other.holds.String() + ", as " + check.Name(j) + " does",
			})
			return
		}
	}
}
