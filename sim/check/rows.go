package check

import (
	"fmt"

	"github.com/nekton-go/nekton/core/swim"
)

// row is what one member believes of another, folded from its Transitions, and what its application
// was told.
type row struct {
	identity    uint64 // of (addr, meta, versions)
	incarnation uint32
	state       swim.State
	known       bool
	wrong       bool // differs from the truth
	told        told
}

// told is what an application that folds events believes of a member.
type told uint8

const (
	toldNothing told = iota // or that it was reaped
	toldAlive
	toldSuspect
	toldFailed
	toldLeft
)

var toldText = [...]string{"nothing", "alive", "suspect", "failed", "left"}

// tellable is what an application should have been told of a row.
func (r *row) tellable() told {
	if !r.known {
		return toldNothing
	}
	return toldAlive + told(r.state) // in the order of swim.State
}

func (r *row) text() string {
	if !r.known {
		return "unknown"
	}
	return fmt.Sprintf("%v@%d", r.state, r.incarnation)
}

// row is what member o believes of member s, for looking.
func (c *Checker) row(o, s int) row { return c.views[o].Get(s) }

// edit is the same, for changing.
func (c *Checker) edit(o, s int) *row { return c.views[o].Edit(s) }
