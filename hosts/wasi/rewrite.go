package wasi

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// A guest is rewritten before it is compiled: so that it can be cut (meter.go), and because what Go compiles to and
// what wazero is good at are different things. The three rewrites for speed (bulk.go, jump.go, bounds.go) halve what
// a step costs. They change nothing that a guest or its host can see, and hold for any guest, of whatever compiler,
// but for what bounds.go says of its first page.

// Section numbers of the binary format.
const (
	sectionCustom    = 0
	sectionType      = 1
	sectionImport    = 2
	sectionFunction  = 3
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

// rewrite returns guest with the counter in it, and faster. It checks no more than it must read: compiling
// checks the rest.
func rewrite(guest []byte, budget uint64) ([]byte, error) {
	if len(guest) < len(preamble) || string(guest[:len(preamble)]) != preamble {
		return nil, errNotWasm
	}
	out := append(make([]byte, 0, len(guest)+len(guest)/4), preamble...)
	in := reader{b: guest[len(preamble):]}
	counter, done := uint32(0), 0 // the global's index; sections changed
	var types, params []uint32    // how many parameters each type has, each function has
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
		case sectionType:
			section = body.b
			types = body.parameters()
		case sectionFunction:
			section = body.b
			params = body.functions(types)
		case sectionImport:
			section = body.b
			counter += body.importedGlobals()
		case sectionGlobal:
			n := body.u32()
			counter += n
			section = append(binary.AppendUvarint(nil, uint64(n)+3), body.b...)
			section = append(section, typeI64, 0x01, opI64Const) // the counter: mutable, starting at
			section = append(appendSigned(section, int64(budget)), opEnd)
			for range 2 { // of a copy or fill: its size or destination; its source
				section = append(section, typeI32, 0x01, opI32Const, 0, opEnd)
			}
			done++
		case sectionExport:
			section = append(binary.AppendUvarint(nil, uint64(body.u32())+1), body.b...)
			section = append(binary.AppendUvarint(section, uint64(len(budgetExport))), budgetExport...)
			section = binary.AppendUvarint(append(section, 0x03), uint64(counter)) // a global
			done++
		case sectionCode:
			section = body.rewriteCode(counter, params)
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

// parameters counts them for every type in a type section.
func (r *reader) parameters() (counts []uint32) {
	for range r.u32() {
		r.byte() // a function
		n := r.u32()
		r.take(n)
		r.take(r.u32()) // its results
		counts = append(counts, n)
	}
	return counts
}

// functions says how many parameters each has that a function section gives a type.
func (r *reader) functions(types []uint32) (params []uint32) {
	for range r.u32() {
		t := r.u32()
		if uint64(t) >= uint64(len(types)) {
			r.fail(errors.New("a function has a type that it does not have"))
			return nil
		}
		params = append(params, types[t])
	}
	return params
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

// rewriteCode rewrites a code section whose functions have so many parameters.
func (r *reader) rewriteCode(counter uint32, params []uint32) []byte {
	check, charge := checkOf(counter), chargeOf(counter, counter+1)
	n := r.u32()
	if int(n) != len(params) {
		r.fail(errCutShort)
		return nil
	}
	out := binary.AppendUvarint(make([]byte, 0, len(r.b)+len(r.b)/4), uint64(n))
	var f function
	var code []byte
	for _, count := range params {
		body := reader{b: r.take(r.u32()), globals: counter}
		body.function(&f, count)
		if r.fail(body.err); r.err != nil {
			return nil
		}
		f.unrollBulk(counter+1, counter+2)
		f.straighten()
		f.tighten()
		f.meter(check, charge)
		code = f.append(code[:0])
		out = append(binary.AppendUvarint(out, uint64(len(code))), code...)
	}
	return out
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

// leb reads one LEB128 number of either sign, of at most 10 bytes. A signed one lacks its sign.
func (r *reader) leb() (v uint64) {
	for k := range 10 {
		b := r.byte()
		v |= uint64(b&0x7f) << (7 * k)
		if b&0x80 == 0 {
			return v
		}
	}
	r.fail(errors.New("a number is too long"))
	return 0
}

// signed reads one signed LEB128 number.
func (r *reader) signed() int64 {
	before := len(r.b)
	v := r.leb()
	unused := max(0, 64-7*(before-len(r.b)))
	return int64(v<<unused) >> unused
}

// lebs reads n numbers and returns the last.
func (r *reader) lebs(n int) (last uint64) {
	if n < 0 {
		r.fail(errors.New("it uses instructions that no guest needs"))
	}
	for range n {
		last = r.leb()
	}
	return last
}

// appendSigned appends v as signed LEB128.
func appendSigned(b []byte, v int64) []byte {
	for v > 63 || v < -64 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v)&0x7f)
}
