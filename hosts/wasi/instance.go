package wasi

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/sys"

	"github.com/nekton-go/nekton/codec/abi"
	"github.com/nekton-go/nekton/core"
)

// An Instance is a guest at work: one memory, one thread, many nodes. Drive all its nodes from one
// goroutine; different instances may run in parallel.
type Instance struct {
	module *Module
	guest  api.Module
	memory api.Memory
	step   api.Function
	budget api.MutableGlobal // counts down: see meter.go
	stack  [3]uint64         // arguments and result of step

	now     core.Instant // what the guest's clocks say
	stderr  words
	inbuf   uint32 // address of the input buffer
	drained bool   // the effects of the last step have all been seen
	nodes   int
	err     error
}

// NewInstance starts the guest. Errors: one that wraps ErrNotGuest if it speaks another version of
// package abi, a *TrapError if it fails already.
func (m *Module) NewInstance(ctx context.Context) (*Instance, error) {
	i := &Instance{module: m, drained: true, stderr: words{max: m.config.StderrMax}}
	rc := wazero.NewModuleConfig().
		WithName("").
		WithStartFunctions("_initialize").
		WithRandSource(rand.NewChaCha8(m.config.Seed)).
		WithWalltime(i.walltime, sys.ClockResolution(1)).
		WithNanotime(i.nanotime, sys.ClockResolution(1)).
		WithNanosleep(nanosleep).
		WithStdout(&i.stderr).
		WithStderr(&i.stderr)
	var err error
	if i.guest, err = m.runtime.InstantiateModule(ctx, m.compiled, rc); err != nil {
		return nil, i.fail(err)
	}
	i.memory = i.guest.Memory()
	i.step = i.guest.ExportedFunction(abi.ExportStep)
	i.budget = i.guest.ExportedGlobal(budgetExport).(api.MutableGlobal)
	version, err := i.call(abi.ExportABI)
	if err != nil {
		return nil, err
	}
	if version != abi.Version {
		err := fmt.Errorf("wasi: %w: it speaks version %d of its boundary, this host %d",
			ErrNotGuest, version, abi.Version)
		return nil, errors.Join(err, i.Close(ctx))
	}
	address, err := i.call(abi.ExportInbuf, 0)
	if err != nil {
		return nil, err
	}
	i.inbuf = uint32(address)
	if _, ok := i.memory.Read(i.inbuf, abi.InputBuffer); !ok {
		return nil, i.fail(fmt.Errorf("its input buffer at %#x is not in its memory", i.inbuf))
	}
	return i, nil
}

// Close ends the guest. Its nodes fail.
func (i *Instance) Close(ctx context.Context) error {
	if i.err == nil {
		i.err = errClosed
	}
	return i.guest.Close(ctx)
}

// Err is why the instance failed, or nil while it works.
func (i *Instance) Err() error { return i.err }

// Nodes is how many nodes it holds.
func (i *Instance) Nodes() int { return i.nodes }

// Memory is the size of the guest's memory in bytes. It never shrinks.
func (i *Instance) Memory() uint32 { return i.memory.Size() }

// Work is how much of Config.StepBudget the last call used: rounds of loops, calls of functions that have
// none, and one for every 64 bytes copied or cleared at once.
func (i *Instance) Work() uint64 { return i.module.config.StepBudget - i.budget.Get() }

// The guest's clocks stand still at the time of the step: how often it reads them changes nothing.
// The Go runtime does not start on a clock that says 0.
func (i *Instance) nanotime() int64 { return max(1, int64(i.now)) }

func (i *Instance) walltime() (sec int64, nsec int32) {
	return int64(i.now) / 1e9, int32(int64(i.now) % 1e9)
}

// nanosleep fails a guest that sleeps. The Go runtime itself naps, for less, on its way to a panic's
// message; a guest that does the same for ever spends its budget.
func nanosleep(ns int64) {
	if time.Duration(ns) > time.Millisecond {
		panic(errSleep)
	}
}

var (
	errSleep  = errors.New("it waits or sleeps; a machine says when to wake it by its Deadline")
	errClosed = errors.New("wasi: the instance is closed")
)

// A TrapError says how an instance failed: a panic or another trap, work or memory beyond its bounds, or
// an answer that makes no sense. Nothing of the instance can be used any more.
type TrapError struct {
	Cause  error  // with the guest's stack, if it trapped
	Stderr string // what the guest said during the call, at most Config.StderrMax bytes
}

// Error implements error, on one line.
func (e *TrapError) Error() string {
	what, _, _ := strings.Cut(e.Cause.Error(), "\n")
	if e.Stderr == "" {
		return "wasi: the guest failed: " + what
	}
	said, _, _ := strings.Cut(e.Stderr, "\n")
	return fmt.Sprintf("wasi: the guest failed: %s; it said: %s", what, said)
}

// Unwrap returns the cause.
func (e *TrapError) Unwrap() error { return e.Cause }

// ErrBudget is the cause of a TrapError when a call did more work than Config.StepBudget.
var ErrBudget = errors.New("its budget for one step is spent")

// fail ends the instance for a reason, once.
func (i *Instance) fail(cause error) error {
	if i.err != nil {
		return i.err
	}
	if i.budget != nil && int64(i.budget.Get()) <= 0 {
		cause = ErrBudget
	}
	trap := &TrapError{Cause: cause, Stderr: string(i.stderr.b)}
	i.err = trap
	if i.guest != nil {
		_ = i.guest.Close(context.Background()) // it failed already; there is nothing to add
	}
	if i.module.config.OnTrap != nil {
		i.module.config.OnTrap(i, trap)
	}
	return trap
}

// refill grants the guest what it may use during one call.
func (i *Instance) refill() {
	i.budget.Set(i.module.config.StepBudget)
	i.stderr.b = i.stderr.b[:0]
}

// call calls a function that is not on the hot path. A function without a result returns 0.
func (i *Instance) call(name string, args ...uint64) (uint64, error) {
	if i.err != nil {
		return 0, i.err
	}
	i.refill()
	results, err := i.guest.ExportedFunction(name).Call(context.Background(), args...)
	if err != nil {
		return 0, i.fail(err)
	}
	if len(results) == 0 {
		return 0, nil
	}
	return results[0], nil
}

// read returns the guest's answer where it lies, until the next call.
func (i *Instance) read(s abi.Span) ([]byte, error) {
	b, ok := i.memory.Read(s.Address(), s.Size())
	if !ok || s == 0 {
		return nil, i.fail(fmt.Errorf("its answer at %#x of %d bytes is not in its memory", s.Address(), s.Size()))
	}
	return b, nil
}

// write puts a record, which is not in the guest's memory yet, into its input buffer.
func (i *Instance) write(record []byte) error {
	address := i.inbuf
	if len(record) > abi.InputBuffer {
		large, err := i.call(abi.ExportInbuf, uint64(len(record)))
		if err != nil {
			return err
		}
		address = uint32(large)
	}
	if address == 0 || !i.memory.Write(address, record) {
		return i.fail(fmt.Errorf("its input buffer at %#x is not in its memory", address))
	}
	return nil
}

// words are the first bytes a guest writes during a call: a panic says what happened before it says where.
type words struct {
	max int
	b   []byte
}

// Write implements io.Writer.
func (w *words) Write(p []byte) (int, error) {
	w.b = append(w.b, p[:min(len(p), w.max-len(w.b))]...)
	return len(p), nil
}
