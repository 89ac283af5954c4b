package core

import (
	"math/rand/v2"
	"net/netip"
)

// A Machine is one protocol. It is driven from a single goroutine and needs no locks.
type Machine interface {
	// Handle consumes one input. It must not retain t, in, or anything in points to.
	Handle(t *Turn, in *Input)
	// Deadline reports when the machine wants an InputWake, or Never. It is asked often and must be cheap.
	// A wake at or after the deadline must move it.
	Deadline() Instant
}

// A Gossiper is a Machine with news that may ride in datagrams that leave anyway.
type Gossiper interface {
	Machine
	// Gossip adds encoded messages to d while they fit.
	Gossip(d *Datagram)
}

// An Invariant is a Machine that can check itself. Nodes with Config.Check ask after every step;
// a non-empty answer is a bug and panics.
type Invariant interface {
	Machine
	Invariant() string
}

// A Mount gives a machine its place in a node. Commands go down the mount order, events go up it.
type Mount struct {
	Proto   Proto
	Machine Machine
}

// A Turn is what a machine may do while it handles one input. Every method only appends to the node's
// queue of effects; nothing calls back, so handlers never nest.
type Turn struct {
	node  *Node
	mount uint8
	rand  *rand.Rand
}

// Now is the time of this step.
func (t *Turn) Now() Instant { return t.node.now }

// Rand is this machine's own stream of randomness. Mounting another machine does not shift it.
func (t *Turn) Rand() *rand.Rand { return t.rand }

// Encode appends m in the node's dialect, for machines that keep encoded messages to gossip later.
func (t *Turn) Encode(dst []byte, m Message) ([]byte, error) {
	return t.node.dialect.AppendMessage(dst, m)
}

// Send queues an unreliable message. Messages to one address leave together, after the turn's other
// effects. It reports false, and sends nothing, if the message cannot fit a datagram.
func (t *Turn) Send(to netip.AddrPort, m Message) bool { return t.node.send(to, m) }

// Gossip asks for a datagram to an address even if nothing but gossip goes into it. None leaves if
// there is no gossip.
func (t *Turn) Gossip(to netip.AddrPort) { t.node.sends = append(t.node.sends, part{to: to}) }

// Dial asks for a link. InputUp or InputDown follows, exactly once, unless the machine closes it first.
func (t *Turn) Dial(to netip.AddrPort) Link { return t.node.dial(t.mount, to) }

// Write queues one message on a link that is up. It reports FaultBusy, and queues nothing, while the
// link's window is full (InputFlushed says when to try again), FaultClosed if the link is not up, and
// the dialect's fault if it cannot carry the message. A message larger than the window goes out alone.
func (t *Turn) Write(l Link, m Message) Fault { return t.node.write(t.mount, l, m) }

// Unflushed is how many bytes written to a link the host has not yet taken.
func (t *Turn) Unflushed(l Link) int {
	if open := t.node.links.open[l]; open != nil {
		return open.inflight
	}
	return 0
}

// Close hangs up. The machine hears no more of l.
func (t *Turn) Close(l Link) { t.node.close(t.mount, l) }

// Resolve looks up "host:port"; InputResolved follows.
func (t *Turn) Resolve(name string) Token {
	tok := t.token()
	e := t.node.put(EffectResolve, t.mount)
	e.Token, e.Name = tok, name
	return tok
}

// Append journals one record and returns the token its InputStored will carry.
// With a Fault, the record may or may not be found at the next start, and the host may take no more records of this
// machine until Compact brings a snapshot.
func (t *Turn) Append(record []byte) Token { return t.store(EffectAppend, record) }

// Compact journals a snapshot that makes this machine's earlier records redundant.
func (t *Turn) Compact(snapshot []byte) Token { return t.store(EffectCompact, snapshot) }

// Emit reports an event to the machines mounted above and to the application. The event belongs to
// its receivers from here on.
func (t *Turn) Emit(ev Event) { t.node.put(EffectEmit, t.mount).Event = ev }

// Call asks a machine mounted below to do something, once this turn's handler has returned.
func (t *Turn) Call(c Command) { t.node.put(effectCall, t.mount).command = c }

func (t *Turn) store(kind EffectKind, data []byte) Token {
	tok := t.token()
	e := t.node.put(kind, t.mount)
	e.Proto, e.Token, e.Data = t.node.mounts[t.mount].Proto, tok, t.node.copy(data)
	return tok
}

// token numbers an operation; its top byte is the mount that the outcome returns to.
func (t *Turn) token() Token {
	t.node.tokens++
	return Token(uint64(t.mount)<<mountShift | t.node.tokens)
}

// Verbs is what drives a node: what a Node, a sealed node (codec/seal) and a guest (hosts/wasi) have
// in common.
type Verbs interface {
	Step(now Instant, in Input)
	Next() (Effect, bool)
	Deadline() Instant
}
