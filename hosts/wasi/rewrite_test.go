package wasi

import (
	"bytes"
	"context"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero"
)

// moduleOf is a module by hand, of one page of memory and one function f(i32, i64) i64 with an i64 local of its own.
func moduleOf(body ...byte) []byte {
	code := append([]byte{1, 1, typeI64}, append(body, opEnd)...)
	code = append(binary.AppendUvarint([]byte{1}, uint64(len(code))), code...)
	return slices.Concat(
		[]byte(preamble),
		section(sectionType, 1, 0x60, 2, typeI32, typeI64, 1, typeI64),
		section(sectionFunction, 1, 0),
		section(5, 1, 0, 1),
		section(sectionGlobal, 1, typeI32, 0, opI32Const, 7, opEnd),
		section(sectionExport, 2, 1, 'm', 2, 0, 1, 'f', 0, 0),
		append(binary.AppendUvarint([]byte{sectionCode}, uint64(len(code))), code...),
	)
}

// run returns what f makes of its arguments and of a page of numbers.
func run(t *testing.T, module []byte, a, b uint64) (result uint64, page []byte, trapped bool) {
	ctx := context.Background()
	r := wazero.NewRuntime(ctx)
	defer r.Close(ctx)
	m, err := r.Instantiate(ctx, module)
	require.NoError(t, err)
	page, _ = m.ExportedMemory("m").Read(0, 1<<16)
	for i := range page {
		page[i] = byte(i * 7)
	}
	results, err := m.ExportedFunction("f").Call(ctx, a, b)
	if err != nil {
		return 0, nil, true
	}
	return results[0], bytes.Clone(page), false
}

// requireSame runs a body as it is and rewritten, and returns what it is rewritten to.
func requireSame(t *testing.T, body []byte, arguments ...[2]uint64) []byte {
	before := moduleOf(body...)
	after, err := rewrite(before, 1000)
	require.NoError(t, err)
	for _, a := range arguments {
		result, page, trapped := run(t, before, a[0], a[1])
		result2, page2, trapped2 := run(t, after, a[0], a[1])
		require.Equal(t, result, result2)
		require.Equal(t, trapped, trapped2)
		require.True(t, bytes.Equal(page, page2))
	}
	return after
}

func TestSmallCopiesAndFillsAreUnrolled(t *testing.T) {
	for n := 1; n <= bulkMax+1; n++ {
		size := appendSigned([]byte{opI32Const}, int64(n))
		end := uint64(1<<16 - n)
		copied := slices.Concat([]byte{opLocalGet, 0, opLocalGet, 1, opI32WrapI64}, size,
			[]byte{opMore, 10, 0, 0, opLocalGet, 1})
		after := requireSame(t, copied,
			[2]uint64{100, 2000}, [2]uint64{100, 101}, [2]uint64{101, 100}, [2]uint64{5, end}, [2]uint64{5, end + 1},
			[2]uint64{end, 3}, [2]uint64{end + 1, 3})
		require.Equal(t, n <= bulkMax, !bytes.Contains(after, []byte{opMore, 10, 0, 0}))
		cleared := slices.Concat([]byte{opLocalGet, 0, opI32Const, 0}, size, []byte{opMore, 11, 0, opLocalGet, 1})
		after = requireSame(t, cleared, [2]uint64{100, 0}, [2]uint64{end, 0}, [2]uint64{end + 1, 0})
		require.Equal(t, n <= bulkMax, !bytes.Contains(after, []byte{opMore, 11, 0}))
	}
}

// through is the number that the table below leads to, by two jumps: forward from 0 to 2, and back from 2 to 1.
var through = []byte{
	opLoop, blockEmpty, opBlock, blockEmpty, opBlock, blockEmpty, opBlock, blockEmpty,
	opLocalGet, 0, opBrTable, 2, 0, 1, 2,
	opEnd, // 0
	opLocalGet, 2, opI64Const, 10, opI64Add, opLocalSet, 2,
	opI32Const, 2, opLocalSet, 0, opBr, 2,
	opEnd,                                    // 1
	opLocalGet, 2, opI64Const, 3, 0x7e, 0x0f, // times 3, return
	opEnd, // 2 and beyond
	opLocalGet, 2, opLocalGet, 1, opI64Add, opLocalSet, 2,
	opI32Const, 1, opLocalSet, 0, opBr, 0,
	opEnd, opUnreachable,
}

func TestJumpsForwardDoNotPassTheTable(t *testing.T) {
	after := requireSame(t, through, [2]uint64{0, 5}, [2]uint64{1, 5}, [2]uint64{2, 5}, [2]uint64{9, 5})
	require.NotContains(t, string(after), string([]byte{opI32Const, 2, opLocalSet, 0, opBr, 2}))
	require.Contains(t, string(after), string([]byte{opI32Const, 2, opLocalSet, 0, opBr, 1}))
	require.Contains(t, string(after), string([]byte{opI32Const, 1, opLocalSet, 0, opBr, 0}), "this one goes back")
}

func TestAddressesAreCheckedOnce(t *testing.T) {
	extended := []byte{opLocalGet, 0, opI64ExtendI32U, opI64Const, 16, opI64Add, opI32WrapI64}
	added := []byte{opLocalGet, 1, opI64Const, 24, opI64Add, opI32WrapI64}
	body := slices.Concat(
		[]byte{opLocalGet, 0, opLocalGet, 1, opI32WrapI64, opI64Load, 3, 8, opI64Store, 3, 0},
		extended, []byte{opLocalGet, 1, opI32WrapI64, opI32Load8U, 0, 3, opI32Store8, 0, 1},
		[]byte{opLocalGet, 0}, added, []byte{opI64Load, 0, 0, opI64Store, 0, 32},
		[]byte{opLocalGet, 1, opI64Const, 1, opI64Add, opLocalSet, 1}, // another address from here on
		[]byte{opLocalGet, 1, opI32WrapI64, opI64Load, 0, 0}, added, []byte{opI64Load, 0, 40, opI64Add},
	)
	last := uint64(1<<16 - 1 - 24 - 40 - 8)
	after := requireSame(t, body, [2]uint64{0, 0}, [2]uint64{64, 64}, [2]uint64{3, 1000}, [2]uint64{1000, last},
		[2]uint64{1000, last + 1}, [2]uint64{1<<16 - 40, 0}, [2]uint64{1<<16 - 39, 0}, [2]uint64{1<<32 - 1, 0})
	require.NotContains(t, string(after), string([]byte{opI64ExtendI32U, opI64Const, 16}))
	require.Equal(t, 2, bytes.Count(after, []byte{opLocalGet, 1, opI32WrapI64}))
}
