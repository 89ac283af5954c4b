package sim

import "fmt"

const (
	checkpointEvery = 1 << 10 // steps between the checkpoints of a short run
	checkpointsMax  = 64      // a longer one keeps every second, fourth ... of them
)

// Checkpoints are hashes that a run had on its way: equal ones, equal runs so far. They tell where two runs
// part without running both again; see Diverge.
type Checkpoints struct {
	Every  uint64   `json:"every"`  // steps from one to the next, a power of two
	Hashes []string `json:"hashes"` // like Result.TraceHash: after Every steps, after twice as many ...; at most 64
}

// Diverge compares two runs, of any cases: they are equal up to step after, and differ by step by. It reports
// false if they are equal to the end.
func Diverge(a, b *Result) (after, by uint64, differ bool) {
	if a.Steps == b.Steps && a.TraceHash == b.TraceHash {
		return a.Steps, a.Steps, false
	}
	every := max(a.Checkpoints.Every, b.Checkpoints.Every)
	for by = every; by <= min(a.Steps, b.Steps); by += every {
		if a.Checkpoints.after(by) != b.Checkpoints.after(by) {
			return by - every, by, true
		}
	}
	if a.Steps == b.Steps {
		return by - every, a.Steps, true
	}
	return by - every, min(a.Steps, b.Steps) + 1, true // one goes on where the other ends
}

func (c *Checkpoints) after(steps uint64) string { return c.Hashes[steps/c.Every-1] }

// checkpoints collects them while a run goes on.
type checkpoints struct {
	every uint64
	sums  []uint64
}

// reach is called after every step.
func (c *checkpoints) reach(steps, sum uint64) {
	if steps&(c.every-1) != 0 {
		return
	}
	if len(c.sums) == checkpointsMax {
		for i := range checkpointsMax / 2 {
			c.sums[i] = c.sums[2*i+1]
		}
		c.sums = c.sums[:checkpointsMax/2]
		c.every *= 2
		c.reach(steps, sum)
		return
	}
	c.sums = append(c.sums, sum)
}

func (c *checkpoints) result() Checkpoints {
	hashes := make([]string, len(c.sums))
	for i, sum := range c.sums {
		hashes[i] = hashText(sum)
	}
	return Checkpoints{Every: c.every, Hashes: hashes}
}

func hashText(sum uint64) string { return fmt.Sprintf("%016x", sum) }
