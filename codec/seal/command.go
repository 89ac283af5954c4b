package seal

import (
	"errors"

	"github.com/nekton-go/nekton/core"
)

// Proto tags this package's commands.
const Proto core.Proto = 2

// Install adds a key that opens what others seal with it. Installing a key again changes nothing. Errors:
// core.FaultInvalid for a key that is not 16, 24 or 32 bytes, core.FaultBusy beyond Config.KeysMax.
type Install struct {
	ID  uint64
	Key []byte
}

// Use makes an installed key the primary: it seals everything from now on. Links that are already open
// stay with theirs. Errors: core.FaultNotFound if it is not installed.
type Use struct {
	ID  uint64
	Key []byte
}

// Remove forgets a key; nothing new sealed with it opens any more. Links that are already open live on.
// Errors: core.FaultNotFound if it is not installed, core.FaultRefused for the primary.
type Remove struct {
	ID  uint64
	Key []byte
}

// List changes nothing.
type List struct{ ID uint64 }

// Keys completes every command of this package, with the keys as they are now.
type Keys struct {
	ID      uint64
	Fault   core.Fault
	Detail  string // for people; empty on success
	Primary KeyID  // empty: nothing is sealed
	All     []KeyID
}

// Proto implements core.Command.
func (Install) Proto() core.Proto { return Proto }

// Proto implements core.Command.
func (Use) Proto() core.Proto { return Proto }

// Proto implements core.Command.
func (Remove) Proto() core.Proto { return Proto }

// Proto implements core.Command.
func (List) Proto() core.Proto { return Proto }

// CommandID implements core.Command.
func (c Install) CommandID() uint64 { return c.ID }

// CommandID implements core.Command.
func (c Use) CommandID() uint64 { return c.ID }

// CommandID implements core.Command.
func (c Remove) CommandID() uint64 { return c.ID }

// CommandID implements core.Command.
func (c List) CommandID() uint64 { return c.ID }

// Completes implements core.Completion.
func (e *Keys) Completes() uint64 { return e.ID }

// Outcome implements core.Completion.
func (e *Keys) Outcome() core.Fault { return e.Fault }

// AppendText implements core.Event.
func (e *Keys) AppendText(b []byte) ([]byte, error) {
	b = append(append(b, "keys "...), e.Fault.String()...)
	for _, id := range e.All {
		b = append(append(b, ' '), id...)
		if id == e.Primary {
			b = append(b, '*')
		}
	}
	if e.Detail != "" {
		b = append(append(b, ": "...), e.Detail...)
	}
	return b, nil
}

// command serves c and emits its completion.
func (n *Node) command(c core.Command) {
	var err error
	switch c := c.(type) {
	case Install:
		err = n.ring.install(c.Key)
	case Use:
		if err = n.ring.use(c.Key); err == nil {
			n.rekey()
		}
	case Remove:
		var k *key
		if k, err = n.ring.remove(c.Key); err == nil {
			n.senders.forget(k)
		}
	case List:
	default:
		err = core.FaultInvalid
	}
	done := &Keys{ID: c.CommandID()}
	if err != nil {
		done.Detail = err.Error()
		if !errors.As(err, &done.Fault) {
			done.Fault = core.FaultInvalid
		}
	}
	if n.ring.primary != nil {
		done.Primary = n.ring.primary.id
	}
	for _, k := range n.ring.keys {
		done.All = append(done.All, k.id)
	}
	n.out = append(n.out, core.Effect{Kind: core.EffectEmit, Event: done})
}
