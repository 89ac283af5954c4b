package swim

import (
	"math/bits"
	"time"
)

// The formulas that scale with the size of the cluster, in integers: the same bits on every machine.

// suspicionBounds is between which a suspicion may last, in a cluster of n (Lifeguard §IV-B).
//
//	min = SuspicionMult × max(1, log10 n) × ProbeInterval, cut to milliseconds of the logarithm
//	max = SuspicionScale × min
func (c *Config) suspicionBounds(n int) (minimum, maximum time.Duration) {
	steps := time.Duration(c.SuspicionMult) * time.Duration(max(1000, milliLog10(n)))
	minimum = max(steps*c.ProbeInterval/1000, time.Millisecond)
	return minimum, minimum * time.Duration(c.SuspicionScale)
}

// suspicionTimeout is how long a suspicion lasts in all, after c of k confirmations (Lifeguard §IV-B).
//
//	max − (max − min) × log(c+1)/log(k+1)
func suspicionTimeout(minimum, maximum time.Duration, c, k int) time.Duration {
	if c >= k {
		return minimum
	}
	hi, lo := bits.Mul64(uint64(maximum-minimum), log2(uint64(c+1)))
	shortened, _ := bits.Div64(hi, lo, log2(uint64(k+1)))
	return max(minimum, (maximum - time.Duration(shortened)).Truncate(time.Millisecond))
}

// retransmits is how many datagrams carry each broadcast, in a cluster of n (SWIM §4.1).
func (c *Config) retransmits(n int) int {
	digits := 0
	for reach := 1; reach < n+1; reach *= 10 {
		digits++
	}
	return c.RetransmitMult * digits
}

// pushPullInterval grows above 32 members, so that the load on each stays bounded.
func (c *Config) pushPullInterval(n int) time.Duration {
	if n <= 32 {
		return c.PushPullInterval
	}
	return c.PushPullInterval * time.Duration(bits.Len(uint(n-1))-5+1)
}

// log2One is 1.0 in the results of log2.
const log2One = 1 << 40

// log2 is the binary logarithm of x ≥ 1, with 40 fractional bits, rounded down, by repeated squaring.
func log2(x uint64) uint64 {
	whole := bits.Len64(x) - 1
	result := uint64(whole) << 40
	mantissa := x << (63 - whole) // 1 ≤ mantissa/2^63 < 2; at 1 nothing is left
	for bit := uint64(log2One >> 1); bit > 0 && mantissa != 1<<63; bit >>= 1 {
		hi, lo := bits.Mul64(mantissa, mantissa)
		if hi>>63 == 1 { // the square reached 2
			mantissa = hi
			result |= bit
		} else {
			mantissa = hi<<1 | lo>>63
		}
	}
	return result
}

// milliLog10 is ⌊1000 × log10(n)⌋, and 0 for n < 1. It is exact for every n below 2^24, which a test shows:
// powers of ten are the only n for which 1000 × log10(n) is whole, and no other comes within nudge of a whole
// number.
func milliLog10(n int) int {
	if n < 1 {
		return 0
	}
	const milliLog10Of2 = 330985980541906 // 1000 × log10(2) × 2^40, rounded
	const nudge = 1 << 14                 // more than all rounding above, in units of 2^-40
	hi, lo := bits.Mul64(log2(uint64(n)), milliLog10Of2)
	product := hi<<24 | lo>>40 // 40 fractional bits
	return int((product + nudge) >> 40)
}
