package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"github.com/nekton-go/nekton/codec/abi"
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/stack"
	"github.com/nekton-go/nekton/hosts/wasi"
	"github.com/nekton-go/nekton/sim"
)

const guestName = "nekton.wasm"

// guestFile says where the guest is.
func guestFile(f *pflag.FlagSet) *string {
	return f.String("wasm-file", "", "guest `file`; default: "+guestName+" beside this program")
}

// openGuest reads and compiles a guest. Every error is misuse.
func openGuest(ctx context.Context, file string, c wasi.Config) (*wasi.Module, error) {
	advice := "choose another -wasm-file"
	if file == "" {
		program, err := os.Executable()
		if err != nil {
			return nil, misuse(fmt.Errorf("find %s: %w; say where it is with -wasm-file", guestName, err))
		}
		file = filepath.Join(filepath.Dir(program), guestName)
		advice = "run make build, or say where it is with -wasm-file"
	}
	code, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, misuse(fmt.Errorf("there is no guest %s; %s", file, advice))
	}
	if err != nil {
		return nil, misuse(fmt.Errorf("read the guest: %w", err))
	}
	c.CacheDir = compiledGuests()
	module, err := wasi.Open(ctx, code, c)
	if err != nil {
		return nil, misuse(fmt.Errorf("guest %s: %w", file, err))
	}
	return module, nil
}

// compiledGuests is where compiled guests are kept for the next time, or nowhere: then that takes a second longer.
func compiledGuests() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	if dir = filepath.Join(dir, "nekton"); os.MkdirAll(dir, 0o700) != nil {
		return ""
	}
	return dir
}

// guestNode makes a node in an instance. The dialect of c does not cross: guests bring theirs.
func guestNode(instance *wasi.Instance, c *stack.Config) (*wasi.Node, error) {
	return instance.NewNode(abi.NodeConfig{Seed: c.Seed, Swim: c.Swim, MTU: c.MTU, Check: c.Check})
}

// simGuest says what the nodes of a simulation are made of.
type simGuest struct {
	kind        *string
	file        *string
	interpreter *bool
}

func defineSimGuest(f *pflag.FlagSet) simGuest {
	return simGuest{
		kind:        f.String("guest", "native", "`kind` of the nodes: native or wasm"),
		file:        guestFile(f),
		interpreter: f.Bool("interpreter", false, "interpret the guest instead of compiling it"),
	}
}

// run runs a simulation with nodes of the kind asked for. Guest nodes share one instance.
func (g simGuest) run(ctx context.Context, o sim.Options) (sim.Result, error) {
	switch *g.kind {
	case "native":
		if *g.file != "" || *g.interpreter {
			return sim.Result{}, misuse(errors.New("-wasm-file and -interpreter are for -guest wasm"))
		}
		return sim.Run(o)
	case "wasm":
		if o.Converged {
			return sim.Result{}, misuse(errors.New("-converged is for -guest native: guests share no memory"))
		}
	default:
		return sim.Result{}, misuse(fmt.Errorf("-guest %q: use native or wasm", *g.kind))
	}
	module, err := openGuest(ctx, *g.file, wasi.Config{Interpreter: *g.interpreter})
	if err != nil {
		return sim.Result{}, err
	}
	defer module.Close(ctx)
	instance, err := module.NewInstance(ctx)
	if err != nil {
		return sim.Result{}, misuse(err)
	}
	nodes := map[int]*wasi.Node{}
	o.NewNode = func(index int, c stack.Config) (core.Verbs, error) {
		if before := nodes[index]; before != nil {
			before.Free() // that process has ended
		}
		node, err := guestNode(instance, &c)
		nodes[index] = node
		return node, err
	}
	result, err := sim.Run(o)
	return result, errors.Join(err, instance.Err())
}
