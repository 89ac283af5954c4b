package wasi

import (
	"encoding/binary"
	"errors"
	"fmt"
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

// Section numbers of the binary format.
const (
	sectionCustom    = 0
	sectionType      = 1
	sectionImport    = 2
	sectionGlobal    = 6
	sectionExport    = 7
	sectionStart     = 8
	sectionCode      = 10
	sectionDataCount = 12
)

var (
	errNotWasm  = errors.New("it is not a WebAssembly module")
	errCutShort = errors.New("it is cut short")
)

const preamble = "\x00asm\x01\x00\x00\x00"

// meter returns guest with the counter in it. It checks no more than it must read: compiling checks the rest.
func meter(guest []byte, budget uint64) ([]byte, error) {
	if len(guest) < len(preamble) || string(guest[:len(preamble)]) != preamble {
		return nil, errNotWasm
	}
	out := append(make([]byte, 0, len(guest)+len(guest)/4), preamble...)
	in := reader{b: guest[len(preamble):]}
	counter, done := uint32(0), 0 // the global's index; sections changed
	for len(in.b) > 0 && in.err == nil {
		id := in.byte()
		body := reader{b: in.take(in.u32())}
		if err := body.plausible(id); err != nil {
			return nil, fmt.Errorf("section %d: %w", id, err)
		}
		var section []byte
		switch id {
		case sectionCustom:
			if name := (&reader{b: body.b}); string(name.take(name.u32())) != "name" {
				continue // debugging information, whose offsets would be wrong
			}
			section = body.b
		case sectionImport:
			section = body.b
			counter += body.importedGlobals()
		case sectionGlobal:
			n := body.u32()
			counter += n
			section = append(binary.AppendUvarint(nil, uint64(n)+2), body.b...)
			section = append(section, 0x7e, 0x01, opI64Const) // the counter: i64, mutable, starting at
			section = append(appendSigned(section, int64(budget)), opEnd)
			section = append(section, 0x7f, 0x01, opI32Const, 0, opEnd) // the size of a copy or fill: i32
			done++
		case sectionExport:
			section = append(binary.AppendUvarint(nil, uint64(body.u32())+1), body.b...)
			section = append(binary.AppendUvarint(section, uint64(len(budgetExport))), budgetExport...)
			section = binary.AppendUvarint(append(section, 0x03), uint64(counter)) // a global
			done++
		case sectionCode:
			section = body.meterCode(counter)
			done++
		default:
			section = body.b
		}
		if body.err != nil {
			return nil, fmt.Errorf("section %d: %w", id, body.err)
		}
		out = append(binary.AppendUvarint(append(out, id), uint64(len(section))), section...)
	}
	if in.err == nil && done != 3 {
		return nil, errors.New("it has no globals, no exports or no code")
	}
	return out, in.err
}

// plausible refuses a section that counts more entries than it has bytes: wazero would make room for all.
func (r reader) plausible(id byte) error {
	if id == sectionCustom || id == sectionStart || id == sectionDataCount {
		return nil
	}
	n := r.u32()
	if uint64(n) > uint64(len(r.b)) {
		r.fail(errCutShort)
	}
	for k := uint32(0); id == sectionType && k < n && r.err == nil; k++ {
		r.byte()        // a function
		r.take(r.u32()) // its parameters
		r.take(r.u32()) // its results
	}
	return r.err
}

// importedGlobals counts them in an import section.
func (r *reader) importedGlobals() (n uint32) {
	for range r.u32() {
		r.take(r.u32()) // module
		r.take(r.u32()) // name
		switch kind := r.byte(); kind {
		case 0x00: // function: type
			r.u32()
		case 0x01: // table: element type, limits
			r.byte()
			r.limits()
		case 0x02: // memory: limits
			r.limits()
		case 0x03: // global: type, mutability
			r.take(2)
			n++
		default:
			r.fail(fmt.Errorf("import of kind %d", kind))
		}
		if r.err != nil {
			return 0
		}
	}
	return n
}

func (r *reader) limits() {
	hasMax := r.byte()&1 != 0
	r.u32()
	if hasMax {
		r.u32()
	}
}

// meterCode rewrites a code section.
func (r *reader) meterCode(counter uint32) []byte {
	check, charge := checkOf(counter), chargeOf(counter, counter+1)
	n := r.u32()
	out := binary.AppendUvarint(make([]byte, 0, len(r.b)+len(r.b)/4), uint64(n))
	var code []byte
	for range n {
		body := reader{b: r.take(r.u32()), globals: counter}
		code = body.meterFunction(code[:0], check, charge)
		if r.fail(body.err); r.err != nil {
			return nil
		}
		out = append(binary.AppendUvarint(out, uint64(len(code))), code...)
	}
	return out
}

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

// meterFunction appends a function's locals and code to out, with the check at the head of every loop and
// the charge before every copy and fill. A function that calls others and has no loop gets the check at its
// entry, or recursion would be free.
func (r *reader) meterFunction(out, check, charge []byte) []byte {
	whole := r.b
	for range r.u32() { // locals: count, type
		r.u32()
		if r.byte(); r.err != nil {
			return nil
		}
	}
	entry := len(whole) - len(r.b)
	out = append(out, whole[:entry]...)
	loops, calls, from := false, false, r.b
	for len(r.b) > 0 {
		before := r.b
		op := r.instruction()
		if r.err != nil {
			return nil
		}
		switch op {
		case opLoop:
			loops = true
			out = append(append(out, from[:len(from)-len(r.b)]...), check...)
			from = r.b
		case opMemoryCopy, opMemoryFill:
			out = append(append(out, from[:len(from)-len(before)]...), charge...)
			from = before
		case opCall, opCallIndirect:
			calls = true
		}
	}
	if out = append(out, from...); calls && !loops {
		out = append(append(out[:entry:entry], check...), out[entry:]...)
	}
	return out
}

// Opcodes that matter here.
const (
	opUnreachable   = 0x00
	opLoop          = 0x03
	opIf            = 0x04
	opEnd           = 0x0b
	opBrTable       = 0x0e
	opCall          = 0x10
	opCallIndirect  = 0x11
	opSelectTyped   = 0x1c
	opGlobalGet     = 0x23
	opGlobalSet     = 0x24
	opI32Const      = 0x41
	opI64Const      = 0x42
	opF32Const      = 0x43
	opF64Const      = 0x44
	opI64LeS        = 0x57
	opI32ShrU       = 0x76
	opI64Sub        = 0x7d
	opI64ExtendI32U = 0xad
	opMore          = 0xfc // the opcode is the number that follows
	opMemoryCopy    = opMore<<8 | 10
	opMemoryFill    = opMore<<8 | 11
	blockEmpty      = 0x40
)

// instruction reads one and returns its opcode.
func (r *reader) instruction() int {
	op := r.byte()
	switch op {
	case opBrTable:
		for range r.u32() {
			if r.leb(); r.err != nil {
				return opBrTable
			}
		}
		r.leb()
	case opSelectTyped:
		r.take(r.u32())
	case opGlobalGet, opGlobalSet:
		if r.u32() >= r.globals {
			r.fail(errors.New("it uses a global that it does not have")) // it will, and must not touch it
		}
	case opF32Const:
		r.take(4)
	case opF64Const:
		r.take(8)
	case opMore:
		more := r.u32()
		r.lebs(operandsMore(more))
		return opMore<<8 | int(more&0xff)
	default:
		r.lebs(operands(op))
	}
	return int(op)
}

// operands is how many LEB128 numbers follow an opcode; -1 if guests do not need it.
func operands(op byte) int {
	switch {
	case op <= 0x01, op == 0x05, op == opEnd, op == 0x0f, op == 0x1a, op == 0x1b: // control, drop, select
		return 0
	case op <= opIf, op == 0x0c, op == 0x0d, op == opCall: // block, loop, if, br, br_if
		return 1
	case op == opCallIndirect, op >= 0x28 && op <= 0x3e: // loads and stores: alignment, offset
		return 2
	case op >= 0x20 && op <= 0x26, op >= 0x3f && op <= opI64Const: // variables, tables; memory, constants
		return 1
	case op >= 0x45 && op <= 0xc4, op == 0xd1: // arithmetic, ref.is_null
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

// A reader reads the binary format. After the first error it reads zeros.
type reader struct {
	b       []byte
	err     error
	globals uint32 // that the code may name
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *reader) byte() byte {
	if b := r.take(1); len(b) == 1 {
		return b[0]
	}
	return 0
}

func (r *reader) take(n uint32) []byte {
	if r.err != nil || uint64(n) > uint64(len(r.b)) {
		r.fail(errCutShort)
		return nil
	}
	b := r.b[:n:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) u32() uint32 {
	v, n := binary.Uvarint(r.b)
	if r.err != nil || n <= 0 || n > 5 || v > 1<<32-1 {
		r.fail(errCutShort)
		return 0
	}
	r.b = r.b[n:]
	return uint32(v)
}

// leb skips one LEB128 number of either sign, of at most 10 bytes.
func (r *reader) leb() {
	for range 10 {
		if r.byte()&0x80 == 0 {
			return
		}
	}
	r.fail(errors.New("a number is too long"))
}

func (r *reader) lebs(n int) {
	if n < 0 {
		r.fail(errors.New("it uses instructions that no guest needs"))
	}
	for range n {
		r.leb()
	}
}

// appendSigned appends v as signed LEB128.
func appendSigned(b []byte, v int64) []byte {
	for v > 63 || v < -64 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v)&0x7f)
}
