// Package stack is the one standard assembly of machines into a node. Native hosts, guests and the
// simulator all build their nodes here, so that all of them run the same thing.
package stack

import (
	"time"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/internal/mutant"
)

// Config configures a node.
type Config struct {
	Seed    [32]byte     // the only source of randomness
	Swim    swim.Config  // membership
	Dialect core.Dialect // required
	MTU     int          // largest datagram, in bytes, before any seal; default 1400

	LinkWindow   int           // see core.Config
	FrameMax     int           // see core.Config; the largest push/pull has to fit
	AcceptedMax  int           // see core.Config
	AcceptedIdle time.Duration // see core.Config

	// Above are the application's own machines, mounted over membership, bottom first. Their protocols
	// must lie between FirstFree and 255.
	Above []core.Mount

	Scratch *core.Scratch // see core.Config
	Check   bool          // see core.Config
}

// FirstFree is the first protocol number that no machine of this module uses. Machines from there on speak
// core.Opaque.
const FirstFree core.Proto = 32

// New assembles a node. Errors are those of swim.New.
func New(c Config) (*core.Node, error) {
	members, err := swim.New(c.Swim)
	if err != nil {
		return nil, err
	}
	if c.Swim.Mutant == mutant.OverMTU {
		c.MTU = 2000
	}
	machines := append([]core.Mount{{Proto: swim.Proto, Machine: members}}, c.Above...)
	return core.NewNode(core.Config{
		Seed: c.Seed, Dialect: c.Dialect, Machines: machines, MTU: c.MTU, Scratch: c.Scratch, Check: c.Check,
		LinkWindow: c.LinkWindow, FrameMax: c.FrameMax, AcceptedMax: c.AcceptedMax, AcceptedIdle: c.AcceptedIdle,
	}), nil
}
