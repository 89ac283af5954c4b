package wasi_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/codec/abi"
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/stack"
	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/hosts/wasi"
	_ "github.com/nekton-go/nekton/wasm" // in the guests: a change there makes test results stale
)

// The guests of these tests, built once by TestMain.
var standard, unruly []byte

// cache holds what wazero compiled them to.
var cache string

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "nekton-guests-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	cache = filepath.Join(dir, "cache")
	standard = build(filepath.Join(dir, "nekton.wasm"), "../../wasm/guest")
	unruly = build(filepath.Join(dir, "unruly.wasm"), "./testdata/unruly")
	return m.Run()
}

func build(to, pkg string) []byte {
	if _, err := os.Stat(filepath.Join(pkg, "main.go")); err != nil { // so do changes here
		panic(err)
	}
	cmd := exec.Command("go", "build", "-buildmode=c-shared", "-o", to, pkg)
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if out, err := cmd.CombinedOutput(); err != nil {
		panic(fmt.Sprintf("%v: %s", err, out))
	}
	guest, err := os.ReadFile(to)
	if err != nil {
		panic(err)
	}
	return guest
}

func open(tb testing.TB, guest []byte, c wasi.Config) *wasi.Module {
	if !c.Interpreter {
		c.CacheDir = cache
	}
	m, err := wasi.Open(context.Background(), guest, c)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, m.Close(context.Background())) })
	return m
}

func newInstance(tb testing.TB, m *wasi.Module) *wasi.Instance {
	i, err := m.NewInstance(context.Background())
	require.NoError(tb, err)
	return i
}

func addr(i int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 7946)
}

func configOf(i int) abi.NodeConfig {
	c := abi.NodeConfig{Swim: swim.LAN(), Check: true}
	c.Seed[0], c.Seed[1] = byte(i), byte(i>>8)
	c.Swim.Name, c.Swim.Addr = fmt.Sprintf("n%d", i), addr(i)
	return c
}

func newNode(tb testing.TB, i *wasi.Instance, c abi.NodeConfig) *wasi.Node {
	n, err := i.NewNode(c)
	require.NoError(tb, err)
	return n
}

func TestTheGuestImportsNothingButWASI(t *testing.T) {
	golden, err := os.ReadFile("testdata/imports.txt")
	require.NoError(t, err)
	for name, guest := range map[string][]byte{"standard": standard, "unruly": unruly} {
		imports := strings.Join(open(t, guest, wasi.Config{}).Imports(), "\n") + "\n"
		require.Equal(t, string(golden), imports, name)
	}
}

// order makes the unruly node of n do something.
func order(n *wasi.Node, what string) (said string) {
	n.Step(1, core.Input{Kind: core.InputReplay, Proto: stack.FirstFree, Data: []byte(what)})
	for e, ok := n.Next(); ok; e, ok = n.Next() {
		said = string(e.Data)
	}
	return said
}

func TestAGuestThatFailsTakesNobodyWithIt(t *testing.T) {
	for _, interpreter := range []bool{false, true} {
		for what, why := range map[string]string{
			"panic":   "panic: as ordered",
			"exit":    "exit_code(3)",
			"loop":    wasi.ErrBudget.Error(),
			"fill":    wasi.ErrBudget.Error(),
			"recurse": wasi.ErrBudget.Error(),
			"sleep":   "it waits or sleeps",
			"wait":    "fatal error: all goroutines are asleep - deadlock!",
			"hoard":   "runtime: out of memory",
		} {
			t.Run(fmt.Sprintf("%s/interpreter=%v", what, interpreter), func(t *testing.T) {
				var trapped []error
				m := open(t, unruly, wasi.Config{
					Interpreter: interpreter, StepBudget: 1 << 22, MemoryPages: 512,
					OnTrap: func(_ *wasi.Instance, err error) { trapped = append(trapped, err) },
				})
				one, other := newInstance(t, m), newInstance(t, m)
				victim, neighbour := newNode(t, one, configOf(1)), newNode(t, one, configOf(2))
				stranger := newNode(t, other, configOf(3))
				require.Equal(t, "hello", order(victim, "hello"))

				order(victim, what)
				var trap *wasi.TrapError
				require.ErrorAs(t, victim.Err(), &trap)
				require.ErrorContains(t, trap, why)
				require.Equal(t, []error{victim.Err()}, trapped)

				require.Equal(t, victim.Err(), neighbour.Err(), "its instance is gone")
				for _, n := range []*wasi.Node{victim, neighbour} {
					require.Empty(t, order(n, "hello"))
					require.Equal(t, core.Never, n.Deadline())
					require.Equal(t, core.Stats{}, n.Stats())
					n.Free()
				}
				_, err := one.NewNode(configOf(4))
				require.ErrorIs(t, err, victim.Err())
				require.Len(t, trapped, 1)

				require.Equal(t, "hello", order(stranger, "hello"), "another instance is not")
				require.Equal(t, "hello", order(newNode(t, newInstance(t, m), configOf(1)), "hello"), "nor is a new one")
			})
		}
	}
}

