package runtime

import (
	"context"
	"errors"

	"github.com/nekton-go/nekton/core"
)

// ErrClosed is what a Host and a Cluster answer once they are closed.
var ErrClosed = errors.New("closed")

// A Host is the world a node lives in: its clock, its network, its disk. Package hosttest checks that
// an implementation keeps what is promised here.
//
// Now, Wait and Do are called by the one goroutine that runs the loop; Now and Post also by any other.
type Host interface {
	// Now is monotonic, and at least 1.
	Now() core.Instant

	// Wait blocks until the next thing happens and describes it in *in, which is InputWake once the
	// deadline has come and never before. What in.Data and in.Addrs point to stays as it is until the
	// next Wait. The first inputs of a host's life are InputWall, then the InputRestore and InputReplay
	// of every journal, then InputWake; whatever else happens meanwhile comes after those.
	// Errors: the context's, and ErrClosed.
	Wait(ctx context.Context, deadline core.Instant, in *core.Input) error

	// Do performs one effect and does not block on the network or the disk. e.Data is the node's: what
	// is needed after Do returns must be copied. EffectEmit is for the application: hosts ignore it.
	Do(e core.Effect)

	// Post hands in an input from outside, such as a command, and makes Wait return. in and what it
	// points to must not change afterwards. Inputs posted by one goroutine keep their order.
	// Errors: core.FaultBusy if too many wait already, and ErrClosed.
	Post(in core.Input) error

	// Close ends everything that belongs to the host, once Run has returned. What was written to links
	// gets a bounded time to leave. It may be called by any goroutine, and again.
	Close() error
}

// Run drives a node in a host until the context ends or the host fails, and returns why. It is the
// only loop there is: Cluster, guests and tests all run this one.
func Run(ctx context.Context, node core.Verbs, host Host) error {
	var in core.Input
	for {
		if err := host.Wait(ctx, node.Deadline(), &in); err != nil {
			return err
		}
		node.Step(host.Now(), in)
		for e, ok := node.Next(); ok; e, ok = node.Next() {
			host.Do(e)
		}
	}
}
