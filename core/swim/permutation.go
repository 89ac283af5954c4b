package swim

import (
	"math/bits"

	"github.com/nekton-go/nekton/internal/mix"
)

// A permutation is an order of all numbers below a power of four, decided by its key, in constant
// memory: a Feistel network. Members are probed in this order of their places in the table (SWIM §4.3),
// and places nobody lives in are passed over. So every member is probed once in a pass and nobody waits
// for longer than two; and a member that arrives during a pass stands at a random position of it.
type permutation struct {
	key  uint64
	half int // bits of each half of a number
}

// newPermutation returns an order that covers every number below n.
func newPermutation(key uint64, n int) permutation {
	return permutation{key: key, half: max(1, (bits.Len32(uint32(max(n, 1)-1))+1)/2)}
}

// size is how many numbers the order has.
func (p permutation) size() uint32 { return 1 << (2 * p.half) }

// at returns the i-th number, for i below size.
func (p permutation) at(i uint32) uint32 {
	mask := uint32(1)<<p.half - 1
	left, right := i>>p.half, i&mask
	for r := range uint64(4) {
		left, right = right, left^uint32(mix.Uint64(p.key+r<<32+uint64(right)))&mask
	}
	return left<<p.half | right
}