func TestTheBudgetCutsAtTheSameInstruction(t *testing.T) {
	// How far a guest that hoards memory gets is how much work it did.
	memory := map[bool]uint32{}
	for _, interpreter := range []bool{false, true} {
		c := wasi.Config{Interpreter: interpreter, StepBudget: 100_000}
		n := newNode(t, newInstance(t, open(t, unruly, c)), configOf(1))
		order(n, "hoard")
		require.ErrorIs(t, n.Err(), wasi.ErrBudget)
		memory[interpreter] = n.Instance().Memory()
	}
	require.Equal(t, memory[false], memory[true])
}

func TestGarbageIsCollected(t *testing.T) {
	i := newInstance(t, open(t, unruly, wasi.Config{}))
	n := newNode(t, i, configOf(1))
	order(n, "garbage")
	require.NoError(t, n.Err())
	require.Less(t, i.Memory(), uint32(64<<20))
}

func TestLargeRecordsCross(t *testing.T) {
	n := newNode(t, newInstance(t, open(t, unruly, wasi.Config{})), configOf(1))
	for _, size := range []int{abi.InputBuffer - 100, abi.InputBuffer, abi.InputBuffer + 1, 5 << 20, 10} {
		what := strings.Repeat("x", size)
		require.True(t, order(n, what) == what, "%d bytes", size)
	}
	require.NoError(t, n.Err())
}

func TestWhatIsNoGuest(t *testing.T) {
	but := func(old, changed string) string { return strings.Replace(string(standard), old, changed, 1) }
	for name, c := range map[string]struct{ wasm, why string }{
		"empty file":    {"", "not a WebAssembly module"},
		"text":          {"#!/bin/sh\necho hello\n", "not a WebAssembly module"},
		"empty module":  {"\x00asm\x01\x00\x00\x00", "it has no globals, no exports or no code"},
		"cut short":     {string(standard[:len(standard)/2]), "cut short"},
		"other imports": {but("wasi_snapshot_preview1", "wasi_snapshot_preview9"), "imports nothing but WASI"},
		"no step":       {but("\x0bnekton_step", "\x0bnekton_stop"), "does not export nekton_step"},
	} {
		_, err := wasi.Open(context.Background(), []byte(c.wasm), wasi.Config{Interpreter: true})
		require.ErrorIs(t, err, wasi.ErrNotGuest, name)
		require.ErrorContains(t, err, c.why, name)
	}
}

// TestFlippedBits opens guests with damage. Each is refused, or runs into a trap, or runs.
func TestFlippedBits(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 40 {
		damaged := append([]byte{}, standard...)
		for range 1 + r.IntN(3) {
			damaged[r.IntN(len(damaged))] ^= 1 << r.IntN(8)
		}
		m, err := wasi.Open(context.Background(), damaged, wasi.Config{Interpreter: true, StepBudget: 1 << 22})
		if err != nil {
			require.ErrorIs(t, err, wasi.ErrNotGuest)
			continue
		}
		if i, err := m.NewInstance(context.Background()); err == nil {
			if n, err := i.NewNode(configOf(1)); err == nil {
				n.Step(1, core.Input{Kind: core.InputWake})
				for _, ok := n.Next(); ok; _, ok = n.Next() {
				}
			}
		}
		require.NoError(t, m.Close(context.Background()))
	}
}

func TestARefusedNodeLeavesTheInstanceAsItWas(t *testing.T) {
	i := newInstance(t, open(t, standard, wasi.Config{}))
	_, err := i.NewNode(abi.NodeConfig{})
	require.ErrorContains(t, err, "the guest refuses the node")
	c := configOf(1)
	c.Custom = []byte("x")
	_, err = i.NewNode(c)
	require.ErrorContains(t, err, "no use for NodeConfig.Custom")
	require.NoError(t, i.Err())
	require.Zero(t, i.Nodes())
	n := newNode(t, i, configOf(1))
	n.Step(1, core.Input{Kind: core.InputWake})
	require.Equal(t, uint64(1), drained(n).Stats().Steps)
	n.Free()
	require.Zero(t, i.Nodes())
}

