package check

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nekton-go/nekton/core"
)

const violationsMax = 100 // kept in full; further ones are counted

// A Violation is one breach of one oracle.
type Violation struct {
	Step     uint64       `json:"step"`   // of the run, counted from 1; 0 before the first
	At       core.Instant `json:"at_ns"`  // virtual time
	Oracle   string       `json:"oracle"` // its ID, "S2"
	Name     string       `json:"name"`   // of the oracle
	Observer string       `json:"observer"`
	Subject  string       `json:"subject,omitempty"`  // whom it is about; empty if nobody
	What     string       `json:"what"`               // happened
	Expected string       `json:"expected,omitempty"` // instead
	Cause    string       `json:"cause,omitempty"`    // what the observer was handling: "datagram from n3"
	Before   string       `json:"before,omitempty"`   // since when the observer saw the subject as it did, and why
}

// String puts the violation on one line.
func (v Violation) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v step %d %s", time.Duration(v.At), v.Step, v.Observer)
	if v.Subject != "" {
		b.WriteString(" about " + v.Subject)
	}
	fmt.Fprintf(&b, ": %s %s: %s", v.Oracle, v.Name, v.What)
	for _, more := range [...]struct{ label, text string }{
		{"by ", v.Cause}, {"before: ", v.Before}, {"expected: ", v.Expected},
	} {
		if more.text != "" {
			b.WriteString("; " + more.label + more.text)
		}
	}
	return b.String()
}

// Liveness reports whether what broke is that something good did not happen in time, rather than that
// something bad happened.
func (v Violation) Liveness() bool { return strings.HasPrefix(v.Oracle, "L") }

// A Log gathers the violations of one run. Its zero value is empty.
type Log struct {
	violations []Violation
	count      int

	// The step that is being handled.
	step uint64
	at   core.Instant
	node int
	in   inputNote
}

// Add reports a violation: 100 are kept in full, and the first of every oracle; further ones are counted. Step,
// At, Observer and Cause are filled in from the step under way where v leaves them zero.
func (l *Log) Add(v Violation) {
	l.count++
	same := func(w Violation) bool { return w.Oracle == v.Oracle }
	if len(l.violations) >= violationsMax && slices.ContainsFunc(l.violations, same) {
		return
	}
	if v.Step == 0 {
		v.Step = l.step
	}
	if v.At == 0 {
		v.At = l.at
	}
	if v.Observer == "" && l.in.set {
		v.Observer = Name(l.node)
	}
	if v.Cause == "" {
		v.Cause = l.in.String()
	}
	l.violations = append(l.violations, v)
}

// Violations returns the first breaches, oldest first: 100 at most, and the first of every oracle.
func (l *Log) Violations() []Violation { return l.violations }

// Count is the number of breaches, those not kept included.
func (l *Log) Count() int { return l.count }

// begin notes the step whose effects come next.
func (l *Log) begin(at core.Instant, node int, in inputNote) {
	l.step++
	l.at, l.node, l.in = at, node, in
}

// pause notes that what comes next is nobody's step.
func (l *Log) pause(at core.Instant) { l.at, l.in = at, inputNote{} }

// An inputNote is what a step was for: enough to name it later, and cheap to keep.
type inputNote struct {
	kind core.InputKind
	set  bool
	from int32 // who sent it, or -1
}

var inputText = [...]string{
	core.InputWake: "a deadline", core.InputDatagram: "a datagram", core.InputUp: "a link that came up",
	core.InputRead: "bytes on a link", core.InputFlushed: "a link that took bytes", core.InputDown: "a link that ended",
	core.InputResolved: "a resolved name", core.InputStored: "the journal", core.InputWall: "the wall clock",
	core.InputRestore: "a snapshot", core.InputReplay: "a journal record", core.InputCommand: "a command",
}

// String names the input: "a datagram from n3".
func (n inputNote) String() string {
	if !n.set || int(n.kind) >= len(inputText) {
		return ""
	}
	if n.from >= 0 {
		return inputText[n.kind] + " from " + Name(int(n.from))
	}
	return inputText[n.kind]
}
