package swim

import "math/bits"

// A permutation visits every number below n once, in an order its key decides, in constant memory: a
// Feistel network over the next power of four, walked until it lands below n. Members are probed in
// this order (SWIM §4.3), so every one is probed once in a pass and nobody waits for more than two.
type permutation struct {
	key  uint64
	n    uint32
	half int // bits of each half
}

func newPermutation(key uint64, n int) permutation {
	return permutation{key: key, n: uint32(n), half: (bits.Len32(uint32(max(n, 1)-1)) + 1) / 2}
}

// at returns the i-th number of the order, for i below n.
func (p permutation) at(i uint32) uint32 {
	for {
		if i = p.round(i); i < p.n {
			return i
		}
	}
}

func (p permutation) round(i uint32) uint32 {
	mask := uint32(1)<<p.half - 1
	left, right := i>>p.half, i&mask
	for r := range uint64(4) {
		left, right = right, left^uint32(mix(p.key+r<<32+uint64(right)))&mask
	}
	return left<<p.half | right
}

// mix is the splitmix64 finaliser.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
