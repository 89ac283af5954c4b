package wasi

import "encoding/binary"

// Go compiles a function to a loop around a br_table that picks the block to go on with, because a goroutine
// may have to be resumed in its middle. Every jump is made by way of it:
//
//	i32.const 7; local.set $pc; br $loop      …      loop $loop … local.get $pc; br_table …
//
// Most jumps go forward, to the end of a block that they are in. Those need not go through the table, nor does the
// compiler then have to hand on every local at the head of the loop.

// dispatch is the head of such a loop.
type dispatch struct {
	local   uint64
	targets []int // instructions that begin the blocks to leave, by the value of the local; the default is last
}

// straighten makes the jumps of f that go forward go to where they end.
func (f *function) straighten() {
	open := []int{-1} // instructions that begin the blocks around the current one
	heads := map[int]dispatch{}
	for i := range f.code {
		switch in := &f.code[i]; in.op {
		case opBlock, opLoop, opIf:
			open = append(open, i)
		case opEnd:
			if len(open) > 0 {
				open = open[:len(open)-1]
			}
		case opBrTable:
			if head, ok := f.head(i); ok {
				heads[head] = dispatch{f.code[i-1].arg, tableOf(in.raw, open)}
			}
		case opBr:
			if depth, ok := f.destination(i, open, heads); ok {
				in.raw = binary.AppendUvarint([]byte{opBr}, uint64(depth))
			}
		}
	}
}

// head returns the loop that does nothing before the br_table at i.
func (f *function) head(i int) (loop int, ok bool) {
	if i == 0 || f.code[i-1].op != opLocalGet {
		return 0, false
	}
	for i -= 2; i >= 0 && f.code[i].op == opBlock; i-- {
	}
	return i, i >= 0 && f.code[i].op == opLoop && f.code[i].raw[1] == blockEmpty
}

// tableOf returns what a br_table leaves for each of its values.
func tableOf(raw []byte, open []int) (targets []int) {
	r := reader{b: raw[1:]}
	for range uint64(r.u32()) + 1 {
		depth := r.u32()
		if uint64(depth) >= uint64(len(open)) {
			return nil
		}
		targets = append(targets, open[len(open)-1-int(depth)])
	}
	return targets
}

// destination returns how deep the block lies that the br at i leaves in the end, if the br is in it.
func (f *function) destination(i int, open []int, heads map[int]dispatch) (depth int, ok bool) {
	in := f.code[i]
	if in.arg >= uint64(len(open)) || i < 2 {
		return 0, false
	}
	d, ok := heads[open[len(open)-1-int(in.arg)]]
	if set := f.code[i-1]; !ok || set.op != opLocalSet || set.arg != d.local {
		return 0, false
	}
	value := f.code[i-2]
	if value.op != opI32Const || value.arg >= uint64(len(d.targets)) {
		return 0, false
	}
	target := d.targets[value.arg]
	for depth = range open {
		if block := open[len(open)-1-depth]; block == target {
			return depth, block >= 0 && f.code[block].op == opBlock && f.code[block].raw[1] == blockEmpty
		}
	}
	return 0, false
}
