package wasi

import (
	"encoding/binary"
	"slices"
)

// A guest that loops for ever must not hang its host, and compiled code cannot be interrupted from
// outside. wazero's own remedy (WithCloseOnContextDone) leaves compiled code at every loop to look at a
// context, which makes a step three times slower, allocates, and cuts by the wall clock. So the
// guest is rewritten before it is compiled: a global counts down at every round of every loop, and
// traps at zero. Copying and filling memory counts, too, by size. The host fills the counter up before each
// call. That costs a few instructions, no allocation, and cuts every run at the same instruction, whatever
// the machine and the engine.

// budgetExport is the name of the global that counts down.
const budgetExport = "nekton_budget"

// checkOf is the code that counts down, or traps.
func checkOf(counter uint32) []byte {
	get := binary.AppendUvarint([]byte{opGlobalGet}, uint64(counter))
	check := append(append([]byte{}, get...), opI64Const, 0, opI64LeS, opIf, blockEmpty, opUnreachable, opEnd)
	check = append(append(check, get...), opI64Const, 1, opI64Sub, opGlobalSet)
	return binary.AppendUvarint(check, uint64(counter))
}

// chargeOf is the code that counts one round for every 64 bytes of the copy or fill whose size is on top of
// the stack. The trap, if it is due, comes at the next check.
func chargeOf(counter, size uint32) []byte {
	charge := binary.AppendUvarint([]byte{opGlobalSet}, uint64(size))
	charge = binary.AppendUvarint(append(charge, opGlobalGet), uint64(counter))
	charge = binary.AppendUvarint(append(charge, opGlobalGet), uint64(size))
	charge = append(charge, opI32Const, 6, opI32ShrU, opI64ExtendI32U, opI64Sub, opGlobalSet)
	charge = binary.AppendUvarint(charge, uint64(counter))
	return binary.AppendUvarint(append(charge, opGlobalGet), uint64(size))
}

// meter, the last pass, puts the check at the head of every loop and the charge before every copy and fill. A
// function that calls others and has no loop gets the check at its entry, or recursion would be free.
func (f *function) meter(check, charge []byte) {
	loops, calls := false, false
	for i := range f.code {
		switch in := &f.code[i]; in.op {
		case opLoop:
			loops = true
			in.raw = append(in.raw, check...)
		case opMemoryCopy, opMemoryFill:
			if in.raw[0] != opMore {
				continue // unrolled
			}
			in.raw = slices.Concat(charge, in.raw)
		case opCall, opCallIndirect:
			calls = true
		}
	}
	if calls && !loops {
		f.code[0].raw = slices.Concat(check, f.code[0].raw)
	}
}
