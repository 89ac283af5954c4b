package wasi

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// spin is a module by hand: spin(n i32) counts n down in a loop; fib(n i32) i32 is the function that calls
// itself twice and has no loop. It has one global, of its own.
var spin = slices.Concat(
	[]byte(preamble),
	section(1, 2, 0x60, 1, 0x7f, 0, 0x60, 1, 0x7f, 1, 0x7f), // types: (i32), (i32) i32
	section(3, 2, 0, 1),
	section(sectionGlobal, 1, 0x7f, 0, 0x41, 7, opEnd),
	section(sectionExport, 2, 4, 's', 'p', 'i', 'n', 0, 0, 3, 'f', 'i', 'b', 0, 1),
	section(sectionCode, slices.Concat([]byte{2}, sized(
		0, opLoop, blockEmpty, 0x20, 0, 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0, opEnd, opEnd,
	), sized(
		0, 0x20, 0, 0x41, 2, 0x48, opIf, 0x7f, 0x20, 0, 0x05,
		0x20, 0, 0x41, 1, 0x6b, opCall, 1, 0x20, 0, 0x41, 2, 0x6b, opCall, 1, 0x6a, opEnd, opEnd,
	))...),
)

func section(id byte, body ...byte) []byte { return append([]byte{id}, sized(body...)...) }

func sized(body ...byte) []byte { return append([]byte{byte(len(body))}, body...) }

func TestTheMeterCountsRoundsAndCalls(t *testing.T) {
	ctx := context.Background()
	metered, err := rewrite(spin, 100)
	require.NoError(t, err)
	for _, engine := range []wazero.RuntimeConfig{
		wazero.NewRuntimeConfigCompiler(), wazero.NewRuntimeConfigInterpreter(),
	} {
		r := wazero.NewRuntimeWithConfig(ctx, engine)
		m, err := r.Instantiate(ctx, metered)
		require.NoError(t, err)
		left := m.ExportedGlobal(budgetExport).(api.MutableGlobal)
		require.Equal(t, uint64(100), left.Get())
		call := func(name string, n uint64) error {
			_, err := m.ExportedFunction(name).Call(ctx, n)
			return err
		}
		require.NoError(t, call("spin", 40))
		require.Equal(t, uint64(60), left.Get())
		require.NoError(t, call("spin", 60))
		require.Zero(t, left.Get())
		require.Error(t, call("spin", 1))

		left.Set(1000)
		require.NoError(t, call("fib", 10)) // 177 calls
		require.Equal(t, uint64(1000-177), left.Get())
		require.Error(t, call("fib", 30))
		require.Zero(t, left.Get())
		left.Set(math.MaxInt64)
		require.NoError(t, call("spin", 1000))
		require.NoError(t, r.Close(ctx))
	}
}

func TestAGuestCannotTouchItsMeter(t *testing.T) {
	cheat := slices.Clone(spin)
	at := slices.Index(cheat, opLoop) + 2
	for ; cheat[at] != 0x20; at++ {
	}
	cheat[at], cheat[at+1] = opGlobalGet, 1 // the global that will be the counter
	_, err := rewrite(cheat, 100)
	require.ErrorContains(t, err, "a global that it does not have")
}

// FuzzMeter rewrites anything: it must not panic, and what was valid must stay so.
func FuzzMeter(f *testing.F) {
	f.Add(spin)
	f.Add([]byte(preamble))
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter())
	f.Fuzz(func(t *testing.T, guest []byte) {
		metered, err := rewrite(guest, 1000)
		if err != nil {
			return
		}
		before, err := compile(ctx, r, guest)
		if err != nil {
			return
		}
		require.NoError(t, before.Close(ctx))
		after, err := compile(ctx, r, metered)
		require.NoError(t, err)
		require.NoError(t, after.Close(ctx))
	})
}
