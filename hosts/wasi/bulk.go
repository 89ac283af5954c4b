package wasi

// Go clears and copies structs with memory.fill and memory.copy, and wazero calls out of compiled code for
// either; for a fill once per doubling. Up to bulkMax bytes, known when the guest is compiled, plain loads and
// stores are several times faster, and spare the function around them from saving every register.

const bulkMax = 256 // bytes

// units are what memory is moved in.
var units = []struct {
	size              uint64
	load, store, zero []byte
}{
	{16, []byte{opVector, 0}, []byte{opVector, 11}, append([]byte{opVector, 12}, make([]byte, 16)...)},
	{8, []byte{opI64Load}, []byte{opI64Store}, []byte{opI64Const, 0}},
	{4, []byte{opI32Load}, []byte{opI32Store}, []byte{opI32Const, 0}},
	{2, []byte{opI32Load16U}, []byte{opI32Store16}, []byte{opI32Const, 0}},
	{1, []byte{opI32Load8U}, []byte{opI32Store8}, []byte{opI32Const, 0}},
}

// unrollBulk replaces the fills and copies whose size is a small constant. dst and src are globals to use.
func (f *function) unrollBulk(dst, src uint32) {
	for i := 2; i < len(f.code); i++ {
		in, size, value := &f.code[i], &f.code[i-1], &f.code[i-2]
		if size.op != opI32Const || size.arg == 0 || size.arg > bulkMax {
			continue
		}
		switch {
		case in.op == opMemoryCopy:
			in.raw, size.raw = appendCopy(nil, size.arg, dst, src), nil
		case in.op == opMemoryFill && value.op == opI32Const && value.arg == 0:
			in.raw, size.raw, value.raw = appendClear(nil, size.arg, dst), nil, nil
		}
	}
}

// appendClear appends code that takes an address from the stack and clears n bytes there.
func appendClear(out []byte, n uint64, dst uint32) []byte {
	out = appendProbe(appendLocal(out, opGlobalSet, dst), opGlobalGet, dst, n)
	at := uint64(0)
	for _, u := range units {
		for ; n-at >= u.size; at += u.size {
			out = append(appendLocal(out, opGlobalGet, dst), u.zero...)
			out = appendAccess(out, u.store, at)
		}
	}
	return out
}

// appendCopy appends code that takes two addresses from the stack, the source on top, and copies n bytes. It
// loads all before it stores any: the two may overlap.
func appendCopy(out []byte, n uint64, dst, src uint32) []byte {
	out = appendLocal(appendLocal(out, opGlobalSet, src), opGlobalSet, dst)
	out = appendProbe(appendProbe(out, opGlobalGet, src, n), opGlobalGet, dst, n)
	at, stores := uint64(0), [][]byte(nil)
	for _, u := range units {
		for ; n-at >= u.size; at += u.size {
			out = appendLocal(appendLocal(out, opGlobalGet, dst), opGlobalGet, src)
			out = appendAccess(out, u.load, at)
			stores = append(stores, appendAccess(nil, u.store, at))
		}
	}
	for k := range stores {
		out = append(out, stores[len(stores)-1-k]...)
	}
	return out
}

// appendProbe appends code that traps if not all of the n bytes at an address are there. Once it has not, the
// compiler leaves out the checks of all of them.
func appendProbe(out []byte, get byte, variable uint32, n uint64) []byte {
	out = appendAccess(appendLocal(out, get, variable), []byte{opI32Load8U}, n-1)
	return append(out, opDrop)
}
