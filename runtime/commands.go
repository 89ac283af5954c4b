package runtime

import (
	"context"
	"strings"
	"time"

	"github.com/nekton-go/nekton/codec/seal"
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

// InstallKey adds a key, of 16, 24 or 32 bytes, that opens what arrives. To rotate a cluster's key: install
// the new one everywhere, use it everywhere, then remove the old one everywhere.
// Errors of this and the other methods for keys: core.FaultNotFound if the node runs without package
// seal, or has no such key; core.FaultInvalid, core.FaultTooLarge; core.FaultRefused to remove the primary.
func (c *Cluster) InstallKey(ctx context.Context, key []byte) error {
	_, err := c.Do(ctx, func(id uint64) core.Command { return seal.Install{ID: id, Key: key} })
	return err
}

// UseKey makes an installed key the primary one, which seals what leaves.
func (c *Cluster) UseKey(ctx context.Context, key []byte) error {
	_, err := c.Do(ctx, func(id uint64) core.Command { return seal.Use{ID: id, Key: key} })
	return err
}

// RemoveKey forgets a key other than the primary.
func (c *Cluster) RemoveKey(ctx context.Context, key []byte) error {
	_, err := c.Do(ctx, func(id uint64) core.Command { return seal.Remove{ID: id, Key: key} })
	return err
}

// Keys returns which keys are installed, by the hash that names each.
func (c *Cluster) Keys(ctx context.Context) (*seal.Keys, error) {
	done, err := c.Do(ctx, func(id uint64) core.Command { return seal.List{ID: id} })
	keys, _ := done.(*seal.Keys)
	return keys, err
}

// joinErrors puts one line per seed into one line.
func joinErrors(lines []string) string { return strings.Join(lines, "; ") }
