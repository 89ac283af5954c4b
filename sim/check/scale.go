package check

import (
	"math/bits"
	"time"

	"github.com/nekton-go/nekton/core/swim"
)

// The formulas that members go by, computed another way than they do.

// retransmits is how many datagrams may carry one broadcast among n members (SWIM §4.1).
func retransmits(c *swim.Config, n int) int {
	digits := 0
	for ; n > 0; n /= 10 {
		digits++
	}
	return c.RetransmitMult * digits
}

// suspicionBounds is between which a suspicion may last among n members (Lifeguard §IV-B).
func suspicionBounds(c *swim.Config, n int) (minimum, maximum time.Duration) {
	thousandths := max(log10(uint64(max(n, 1)))/1000, 1000)
	minimum = time.Duration(c.SuspicionMult) * time.Duration(thousandths) * c.ProbeInterval / 1000
	minimum = max(minimum, time.Millisecond)
	return minimum, minimum * time.Duration(c.SuspicionScale)
}

// confirmations is Lifeguard's K among n members.
func confirmations(c *swim.Config, n int) int {
	others := max(n-2, 0)
	if c.Fidelity == swim.Memberlist && others < c.Confirmations {
		return 0
	}
	return min(c.Confirmations, others)
}

// suspicionLength is how long a suspicion lasts after some of k confirmations (Lifeguard §IV-B).
func suspicionLength(minimum, maximum time.Duration, some, k int) time.Duration {
	some = max(some, 0)
	if some >= k {
		return minimum
	}
	hi, lo := bits.Mul64(uint64(maximum-minimum), uint64(log10(uint64(some+1))))
	shorter, _ := bits.Div64(hi, lo, uint64(log10(uint64(k+1))))
	return maximum - time.Duration(shorter)
}

// unit is 1 in the arithmetic of log10: ten of it fit.
const unit = 1 << 60

// log10 is the logarithm of x ≥ 1 in millionths, rounded down. Its digits come one by one: the tenth power of
// a number from 1 to 10 has as many powers of ten in it as the logarithm's first digit says.
func log10(x uint64) (digits int64) {
	power := uint64(1)
	for ; x/10 >= power; power *= 10 {
		digits++
	}
	hi, lo := bits.Mul64(x, unit)
	m, _ := bits.Div64(hi, lo, power)
	if m == unit { // a power of ten
		return 1_000_000 * digits
	}
	for range 6 {
		m2, a := product(m, m)
		m4, b := product(m2, m2)
		m5, c := product(m4, m)
		m10, d := product(m5, m5)
		m, digits = m10, 10*digits+2*(2*a+b+c)+d
	}
	return digits
}

// product multiplies two numbers from 1 to below 10, and takes a factor of ten out if there is one.
func product(a, b uint64) (ab uint64, tens int64) {
	hi, lo := bits.Mul64(a, b)
	if hi >= 10<<56 {
		rest := hi % 10
		hi /= 10
		lo, _ = bits.Div64(rest, lo, 10)
		tens = 1
	}
	return hi<<4 | lo>>60, tens
}
