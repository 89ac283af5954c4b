package swim

import (
	"time"

	"github.com/nekton-go/nekton/core"
)

// Join contacts the seeds, exchanges everything with each one that answers, and keeps the seeds for
// healing later. It completes with a JoinDone when every seed has answered or failed.
type Join struct {
	ID    uint64
	Seeds []string // "host:port"; names are resolved, and resolved again when they fail
}

// Leave says goodbye and completes when the news has been handed to enough members, or after Timeout.
// Either way the member has left: it answers no more accusations and starts nothing.
type Leave struct {
	ID      uint64
	Timeout time.Duration // 0 means Config.LeaveTimeout
}

// SetMeta changes this member's metadata and completes when the news has been handed to enough
// members, or after Config.LeaveTimeout. Errors: core.FaultTooLarge beyond Config.MetaMax, and nothing changes.
type SetMeta struct {
	ID   uint64
	Meta []byte
}

// PingMember pings a member on demand. It completes with a Pong. Errors: core.FaultNotFound if there is
// no such member, core.FaultTimeout if it does not answer, core.FaultBusy if too many are in flight.
type PingMember struct {
	ID   uint64
	Name string
}

// SendUser sends the application's bytes to one member, which emits UserReceived. Unreliable: one
// datagram, complete when sent. Reliable: over a link, complete when the host has taken every byte.
type SendUser struct {
	ID       uint64
	To       string // a member's name
	Data     []byte
	Reliable bool
}

// SetUserState is what the application adds to every push/pull from now on; each member that receives
// it emits UserStateReceived. Errors: core.FaultTooLarge beyond Config.UserStateMax, and nothing changes.
type SetUserState struct {
	ID   uint64
	Data []byte
}

// Forget removes a dead or left member, here only, before its tombstone expires. Errors:
// core.FaultNotFound, core.FaultRefused while it is alive or suspect.
type Forget struct {
	ID   uint64
	Name string
}

// Inspect completes with an Info.
type Inspect struct{ ID uint64 }

// Proto implements core.Command, as all of these do.
func (Join) Proto() core.Proto         { return Proto }
func (Leave) Proto() core.Proto        { return Proto }
func (SetMeta) Proto() core.Proto      { return Proto }
func (PingMember) Proto() core.Proto   { return Proto }
func (SendUser) Proto() core.Proto     { return Proto }
func (SetUserState) Proto() core.Proto { return Proto }
func (Forget) Proto() core.Proto       { return Proto }
func (Inspect) Proto() core.Proto      { return Proto }

// CommandID implements core.Command, as all of these do.
func (c Join) CommandID() uint64         { return c.ID }
func (c Leave) CommandID() uint64        { return c.ID }
func (c SetMeta) CommandID() uint64      { return c.ID }
func (c PingMember) CommandID() uint64   { return c.ID }
func (c SendUser) CommandID() uint64     { return c.ID }
func (c SetUserState) CommandID() uint64 { return c.ID }
func (c Forget) CommandID() uint64       { return c.ID }
func (c Inspect) CommandID() uint64      { return c.ID }