func drained(n *wasi.Node) *wasi.Node {
	for _, ok := n.Next(); ok; _, ok = n.Next() {
	}
	return n
}

// stranger is a command that no catalog has.
type stranger struct{}

func (stranger) Proto() core.Proto { return swim.Proto }
func (stranger) CommandID() uint64 { return 77 }

func TestACommandThatCannotCrossEnds(t *testing.T) {
	n := newNode(t, newInstance(t, open(t, standard, wasi.Config{})), configOf(1))
	n.Step(1, core.Input{Kind: core.InputCommand, Command: stranger{}})
	e, ok := n.Next()
	require.True(t, ok)
	require.Equal(t, uint64(77), e.Event.(core.Completion).Completes())
	require.Equal(t, core.FaultInvalid, e.Event.(core.Completion).Outcome())
	_, ok = n.Next()
	require.False(t, ok)
}

func TestABrokenHostPanics(t *testing.T) {
	n := newNode(t, newInstance(t, open(t, standard, wasi.Config{})), configOf(1))
	n.Step(1, core.Input{Kind: core.InputWake})
	require.Panics(t, func() { n.Step(2, core.Input{}) }, "not drained")
	drained(n)
	require.Panics(t, func() { n.Step(2, core.Input{Kind: core.InputMessage}) })
}

func TestTwoThousandNodesInOneProcess(t *testing.T) {
	const nodes, perInstance = 2000, 250
	pool := open(t, standard, wasi.Config{}).NewPool(wasi.PoolConfig{PerInstance: perInstance})
	before, memory := time.Now(), uint64(0)
	for k := range nodes {
		c := configOf(k)
		c.Check = false
		n, err := pool.NewNode(context.Background(), c)
		require.NoError(t, err)
		n.Step(1, core.Input{Kind: core.InputWake})
		require.NoError(t, drained(n).Err())
	}
	require.Len(t, pool.Instances(), nodes/perInstance)
	for _, i := range pool.Instances() {
		memory += uint64(i.Memory())
	}
	t.Logf("%d nodes: %d MiB of guest memory, %v", nodes, memory>>20, time.Since(before).Round(time.Millisecond))
	require.Less(t, memory, uint64(1<<30))
	require.NoError(t, pool.Close(context.Background()))
	require.Empty(t, pool.Instances())
}

func TestAFailedNodeIsRestarted(t *testing.T) {
	ctx := context.Background()
	pool := open(t, unruly, wasi.Config{}).NewPool(wasi.PoolConfig{PerInstance: 2, RestartsMax: 2})
	n, err := pool.NewNode(ctx, configOf(1))
	require.NoError(t, err)
	require.Panics(t, func() { _, _ = pool.Restart(ctx, 1, n) }, "it works")
	start := core.Instant(time.Hour)
	for k, at := range []core.Instant{start, start + 1, start.Add(time.Minute), start.Add(time.Minute + 1)} {
		order(n, "panic")
		require.Error(t, n.Err())
		again, err := pool.Restart(ctx, at, n)
		require.NoError(t, err, k)
		require.Equal(t, "hello", order(again, "hello"))
		n = again
	}
	order(n, "panic")
	_, err = pool.Restart(ctx, start.Add(time.Minute+2), n)
	require.ErrorIs(t, err, wasi.ErrRestarts)
	require.ErrorContains(t, err, "panic: as ordered")
	require.NoError(t, pool.Close(ctx))
}

// TestCollectingGarbageDoesNotDragOn makes a guest keep ever more memory between pings. A collection of
// garbage that is under way makes every step dearer: so steps must not see one.
func TestCollectingGarbageDoesNotDragOn(t *testing.T) {
	c := configOf(1)
	c.Check = false
	n := newNode(t, newInstance(t, open(t, unruly, wasi.Config{})), c)
	p := newPinged(t, n, 0)
	usual, dear := n.Instance().Work(), 0
	for range 20 {
		order(n, "keep")
		for range 5000 {
			if p.step(p.in); n.Instance().Work() > usual {
				dear++
			}
		}
	}
	require.NoError(t, n.Err())
	t.Logf("%d rounds a ping; %d of 100000 pings cost more", usual, dear)
	require.Less(t, dear, 500)
}
