package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/spf13/pflag"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/stack"
	"github.com/nekton-go/nekton/hosts/wasi"
	"github.com/nekton-go/nekton/sim"
)

// nodesFlags say what the nodes of a simulation are made of.
type nodesFlags struct {
	kind        *string
	file        *string
	interpreter *bool
}

func defineNodes(f *pflag.FlagSet) nodesFlags {
	return nodesFlags{
		kind:        f.String("guest", "native", "`kind` of the nodes: native or wasm"),
		file:        guestFile(f),
		interpreter: f.Bool("interpreter", false, "interpret the guest instead of compiling it"),
	}
}

// open makes ready to simulate.
func (f nodesFlags) open(ctx context.Context) (*simNodes, error) {
	switch *f.kind {
	case "native":
		if *f.file != "" || *f.interpreter {
			return nil, misuse(errors.New("-wasm-file and -interpreter are for -guest wasm"))
		}
		return &simNodes{kind: "native"}, nil
	case "wasm":
		return openWasm(ctx, *f.file, *f.interpreter)
	}
	return nil, misuse(fmt.Errorf("-guest %q: use native or wasm", *f.kind))
}

// simNodes runs simulations with nodes of one kind. Runs may be made at the same time.
type simNodes struct {
	kind   string
	module *wasi.Module // nil for native nodes
	native sim.Factory  // makes those; nil: as they are
}

func openWasm(ctx context.Context, file string, interpreter bool) (*simNodes, error) {
	module, err := openGuest(ctx, file, wasi.Config{Interpreter: interpreter})
	if err != nil {
		return nil, err
	}
	return &simNodes{kind: "wasm", module: module}, nil
}

func (n *simNodes) close(ctx context.Context) error {
	if n.module == nil {
		return nil
	}
	return n.module.Close(ctx)
}

// simulate runs a case until ctx ends, with an error that errors.Is can tell from others. Bad cases are misuse.
func (n *simNodes) simulate(ctx context.Context, c sim.Case, h sim.Harness) (sim.Result, error) {
	if err := ctx.Err(); err != nil {
		return sim.Result{}, err
	}
	var over atomic.Bool
	defer context.AfterFunc(ctx, func() { over.Store(true) })()
	stop := h.Stop
	h.Stop = func() bool { return over.Load() || stop != nil && stop() }
	result, err := n.run(ctx, c, h)
	switch {
	case errors.Is(err, sim.ErrStopped) && over.Load():
		return result, ctx.Err()
	case errors.Is(err, sim.ErrOptions):
		return result, misuse(err)
	}
	return result, err
}

// run is sim.Simulate. Guest nodes of one run share an instance.
func (n *simNodes) run(ctx context.Context, c sim.Case, h sim.Harness) (result sim.Result, err error) {
	if n.module == nil {
		h.NewNode = n.native
		return sim.Simulate(c, h)
	}
	if c.Converged {
		return result, misuse(errors.New("a run that begins converged is for -guest native: guests share no memory"))
	}
	instance, err := n.module.NewInstance(ctx)
	if err != nil {
		return result, misuse(err)
	}
	defer func() { err = errors.Join(err, instance.Close(context.WithoutCancel(ctx))) }()
	nodes := map[int]*wasi.Node{}
	h.NewNode = func(index int, c stack.Config) (core.Verbs, error) {
		if before := nodes[index]; before != nil {
			before.Free() // that process has ended
		}
		node, err := guestNode(instance, &c)
		nodes[index] = node
		return loudGuest{node}, err
	}
	return sim.Simulate(c, h)
}

// seeing are the same nodes, but that native ones take down where they panic.
func (n *simNodes) seeing(calls *[]string) *simNodes {
	if n.module != nil {
		return n
	}
	return &simNodes{kind: n.kind, native: panicking(n.native, calls)}
}

// loudGuest panics when its guest fails, as a native node would.
type loudGuest struct{ *wasi.Node }

func (g loudGuest) Step(now core.Instant, in core.Input) {
	g.Node.Step(now, in)
	if err := g.Err(); err != nil {
		panic(err)
	}
}
