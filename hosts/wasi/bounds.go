package wasi

import "encoding/binary"

// wazero checks every access against the size of the memory, unless it has checked one to the same address and as
// far beyond it before; and it knows an address again only as the same local. Most of what a guest's step costs
// is these checks. Go makes them many: pointers are 64-bit locals, wrapped anew for each access, and where a callee
// finds its arguments is calculated:
//
//	local.get $sp; i64.extend_i32_u; i64.const 16; i64.add; i32.wrap_i64; … i64.store offset=0
//
// So, within every stretch of code without jumps and calls: addresses are wrapped once, into a local; the constant
// goes into the access; and the access that reaches furthest is checked first.
//
// A guest that traps traps earlier, at most by such a stretch, which nobody can see: its memory is lost with
// it. An access that would wrap around from the end of the address space to its first page traps, too; Go
// has nothing there.

const offsetMax = 4096 // of a constant that may move: Go's first page is empty

// accessSizes are in bytes, from opI32Load to opStoreLast.
var accessSizes = [...]uint64{4, 8, 4, 8, 1, 1, 2, 2, 1, 1, 2, 2, 4, 4, 4, 8, 4, 8, 1, 2, 1, 2, 4}

// form is how an operand was made of a local.
type form uint8

const (
	formOther    form = iota
	formConstant      // of at most offsetMax, not of a local
	formLocal         // of either type
	formExtended      // i32, extended
	formSum           // of an i64, with a constant added
	formWrapped       // an address
)

// An operand is what is known of a value on the stack. It was made by the instructions from first to last.
type operand struct {
	form        form
	wide        bool // the local is an i64
	base        base
	offset      uint64
	first, last int
}

// A base is a local between two assignments.
type base struct {
	local   uint64
	version int
}

// An addressing is all accesses through one base.
type addressing struct {
	wide     bool
	operands []operand
	accesses []int
	end      uint64 // of the access that reaches furthest
}

// tighten leaves each base of f with one check.
func (f *function) tighten() {
	temps := 0
	for start := 0; start < len(f.code); {
		end := start
		for ; end < len(f.code); end++ {
			if _, _, plain := effect(f.code[end].op); !plain {
				break
			}
		}
		s := stretch{code: f.code[start:end], versions: map[uint64]int{}, found: map[base]int{}}
		for i := range s.code {
			s.follow(i)
		}
		temps = max(temps, s.rewrite(f.locals))
		start = end + 1
	}
	if temps > 0 {
		f.add(uint32(temps))
	}
}

// A stretch is code without jumps and calls.
type stretch struct {
	code     []instruction
	stack    []operand
	versions map[uint64]int // of locals
	found    map[base]int   // index of all
	all      []addressing
}

func (s *stretch) pop() (o operand) {
	if last := len(s.stack) - 1; last >= 0 { // what lies deeper was made before this stretch
		o, s.stack = s.stack[last], s.stack[:last]
	}
	return o
}

// follow does to the stack what instruction i does.
func (s *stretch) follow(i int) {
	in := &s.code[i]
	var made operand
	switch takes, leaves, _ := effect(in.op); {
	case in.op == opLocalGet:
		made = operand{form: formLocal, base: base{in.arg, s.versions[in.arg]}, first: i}
	case in.op == opI64Const && in.arg < offsetMax:
		made = operand{form: formConstant, offset: in.arg, first: i}
	case in.op == opI64ExtendI32U, in.op == opI32WrapI64:
		made = s.convert(i, s.pop())
	case in.op == opI64Add:
		n := s.pop()
		made = sum(i, s.pop(), n)
	default:
		for k := range takes {
			if o := s.pop(); k == takes-1 && in.op >= opI32Load && in.op <= opStoreLast {
				s.access(i, o)
			}
		}
		if in.op == opLocalSet || in.op == opLocalTee {
			s.versions[in.arg]++
		}
		if leaves == 0 {
			return
		}
	}
	made.last = i
	s.stack = append(s.stack, made)
}

func (s *stretch) convert(i int, o operand) operand {
	switch {
	case o.last != i-1:
	case o.form == formLocal && s.code[i].op == opI64ExtendI32U:
		o.form = formExtended
		return o
	case o.form == formLocal:
		o.form, o.wide = formWrapped, true
		return o
	case o.form == formSum && s.code[i].op == opI32WrapI64:
		o.form = formWrapped
		return o
	}
	return operand{}
}

func sum(i int, a, n operand) operand {
	if n.form != formConstant || n.last != i-1 || a.last != i-2 || a.form != formLocal && a.form != formExtended {
		return operand{}
	}
	a.form, a.wide, a.offset = formSum, a.form == formLocal, n.offset
	return a
}

// access notes that instruction i loads from or stores to o.
func (s *stretch) access(i int, o operand) {
	if o.form != formLocal && o.form != formWrapped {
		return
	}
	k, ok := s.found[o.base]
	if !ok {
		k = len(s.all)
		s.found[o.base] = k
		s.all = append(s.all, addressing{wide: o.wide})
	}
	in, a := &s.code[i], &s.all[k]
	a.operands = append(a.operands, o)
	a.accesses = append(a.accesses, i)
	a.end = max(a.end, o.offset+in.arg+accessSizes[in.op-opI32Load])
}

// rewrite changes all addressings and returns how many locals that takes, from temp on.
func (s *stretch) rewrite(temp uint32) (temps int) {
	for _, a := range s.all {
		if len(a.operands) == 1 && a.operands[0].offset == 0 {
			continue
		}
		first := a.operands[0].first
		for k, o := range a.operands {
			first = min(first, o.first)
			if in := &s.code[a.accesses[k]]; o.offset > 0 {
				_, alignment := binary.Uvarint(in.raw[1:])
				in.raw = binary.AppendUvarint(in.raw[:1+alignment:1+alignment], in.arg+o.offset)
			}
		}
		local := uint32(s.code[first].arg)
		var head []byte
		if a.wide {
			head = append(appendLocal(nil, opLocalGet, local), opI32WrapI64)
			local = temp + uint32(temps)
			head = appendLocal(head, opLocalSet, local)
			temps++
		}
		for _, o := range a.operands {
			for i := o.first + 1; i <= o.last; i++ {
				s.code[i].raw = nil
			}
			s.code[o.first].raw = appendLocal(nil, opLocalGet, local)
		}
		if len(a.operands) > 1 {
			head = appendProbe(head, opLocalGet, local, a.end)
		}
		s.code[first].raw = append(head, s.code[first].raw...)
	}
	return temps
}
