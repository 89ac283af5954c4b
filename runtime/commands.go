package runtime

import (
	"context"
	"strings"
	"time"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
)

// Join contacts seeds ("host:port"), exchanges membership with each, and returns how many answered.
// Errors: a *CommandError that names each seed's trouble if none did.
func (c *Cluster) Join(ctx context.Context, seeds ...string) (reached int, err error) {
	done, err := c.Do(ctx, func(id uint64) core.Command { return swim.Join{ID: id, Seeds: seeds} })
	if d, ok := done.(*swim.JoinDone); ok {
		reached = d.Reached
	}
	return reached, err
}

// Leave says goodbye and returns when the news has been handed on, or when the context's deadline is
// near, or after swim.Config.LeaveTimeout. This member has left then, however it went; Close comes next.
func (c *Cluster) Leave(ctx context.Context) error {
	var patience time.Duration
	if deadline, ok := ctx.Deadline(); ok {
		patience = max(time.Until(deadline)*9/10, 1) // leave time to hear that it is over
	}
	_, err := c.Do(ctx, func(id uint64) core.Command { return swim.Leave{ID: id, Timeout: patience} })
	return err
}

// SetMeta changes this member's metadata and returns when enough members have been told.
// Errors: core.FaultTooLarge beyond swim.Config.MetaMax.
func (c *Cluster) SetMeta(ctx context.Context, meta []byte) error {
	_, err := c.Do(ctx, func(id uint64) core.Command { return swim.SetMeta{ID: id, Meta: meta} })
	return err
}

// SetUserState sets what this member adds to every full exchange from now on; members receive it as
// swim.UserStateReceived. Errors: core.FaultTooLarge beyond swim.Config.UserStateMax.
func (c *Cluster) SetUserState(ctx context.Context, data []byte) error {
	_, err := c.Do(ctx, func(id uint64) core.Command { return swim.SetUserState{ID: id, Data: data} })
	return err
}

// Ping asks a member, by name, whether it is there and returns how long the answer took.
// Errors: core.FaultNotFound, core.FaultTimeout, core.FaultBusy.
func (c *Cluster) Ping(ctx context.Context, name string) (rtt time.Duration, err error) {
	done, err := c.Do(ctx, func(id uint64) core.Command { return swim.PingMember{ID: id, Name: name} })
	if d, ok := done.(*swim.Pong); ok {
		rtt = d.RTT
	}
	return rtt, err
}

// Send gives a member, by name, bytes that its application receives as swim.UserReceived: in one
// datagram that may be lost, or reliably over a link, which returns when the bytes are on their way.
// Errors: core.FaultNotFound, core.FaultTooLarge, core.FaultUnreachable and others of the way.
func (c *Cluster) Send(ctx context.Context, name string, data []byte, reliable bool) error {
	_, err := c.Do(ctx, func(id uint64) core.Command {
		return swim.SendUser{ID: id, To: name, Data: data, Reliable: reliable}
	})
	return err
}

// Forget removes a dead or left member from this node's table. Errors: core.FaultNotFound, and
// core.FaultRefused while it is alive.
func (c *Cluster) Forget(ctx context.Context, name string) error {
	_, err := c.Do(ctx, func(id uint64) core.Command { return swim.Forget{ID: id, Name: name} })
	return err
}

// Info returns how membership is doing here.
func (c *Cluster) Info(ctx context.Context) (*swim.Info, error) {
	done, err := c.Do(ctx, func(id uint64) core.Command { return swim.Inspect{ID: id} })
	info, _ := done.(*swim.Info)
	return info, err
}

// joinErrors puts one line per seed into one line.
func joinErrors(lines []string) string { return strings.Join(lines, "; ") }
