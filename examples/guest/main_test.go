package main

import (
	"context"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/codec/abi"
	"github.com/nekton-go/nekton/codec/cbor"
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/stack"
	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/hosts/wasi"
)

// A world is some nodes and a network without delay or loss.
type world struct {
	now   core.Instant
	addrs []netip.AddrPort
	nodes []core.Verbs // nodes[k] is at addrs[k]
	queue []delivery
	told  []core.Event // what the nodes told their applications
}

// delivery is a datagram on its way.
type delivery struct {
	to, from netip.AddrPort
	data     []byte
}

// step is what every host does: one input, then all effects.
func (w *world) step(k int, in core.Input) {
	var stored []core.Token
	w.nodes[k].Step(w.now, in)
	for e, ok := w.nodes[k].Next(); ok; e, ok = w.nodes[k].Next() {
		switch e.Kind {
		case core.EffectSend: // the data is borrowed
			w.queue = append(w.queue, delivery{to: e.To, from: w.addrs[k], data: slices.Clone(e.Data)})
		case core.EffectAppend, core.EffectCompact: // into a journal that forgets
			stored = append(stored, e.Token)
		case core.EffectEmit:
			w.told = append(w.told, e.Event)
		}
	}
	for _, token := range stored {
		w.step(k, core.Input{Kind: core.InputStored, Token: token})
	}
}

// run delivers datagrams, and wakes nodes when there are none, until the given instant.
func (w *world) run(until core.Instant) {
	for w.now < until {
		if len(w.queue) > 0 {
			d := w.queue[0]
			w.queue = w.queue[1:]
			if k := slices.Index(w.addrs, d.to); k >= 0 {
				w.step(k, core.Input{Kind: core.InputDatagram, From: d.from, Data: d.data})
			}
			continue
		}
		next := 0
		for k := range w.nodes {
			if w.nodes[k].Deadline() < w.nodes[next].Deadline() {
				next = k
			}
		}
		w.now = max(w.now, w.nodes[next].Deadline())
		w.step(next, core.Input{Kind: core.InputWake})
	}
}

func config(i byte, name string) abi.NodeConfig {
	c := abi.NodeConfig{Seed: [32]byte{i}, Swim: swim.Local(), Custom: []byte("hello from " + name)}
	c.Swim.Name, c.Swim.Addr = name, netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, i}), 7946)
	return c
}

// TestAGuestAndANativeNodeGreetEachOther runs one member in WebAssembly and one natively, with the same
// machine of ours above membership.
func TestAGuestAndANativeNodeGreetEachOther(t *testing.T) {
	ctx := context.Background()
	module, err := wasi.Open(ctx, build(t), wasi.Config{Catalog: abi.NewCatalog(Register)})
	require.NoError(t, err)
	defer func() { require.NoError(t, module.Close(ctx)) }()

	inside, outside := config(1, "inside"), config(2, "outside")
	guest, err := module.NewPool(wasi.PoolConfig{}).NewNode(ctx, inside)
	require.NoError(t, err)
	above, err := Mount(&outside)
	require.NoError(t, err)
	dialect := cbor.New(cbor.Config{})
	native, err := stack.New(stack.Config{
		Seed: outside.Seed, Swim: outside.Swim, Dialect: dialect, Above: above,
	})
	require.NoError(t, err)

	w := &world{
		now:   1,
		addrs: []netip.AddrPort{inside.Swim.Addr, outside.Swim.Addr},
		nodes: []core.Verbs{guest, native},
	}
	w.step(0, core.Input{Kind: core.InputWake})
	w.step(1, core.Input{Kind: core.InputWake})
	// Members join over links, which this world does not have: one hears the other announced instead.
	other := swim.Record{
		Name: outside.Swim.Name, Addr: outside.Swim.Addr, Incarnation: 1, Versions: outside.Swim.Versions,
	}
	part, err := dialect.AppendMessage(nil, &swim.Announce{Record: other})
	require.NoError(t, err)
	w.step(0, core.Input{
		Kind: core.InputDatagram, From: outside.Swim.Addr, Data: dialect.AppendDatagram(nil, [][]byte{part}),
	})
	w.run(core.Instant(10 * time.Second))
	require.NoError(t, guest.Err())
	require.Contains(t, w.told, &Greeted{Words: "hello from outside"}, "the guest was greeted")
	require.Contains(t, w.told, &Greeted{Words: "hello from inside"}, "the guest greeted")
}

func TestAGuestWithoutAGreeting(t *testing.T) {
	ctx := context.Background()
	module, err := wasi.Open(ctx, build(t), wasi.Config{Interpreter: true})
	require.NoError(t, err)
	c := config(1, "inside")
	c.Custom = nil
	_, err = module.NewPool(wasi.PoolConfig{}).NewNode(ctx, c)
	require.ErrorContains(t, err, "the guest refuses the node: greeter: NodeConfig.Custom must be the greeting")
	require.NoError(t, module.Close(ctx))
}

// build compiles this package as a guest.
func build(t *testing.T) []byte {
	file := filepath.Join(t.TempDir(), "greeter.wasm")
	cmd := exec.Command("go", "build", "-buildmode=c-shared", "-o", file, ".")
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	guest, err := os.ReadFile(file)
	require.NoError(t, err)
	return guest
}
