package wasi

import (
	"encoding/binary"
	"errors"
)

// An instruction is one of a function's body. The passes over a body change what is written of it, raw; op
// stays what it does to the stack.
type instruction struct {
	op  int
	arg uint64 // a local's index, a label's depth, an access's offset, a constant
	raw []byte
}

// A function is one entry of the code section.
type function struct {
	locals   uint32 // parameters included
	groups   uint32 // of declared locals
	declared []byte // the groups
	code     []instruction
}

// function reads an entry whose parameters are known from its type.
func (r *reader) function(f *function, params uint32) {
	f.locals, f.groups, f.code = params, r.u32(), f.code[:0]
	start := r.b
	for range f.groups {
		n := r.u32()
		if r.byte(); r.err != nil || n > localsMax-f.locals {
			r.fail(errors.New("it has too many locals"))
			return
		}
		f.locals += n
	}
	f.declared = start[: len(start)-len(r.b) : len(start)-len(r.b)]
	for len(r.b) > 0 && r.err == nil {
		f.code = append(f.code, r.instruction())
	}
}

const localsMax = 50_000 // engines have such a bound, too

// add declares n more locals, of type i32.
func (f *function) add(n uint32) {
	f.declared = append(binary.AppendUvarint(f.declared, uint64(n)), typeI32)
	f.groups++
}

// append appends the entry without its size.
func (f *function) append(out []byte) []byte {
	out = append(binary.AppendUvarint(out, uint64(f.groups)), f.declared...)
	for i := range f.code {
		out = append(out, f.code[i].raw...)
	}
	return out
}

const (
	typeI32 = 0x7f
	typeI64 = 0x7e
)

// Opcodes that matter here.
const (
	opUnreachable   = 0x00
	opNop           = 0x01
	opBlock         = 0x02
	opLoop          = 0x03
	opIf            = 0x04
	opEnd           = 0x0b
	opBr            = 0x0c
	opBrTable       = 0x0e
	opCall          = 0x10
	opCallIndirect  = 0x11
	opDrop          = 0x1a
	opSelect        = 0x1b
	opSelectTyped   = 0x1c
	opLocalGet      = 0x20
	opLocalSet      = 0x21
	opLocalTee      = 0x22
	opGlobalGet     = 0x23
	opGlobalSet     = 0x24
	opI32Load       = 0x28
	opI64Load       = 0x29
	opI32Load8U     = 0x2d
	opI32Load16U    = 0x2f
	opLoadLast      = 0x35
	opI32Store      = 0x36
	opI64Store      = 0x37
	opI32Store8     = 0x3a
	opI32Store16    = 0x3b
	opStoreLast     = 0x3e
	opMemorySize    = 0x3f
	opI32Const      = 0x41
	opI64Const      = 0x42
	opF32Const      = 0x43
	opF64Const      = 0x44
	opI32Eqz        = 0x45
	opI64Eqz        = 0x50
	opI64LeS        = 0x57
	opI32ShrU       = 0x76
	opI64Add        = 0x7c
	opI64Sub        = 0x7d
	opI32WrapI64    = 0xa7
	opI64ExtendI32U = 0xad
	opNumericLast   = 0xc4
	opMore          = 0xfc // the opcode is the number that follows
	opTruncLast     = opMore<<8 | 7
	opMemoryCopy    = opMore<<8 | 10
	opMemoryFill    = opMore<<8 | 11
	opVector        = 0xfd // likewise
	blockEmpty      = 0x40
)

// instruction reads one.
func (r *reader) instruction() (in instruction) {
	start := r.b
	op := r.byte()
	in.op = int(op)
	switch op {
	case opBrTable:
		for range r.u32() {
			if r.leb(); r.err != nil {
				return in
			}
		}
		r.leb()
	case opSelectTyped:
		r.take(r.u32())
	case opGlobalGet, opGlobalSet:
		if r.u32() >= r.globals {
			r.fail(errors.New("it uses a global that it does not have")) // it will, and must not touch it
		}
	case opI32Const, opI64Const:
		in.arg = uint64(r.signed())
	case opF32Const:
		r.take(4)
	case opF64Const:
		r.take(8)
	case opMore:
		more := r.u32()
		r.lebs(operandsMore(more))
		in.op = opMore<<8 | int(more&0xff)
	default:
		in.arg = r.lebs(operands(op))
	}
	size := len(start) - len(r.b)
	in.raw = start[:size:size]
	return in
}

// operands is how many LEB128 numbers follow an opcode; -1 if guests do not need it.
func operands(op byte) int {
	switch {
	case op <= opNop, op == 0x05, op == opEnd, op == 0x0f, op == opDrop, op == opSelect: // and else, return
		return 0
	case op <= opIf, op == opBr, op == 0x0d, op == opCall: // block, loop, br_if
		return 1
	case op == opCallIndirect, op >= opI32Load && op <= opStoreLast: // alignment, offset
		return 2
	case op >= 0x20 && op <= 0x26, op >= opMemorySize && op <= opI64Const: // variables, tables; memory, constants
		return 1
	case op >= opI32Eqz && op <= opNumericLast, op == 0xd1: // arithmetic, ref.is_null
		return 0
	case op == 0xd0, op == 0xd2: // ref.null, ref.func
		return 1
	}
	return -1
}

// operandsMore is the same for what follows the prefix 0xfc.
func operandsMore(op uint32) int {
	switch {
	case op <= 7: // saturating conversions
		return 0
	case op == 9, op == 11, op == 13, op >= 15 && op <= 17: // drops, memory.fill, table.grow, size, fill
		return 1
	case op <= 14: // init and copy
		return 2
	}
	return -1
}

// effect is how many operands an instruction takes from the stack and how many it leaves there. It knows
// those that go on to the next instruction, and calls nothing.
func effect(op int) (takes, leaves int, plain bool) {
	switch {
	case op == opNop:
		return 0, 0, true
	case op == opSelect, op == opSelectTyped:
		return 3, 1, true
	case op == opDrop, op == opLocalSet, op == opGlobalSet:
		return 1, 0, true
	case op == opLocalTee, op >= opI32Load && op <= opLoadLast:
		return 1, 1, true
	case op >= opI32Store && op <= opStoreLast:
		return 2, 0, true
	case op == opLocalGet, op == opGlobalGet, op == opMemorySize, op >= opI32Const && op <= opF64Const:
		return 0, 1, true
	case op >= opI32Eqz && op <= opNumericLast:
		if unary(op) {
			return 1, 1, true
		}
		return 2, 1, true
	case op >= opMore<<8 && op <= opTruncLast:
		return 1, 1, true
	case op == opMemoryCopy, op == opMemoryFill:
		return 3, 0, true
	}
	return 0, 0, false
}

// unary tells which of the numeric instructions take one operand.
func unary(op int) bool {
	switch {
	case op == opI32Eqz, op == opI64Eqz, op >= opI32WrapI64: // conversions are last
		return true
	case op >= 0x67 && op <= 0x69, op >= 0x79 && op <= 0x7b: // clz, ctz, popcnt
		return true
	}
	return op >= 0x8b && op <= 0x91 || op >= 0x99 && op <= 0x9f // abs … sqrt
}

func appendLocal(out []byte, op byte, local uint32) []byte {
	return binary.AppendUvarint(append(out, op), uint64(local))
}

// appendAccess appends a load or store that promises no alignment.
func appendAccess(out []byte, op []byte, offset uint64) []byte {
	return binary.AppendUvarint(append(append(out, op...), 0), offset)
}
