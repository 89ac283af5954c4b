package seal

import (
	"crypto/cipher"

	"github.com/nekton-go/nekton/core"
)

// Stats counts what a node let through and what it refused. Counters only grow.
type Stats struct {
	Opened       uint64 // datagrams and records that opened
	Sealed       uint64 // datagrams and records that were sealed
	Plain        uint64 // datagrams and links let in without a seal
	BadLabel     uint64 // datagrams and links of another cluster
	BadSeal      uint64 // no key opens it, or it should have been sealed and was not
	Replayed     uint64 // seen before, or too old to tell; or our own, come back
	Malformed    uint64 // too short, or nothing of ours
	LinksRefused uint64 // links ended for a reason above, or over Config.LinksMax
}

// A Node seals what another node sends and opens what it receives. It implements core.Verbs and is, like
// the node inside, driven from a single goroutine.
type Node struct {
	inner  core.Verbs
	config Config
	ring   keyring
	stats  Stats

	header   header      // of what we seal
	counter  uint64      // of datagrams sealed
	aead     cipher.AEAD // seals our datagrams
	nonce    nonce       // fields, so that they do not escape to the heap one by one
	incoming header
	senders  *senders
	links    links

	out   []core.Effect
	next  int    // out[:next] has been seen by the host
	arena []byte // backs the Data of out; reset by Step
	plain []byte // what inner borrows during its Step

	partial []byte // an empty buffer for the next link on which something has not arrived whole, or nil
}

// New returns a Node around inner. Errors wrap core.FaultInvalid or core.FaultTooLarge and say which field
// of c to change.
func New(inner core.Verbs, c Config) (*Node, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	n := &Node{inner: inner, config: c, ring: keyring{max: c.KeysMax}, senders: newSenders(c.SessionsMax, c.Window)}
	n.header = header{version: versionDatagram, label: tagOf(c.Label), session: c.Session}
	n.links.open = map[core.Link]*link{}
	for _, secret := range c.Keys {
		if err := n.ring.install(secret); err != nil {
			return nil, err
		}
	}
	if len(c.Keys) > 0 {
		n.ring.primary = n.ring.keys[0]
		n.rekey()
	}
	n.config.Keys = nil // the keyring has its own copies
	return n, nil
}

// rekey makes datagrams leave under the primary key. The counter goes on: no number is used twice.
func (n *Node) rekey() {
	n.header.hint = n.ring.primary.hint
	n.aead = n.ring.primary.aead(n.root(n.ring.primary, &n.config.Session), forDatagrams, "", n.config.Label)
}

// Stats returns the node's counters.
func (n *Node) Stats() Stats { return n.stats }

// Deadline implements core.Verbs.
func (n *Node) Deadline() core.Instant { return n.inner.Deadline() }

// Next implements core.Verbs. The effect's Data is valid until the next Step.
func (n *Node) Next() (core.Effect, bool) {
	if n.next == len(n.out) {
		return core.Effect{}, false
	}
	n.next++
	return n.out[n.next-1], true
}

// Step implements core.Verbs: it opens what comes from the network, steps the node inside, and seals what
// that wants sent. Like it, Step panics if Next has not been drained.
func (n *Node) Step(now core.Instant, in core.Input) {
	if n.next != len(n.out) {
		panic("seal: Step called before Next was drained")
	}
	n.out, n.next, n.arena = n.out[:0], 0, n.arena[:0]
	forward := true
	switch in.Kind {
	case core.InputDatagram:
		in.Data, forward = n.openDatagram(in.Data)
	case core.InputCommand:
		if in.Command.Proto() == Proto {
			n.command(in.Command)
			forward = false
		}
	case core.InputUp, core.InputRead, core.InputFlushed, core.InputDown:
		forward = n.linkInput(now, &in)
	}
	if forward {
		n.step(now, &in)
	} else {
		n.wake(now, in.At)
	}
	n.mourn(now)
}

// step advances the node inside by one input.
func (n *Node) step(now core.Instant, in *core.Input) {
	n.inner.Step(now, *in)
	for e, ok := n.inner.Next(); ok; e, ok = n.inner.Next() {
		n.effect(&e)
	}
}

// wake runs the timers of the node inside that were due when an input came that it will not see.
func (n *Node) wake(now, at core.Instant) {
	if at == 0 || at > now {
		at = now
	}
	if n.inner.Deadline() <= at {
		n.step(at, &core.Input{Kind: core.InputWake})
	}
}

// effect queues what the host is to see of e. The data of e is gone with the inner node's next step,
// of which there may be several in one of ours.
func (n *Node) effect(e *core.Effect) {
	switch e.Kind {
	case core.EffectSend:
		e.Data = n.sealDatagram(e.Data)
	case core.EffectDial:
		n.links.open[e.Link] = &link{id: e.Link, mode: n.mode()}
	case core.EffectWrite:
		var ok bool
		if e.Data, ok = n.write(e.Link, e.Data); !ok {
			return
		}
	case core.EffectClose:
		if n.links.open[e.Link] == nil {
			return // we were first
		}
		n.links.drop(e.Link)
	case core.EffectAppend, core.EffectCompact:
		start := len(n.arena)
		n.arena = append(n.arena, e.Data...)
		e.Data = n.arena[start:len(n.arena):len(n.arena)]
	}
	n.out = append(n.out, *e)
}
