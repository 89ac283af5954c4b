package wasi

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/nekton-go/nekton/codec/abi"
)

// Config configures a Module. The zero value of a field means its default.
type Config struct {
	MemoryPages uint32 // most memory of one instance, in pages of 64 KiB, at most 65,536; default 4096 (256 MiB)
	StepBudget  uint64 // most work of one call into a guest; default 1<<30, seconds when compiled; see Instance.Work
	StderrMax   int    // bytes kept of what a guest says before it fails; default 4 KiB

	// Interpreter runs the guest without compiling it: fifty times slower, and available everywhere.
	Interpreter bool
	// CacheDir keeps compiled guests on disk, so that the next process opens them in milliseconds.
	CacheDir string
	// Seed is what instances answer a guest that asks for random bytes: the Go runtime does, once.
	// No node of ours depends on it.
	Seed [32]byte
	// Catalog names the commands and events that cross as themselves; default abi.NewCatalog().
	Catalog *abi.Catalog
	// OnTrap is told once for every instance that fails, from within the call that failed.
	OnTrap func(*Instance, error)
}

const memoryPagesMax = 1 << 16

// ErrNotGuest is wrapped by the error of Open for WebAssembly that is no guest of this version.
var ErrNotGuest = errors.New("not a nekton guest")

// A Module is a compiled guest. Its methods are safe for concurrent use.
type Module struct {
	config   Config
	runtime  wazero.Runtime
	cache    wazero.CompilationCache
	compiled wazero.CompiledModule
}

// Open compiles a guest. Errors: one that wraps ErrNotGuest if the bytes are no WebAssembly, import what a
// guest may not have, or lack what a guest must have; one from the file system for CacheDir.
func Open(ctx context.Context, guest []byte, c Config) (*Module, error) {
	c = c.withDefaults()
	if c.MemoryPages > memoryPagesMax {
		return nil, fmt.Errorf("wasi: MemoryPages is %d; a guest can have at most %d", c.MemoryPages, memoryPagesMax)
	}
	rewritten, err := rewrite(guest, c.StepBudget)
	if err != nil {
		return nil, fmt.Errorf("wasi: %w: %w", ErrNotGuest, err)
	}
	rc := wazero.NewRuntimeConfig()
	if c.Interpreter {
		rc = wazero.NewRuntimeConfigInterpreter()
	}
	rc = rc.WithMemoryLimitPages(c.MemoryPages)
	m := &Module{config: c}
	if c.CacheDir != "" {
		if m.cache, err = wazero.NewCompilationCacheWithDir(c.CacheDir); err != nil {
			return nil, fmt.Errorf("wasi: compilation cache: %w", err)
		}
		rc = rc.WithCompilationCache(m.cache)
	}
	m.runtime = wazero.NewRuntimeWithConfig(ctx, rc)
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, m.runtime); err != nil {
		return nil, errors.Join(fmt.Errorf("wasi: %w", err), m.Close(ctx))
	}
	if m.compiled, err = compile(ctx, m.runtime, rewritten); err != nil {
		return nil, errors.Join(fmt.Errorf("wasi: %w: %w", ErrNotGuest, err), m.Close(ctx))
	}
	if err := m.check(); err != nil {
		return nil, errors.Join(fmt.Errorf("wasi: %w: %w", ErrNotGuest, err), m.Close(ctx))
	}
	return m, nil
}

// compile turns a panic into an error: wazero's validation runs into some on malformed modules.
func compile(ctx context.Context, r wazero.Runtime, guest []byte) (m wazero.CompiledModule, err error) {
	defer func() {
		if what := recover(); what != nil {
			err = fmt.Errorf("it cannot be compiled: %v", what)
		}
	}()
	return r.CompileModule(ctx, guest)
}

func (c Config) withDefaults() Config {
	if c.MemoryPages == 0 {
		c.MemoryPages = 4096
	}
	if c.StepBudget == 0 {
		c.StepBudget = 1 << 30
	}
	c.StepBudget = min(c.StepBudget, math.MaxInt64)
	if c.StderrMax == 0 {
		c.StderrMax = 4 << 10
	}
	if c.Catalog == nil {
		c.Catalog = abi.NewCatalog()
	}
	return c
}

// Close frees the module and all its instances: their nodes fail.
func (m *Module) Close(ctx context.Context) error {
	err := m.runtime.Close(ctx)
	if m.cache != nil {
		err = errors.Join(err, m.cache.Close(ctx))
	}
	return err
}

// Imports lists what the guest imports, as "module.name", sorted.
func (m *Module) Imports() []string {
	var names []string
	for _, f := range m.compiled.ImportedFunctions() {
		module, name, _ := f.Import()
		names = append(names, module+"."+name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// signature is the type of an exported function.
type signature struct{ params, results []api.ValueType }

var (
	i32 = api.ValueTypeI32
	i64 = api.ValueTypeI64
)

// exports are what every guest has, in the order in which a stranger is told what is missing.
var exports = []struct {
	name string
	signature
}{
	{abi.ExportABI, signature{nil, []api.ValueType{i32}}},
	{abi.ExportInbuf, signature{[]api.ValueType{i32}, []api.ValueType{i32}}},
	{abi.ExportNew, signature{[]api.ValueType{i32}, []api.ValueType{i64}}},
	{abi.ExportStep, signature{[]api.ValueType{i32, i64, i32}, []api.ValueType{i64}}},
	{abi.ExportStats, signature{[]api.ValueType{i32}, []api.ValueType{i64}}},
	{abi.ExportFree, signature{[]api.ValueType{i32}, nil}},
	{"_initialize", signature{}},
}

// check tells a guest from any other WebAssembly.
func (m *Module) check() error {
	for _, f := range m.compiled.ImportedFunctions() {
		if module, name, _ := f.Import(); module != wasi_snapshot_preview1.ModuleName {
			return fmt.Errorf("it imports %s.%s; a guest imports nothing but WASI", module, name)
		}
	}
	have := m.compiled.ExportedFunctions()
	for _, e := range exports {
		f := have[e.name]
		if f == nil {
			return fmt.Errorf("it does not export %s; build it with -buildmode=c-shared and package wasm", e.name)
		}
		if !slices.Equal(f.ParamTypes(), e.params) || !slices.Equal(f.ResultTypes(), e.results) {
			return fmt.Errorf("its %s has another type", e.name)
		}
	}
	if m.compiled.ExportedMemories()["memory"] == nil {
		return errors.New("it does not export its memory")
	}
	return nil
}
