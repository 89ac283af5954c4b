package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/sim/check"
)

const (
	// Members that join have n² pieces of news to spread, and each takes some 330 bytes until all have it.
	nodesMax = 4096
	// Members that know each other share that knowledge. What they learn to differ in takes 50 bytes × n².
	convergedMax = 16_384

	forMax = 24 * time.Hour // of virtual time
	opsMax = 100_000
)

// A Case is a run written out: all that it depends on, but for code (see [Harness]). It is data: it can be
// stored, compared, edited and made smaller. Draws are keyed by what they are for, so a Case without one of
// its operations is the same run but for what that operation did.
type Case struct {
	Name  string // what it is, for people: a scenario, a file, a swarm
	Seed  uint64 // decides everything that Ops leave to chance
	Nodes int    // members, n0 and so on; not all need to start

	// Converged starts all members at the beginning, and has them know each other already, without a word said:
	// what a large cluster is tested from. Nodes share the memory that takes, so it is not for guests.
	Converged bool

	// Mark is when the last disturbance ends. From then on all members that run must come to agree within
	// Within, and must agree again at For, the end.
	Mark, Within, For time.Duration

	// While members have yet to find each other, agreement may take longer: they have Search for that, from Mark.
	Search time.Duration

	// Truncated says that the case ends where something went wrong that must never happen, as those that have been
	// made small do. How things stand by then is nobody's business: neither whether members agree, nor what oracles
	// ask for once a run is finished.
	Truncated bool

	Victim int // whose failure is timed from Mark, or -1

	// Sealed has members encrypt and authenticate what they say, with one key for all, which no stranger has: see
	// package seal. Then damage that no checksum finds must harm no more than loss.
	Sealed bool

	Network Network     // how packets travel while no fault says otherwise
	Swim    swim.Config // of every member; names and addresses are filled in
	Ops     []Op        // what happens, in any order
}

// NewCase returns a case in which the members start one after the other and join by way of the first, and
// then nothing happens for as long as it takes to agree. Add to Ops, then call Expect.
func NewCase(name string, nodes int, seed uint64, members swim.Config) Case {
	s := setting{nodes: nodes, seed: seed, swim: members}
	p := calm(s)
	c := Case{
		Name: name, Seed: seed, Nodes: nodes, Victim: never, Network: Network{}.defaulted(), Swim: members, Ops: p.ops,
	}
	c.Expect()
	return c
}

// Expect sets Mark to the end of the last operation that ends, and Within to how long agreement may take from
// there by the members' configuration. For becomes long enough for both, unless it is longer.
func (c *Case) Expect() {
	c.Mark = 0
	for i := range c.Ops {
		c.Mark = max(c.Mark, c.Ops[i].At, c.Ops[i].Until)
	}
	s := setting{nodes: c.Nodes, seed: c.Seed, swim: c.Swim}
	c.Within = s.settle() + s.heal()
	c.For = max(c.For, c.Mark+c.Within)
}

// Without returns the case without the faults of these names: see Op.Fault.
func (c Case) Without(faults ...string) Case {
	c.Ops = slices.DeleteFunc(slices.Clone(c.Ops), func(op Op) bool { return slices.Contains(faults, op.Fault) })
	return c
}

// Faults counts the operations that are faults.
func (c *Case) Faults() (n int) {
	for i := range c.Ops {
		if c.Ops[i].IsFault() {
			n++
		}
	}
	return n
}

// Validate says what makes no sense about a case, or returns nil. Errors wrap ErrOptions.
func (c *Case) Validate() error {
	one := c.Swim // first: what an impossible one makes of times would hide it
	one.Name, one.Addr = check.Name(0), address(0)
	if err := one.Validate(); err != nil {
		return badOption("configuration of the members: %w", err)
	}
	switch {
	case c.Nodes < 1 || c.Nodes > most(c.Converged):
		return badOption("%d nodes; use 1 to %d%s", c.Nodes, most(c.Converged), moreIf(c.Converged))
	case c.For <= 0 || c.For > forMax:
		return badOption("a duration of %v; use more than 0 and at most %v", c.For, forMax)
	case c.Mark < 0 || c.Within < 0 || c.Search < 0 || c.Mark > c.For:
		return badOption("the last disturbance at %v of %v, agreement within %v", c.Mark, c.For, c.Within)
	case c.Victim < -1 || c.Victim >= c.Nodes:
		return badOption("victim %d of %d nodes; use -1 for none", c.Victim, c.Nodes)
	case len(c.Ops) > opsMax:
		return badOption("%d operations; use at most %d", len(c.Ops), opsMax)
	}
	if err := c.Network.validate(); err != nil {
		return err
	}
	for i := range c.Ops {
		if err := c.Ops[i].validate(c.Nodes); err != nil {
			return badOption("operation %d, %v: %w", i, &c.Ops[i], err)
		}
	}
	return nil
}

// most is how many members there may be, by whether they know each other from the start.
func most(converged bool) int {
	if converged {
		return convergedMax
	}
	return nodesMax
}

// moreIf says how there may be more.
func moreIf(converged bool) string {
	if converged {
		return ""
	}
	return fmt.Sprintf(", or %d that are Converged from the start and need not join", convergedMax)
}
