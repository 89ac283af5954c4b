package core

import (
	"encoding"
	"net/netip"
)

type (
	// Proto names a machine: its messages, commands and journal are tagged with it.
	Proto uint8
	// Link is a reliable, ordered channel of messages to one peer. Links a node dials and links its
	// host accepts never share a number: see Accepted.
	Link uint64
	// Token is an operation whose outcome returns as an Input.
	Token uint64
)

// acceptedBit separates the links a host accepts from the links its node dials.
const acceptedBit Link = 1 << 63

// Accepted returns the Link for the n-th connection a host accepted; n is below 1<<63.
func Accepted(n uint64) Link { return Link(n) | acceptedBit }

// Accepted reports whether the host accepted l, rather than the node having dialed it.
func (l Link) Accepted() bool { return l&acceptedBit != 0 }

// A Message is what machines of one protocol say to each other. A Dialect turns it into bytes.
type Message interface {
	Proto() Proto
	encoding.TextAppender // one line, for traces
}

// An Event is news for the application and for machines mounted above.
type Event interface{ encoding.TextAppender }

// A Command is a request to the machine that owns Proto. It ends in exactly one Completion event
// that carries its ID. The node keeps what a command points to.
type Command interface {
	Proto() Proto
	CommandID() uint64 // chosen by the sender
}

// A Completion is the event that ends a command.
type Completion interface {
	Event
	Completes() uint64 // the command's ID
	Outcome() Fault
}

// Done is the Completion of a command that has nothing to tell but its outcome.
type Done struct {
	ID     uint64
	Fault  Fault
	Detail string // for people; empty on success
}

// Completes implements Completion.
func (d *Done) Completes() uint64 { return d.ID }

// Outcome implements Completion.
func (d *Done) Outcome() Fault { return d.Fault }

// AppendText implements Event.
func (d *Done) AppendText(b []byte) ([]byte, error) {
	b = append(b, "done "...)
	b = append(b, d.Fault.String()...)
	if d.Detail != "" {
		b = append(append(b, ": "...), d.Detail...)
	}
	return b, nil
}

// InputKind says which fields of an Input are set.
type InputKind uint8

// What can happen to a node. A host sends all of them but InputMessage and InputEvent, which the node makes.
const (
	InputWake     InputKind = iota // a deadline passed, or nothing did: an extra wake is harmless
	InputDatagram                  // From, Data
	InputUp                        // Link, From: a dial succeeded, or a peer connected (Accepted)
	InputRead                      // Link, Data: the next bytes of a link, cut anywhere
	InputFlushed                   // Link, Size: bytes of the link's window given back
	InputDown                      // Link, Fault: the link ended, or its dial failed
	InputResolved                  // Token, Addrs, Fault
	InputStored                    // Token, Fault: that machine's appends up to Token are durable
	InputWall                      // Wall: the host (re)read its wall clock
	InputRestore                   // Proto, Data: a machine's newest snapshot, before the first Wake
	InputReplay                    // Proto, Data: one of its journal records after that, in order
	InputCommand                   // Command
	InputMessage                   // Message, From, and Link if it came over one
	InputEvent                     // Event: emitted by a machine mounted below
)

// An Input is one thing that happened. The node borrows Data, Addrs and Message until Step returns.
type Input struct {
	Kind  InputKind
	Fault Fault
	Proto Proto
	From  netip.AddrPort
	Link  Link
	Token Token
	Size  int
	// At is when the host saw this happen, if that was before the now given to Step: a datagram that
	// waited in a queue, say. Deadlines after At do not fire in this step, so an answer that came in
	// time counts however late the host was to look at it. Zero means now.
	At      Instant
	Wall    int64 // nanoseconds since the Unix epoch
	Data    []byte
	Addrs   []netip.AddrPort
	Message Message
	Command Command
	Event   Event
}

// EffectKind says which fields of an Effect are set.
type EffectKind uint8

// What a node can ask of its host.
const (
	EffectNone    EffectKind = iota
	EffectSend               // To, Data: one datagram
	EffectDial               // Link, To: InputUp or InputDown follows, exactly once
	EffectWrite              // Link, Data: bytes to send in order; InputFlushed gives them back
	EffectClose              // Link: hang up after what was written; nothing more arrives on it
	EffectResolve            // Token, Name ("host:port"): InputResolved follows
	EffectAppend             // Proto, Token, Data: one record for that machine's journal; InputStored follows
	EffectCompact            // Proto, Token, Data: a snapshot that replaces its journal so far; InputStored follows
	EffectEmit               // Event: news for the application
	effectCall               // command; consumed by the node, never seen by hosts
)

// An Effect is one thing to do. If you can see it, you may do it now: effects that had to wait for
// durability have already waited. Data is valid until the next Step.
type Effect struct {
	Kind    EffectKind
	mount   uint8
	depth   uint8
	Proto   Proto
	To      netip.AddrPort
	Link    Link
	Token   Token
	Name    string
	Data    []byte
	Event   Event
	command Command
}
