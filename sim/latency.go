package sim

import (
	"math/bits"
	"time"

	"github.com/nekton-go/nekton/internal/mix"
)

// How latencies are distributed around their mean. All of it is computed with integers, so that a run is the
// same on every platform.
const (
	constant    = "constant"
	even        = "even" // from nothing to twice the mean
	exponential = "exponential"
	logNormal   = "log-normal" // the logarithm has a standard deviation of 1
	pareto      = "pareto"     // with a shape of 2, so that the variance is infinite
)

var shapes = []string{constant, even, exponential, logNormal, pareto}

// outliers bounds a sample, in means. That takes less than a hundredth off any mean.
const outliers = 100

// sample maps random bits to a duration of some distribution.
func sample(shape string, mean time.Duration, random uint64) (d time.Duration) {
	switch shape {
	case constant:
		return mean
	case exponential:
		d = product(mean, multiply(surprise(random), ln2))
	case logNormal:
		d = timesTwoTo(mean, multiply(normal(random)-one/2, log2e)) // e^(z-1/2) has a mean of 1
	case pareto:
		d = timesTwoTo(mean/2, surprise(random)/2) // 1/sqrt(u) has a mean of 2
	default:
		return time.Duration(below(random, 2*int64(mean)+1))
	}
	return min(d, outliers*mean)
}

// Fixed-point numbers have 32 fractional bits. Their products must fit as well.
const (
	one   int64 = 1 << 32
	ln2   int64 = 2977044472
	log2e int64 = 6196328019
)

func multiply(x, y int64) int64 {
	hi, lo := bits.Mul64(uint64(x), uint64(y))
	return (int64(hi)-(x>>63&y))<<32 | int64(lo>>32) // x may be negative
}

// product is d times x, neither negative.
func product(d time.Duration, x int64) time.Duration {
	hi, lo := bits.Mul64(uint64(d), uint64(x))
	return time.Duration(hi<<32 | lo>>32)
}

// surprise is -log2 of the number that random is between 0 and 1, to 16 fractional bits: squaring a number
// doubles its logarithm, which brings up the next bit of it.
func surprise(random uint64) (x int64) {
	random |= 1
	zeros := bits.LeadingZeros64(random)
	m := random << zeros // from 1 to 2, with 63 fractional bits
	for range 16 {
		m, _ = bits.Mul64(m, m)
		two := m >> 63
		m <<= 1 - two
		x = x<<1 | int64(two)
	}
	return int64(zeros+1)<<32 - x<<16
}

// timesTwoTo is d times 2^x, or about what outliers make of it.
func timesTwoTo(d time.Duration, x int64) time.Duration {
	whole, fraction := x>>32, x&(one-1)
	sum := int64(0)
	for _, c := range exp2 {
		sum = multiply(sum, fraction) + c
	}
	switch d = product(d, sum); {
	case whole < 0:
		return d >> -whole
	default:
		return d << min(whole, 8)
	}
}

// exp2 are the coefficients of the Taylor series of 2^x, highest power first.
var exp2 = [...]int64{661577, 5726720, 41309550, 238388332, 1031764991, ln2, one}

// normal is about normally distributed: the sum of twelve even numbers, which has a variance of 1.
func normal(random uint64) (z int64) {
	for range 3 {
		for shift := 0; shift < 64; shift += 16 {
			z += int64(random >> shift & 0xffff)
		}
		random = mix.Uint64(random + 1)
	}
	return z<<16 - 6*one + 6<<16
}
