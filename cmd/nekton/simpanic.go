package main

import (
	"fmt"
	"path"
	"runtime"
	"strings"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/stack"
	"github.com/nekton-go/nekton/sim"
)

// callsMax is how many calls are shown of those that were under way when a node panicked.
const callsMax = 8

// panicking makes nodes that take down where they panic, innermost call first, before they do.
func panicking(make sim.Factory, calls *[]string) sim.Factory {
	return func(i int, c stack.Config) (core.Verbs, error) {
		if make == nil {
			verbs, err := stack.New(c)
			return &witness{verbs, calls}, err
		}
		verbs, err := make(i, c)
		return &witness{verbs, calls}, err
	}
}

// witness is a node.
type witness struct {
	core.Verbs
	calls *[]string
}

// Step implements core.Verbs.
func (w *witness) Step(now core.Instant, in core.Input) {
	returned := false
	defer func() {
		if !returned {
			*w.calls = callsOfPanic()
		}
	}()
	w.Verbs.Step(now, in)
	returned = true
}

// callsOfPanic lists the calls of a panic, seen from a function that it deferred to.
func callsOfPanic() (calls []string) {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	for more := true; more && len(calls) < callsMax; {
		var f runtime.Frame
		f, more = frames.Next()
		switch {
		case strings.HasPrefix(f.Function, "runtime."):
		case strings.HasSuffix(f.Function, "(*witness).Step"):
			return calls
		default:
			name := strings.TrimPrefix(f.Function, "github.com/nekton-go/nekton/")
			calls = append(calls, fmt.Sprintf("%s (%s:%d)", name, path.Base(f.File), f.Line))
		}
	}
	return calls
}
