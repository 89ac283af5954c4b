package core

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/nekton-go/nekton/internal/mix"
)

const (
	mountShift   = 56   // the top byte of links and tokens names the mount that owns them
	machinesMax  = 64   // keeps the mount clear of acceptedBit
	wakesPerStep = 1000 // a machine that asks for more wakes within one step does not move its deadline
	depthMax     = 64   // of machines calling each other within one step
)

// Config configures a Node. The zero value of a field means its default.
type Config struct {
	Seed     [32]byte // the only source of randomness
	Dialect  Dialect  // required
	Machines []Mount  // bottom first; at most 64, each with a Proto of its own

	MTU          int           // largest datagram, in bytes; default 1400
	LinkWindow   int           // bytes written to a link and not yet flushed; default 1 MiB
	FrameMax     int           // bytes of one message on a link; default 16 MiB
	AcceptedMax  int           // links accepted from peers at one time; default 128
	AcceptedIdle time.Duration // how long an accepted link may stay without a first message; default 10 s

	// Scratch is the memory a step works in. Nodes that one driver steps in turn may share it: then
	// the effects of one are valid until the next Step of any. Default: the node's own.
	Scratch *Scratch
	// Check turns on self-checks: borrowed buffers are overwritten when their loan ends, and every
	// Machine that is an Invariant is asked after each step. Tests and the simulator set it.
	Check bool
}

// Scratch is the working memory of a step. Its zero value is ready to use.
type Scratch struct {
	out    []Effect
	next   int // out[:next] has been seen by the host
	routed int // out[:routed] has been offered to the machines
	sends  []part
	parts  [][]byte
	arena  []byte // backs every Data in out and sends; reset by Step

	partial []byte // an empty buffer for a link's partial message, or nil
}

// Stats counts what a node did and what it refused. Counters only grow.
type Stats struct {
	Steps         uint64
	Datagrams     uint64 // received
	DatagramsBad  uint64 // received, with a part the dialect refused
	Messages      uint64 // delivered to machines
	Unroutable    uint64 // messages, commands and inputs for a machine or link that is not there
	SendsTooLarge uint64 // messages no datagram can carry, or the dialect has no words for
	LinksRefused  uint64 // accepted links over AcceptedMax
	LinksIdle     uint64 // accepted links closed for want of a first message
	LinksBad      uint64 // links ended by bytes the dialect refused
}

// A Node is a stack of machines that share one clock, one dialect and one queue of effects. It is
// driven from a single goroutine by three verbs: Step, Next, Deadline. See the package comment.
type Node struct {
	*Scratch
	mounts  []Mount
	turns   []Turn
	dialect Dialect
	config  Config

	now      Instant
	in       Input // the input being handled; a field so that it does not escape
	inner    Input // the command or event being routed
	depth    int   // of the handler that runs: what a host's input caused is 1, what that caused 2, …
	awake    bool  // the host has finished restoring and sent its first InputWake
	tokens   uint64
	links    links
	stats    Stats
	datagram Datagram
	deliver  func(Message) // receive, bound once
	gossips  []Gossiper
	checks   []Invariant // only with Config.Check
}

// NewNode returns a node with every machine mounted and nothing started: that takes the first
// InputWake. It panics on a config no node can have.
func NewNode(c Config) *Node {
	if c.Dialect == nil {
		panic("core: Config.Dialect is required")
	}
	if len(c.Machines) == 0 || len(c.Machines) > machinesMax {
		panic(fmt.Sprintf("core: %d machines; a node takes 1 to %d", len(c.Machines), machinesMax))
	}
	c.MTU = defaulted(c.MTU, 1400)
	c.LinkWindow = defaulted(c.LinkWindow, 1<<20)
	c.FrameMax = defaulted(c.FrameMax, 16<<20)
	c.AcceptedMax = defaulted(c.AcceptedMax, 128)
	c.AcceptedIdle = defaulted(c.AcceptedIdle, 10*time.Second)
	if c.Scratch == nil {
		c.Scratch = new(Scratch)
	}
	n := &Node{Scratch: c.Scratch, mounts: c.Machines, dialect: c.Dialect, config: c}
	n.links.open = map[Link]*link{}
	n.deliver, n.links.deliver = n.receive, n.receiveFrame
	n.turns = make([]Turn, len(n.mounts))
	for i, m := range n.mounts {
		if n.mountOf(m.Proto) != i {
			panic(fmt.Sprintf("core: two machines are mounted as protocol %d", m.Proto))
		}
		n.turns[i] = Turn{n, uint8(i), rand.New(stream(c.Seed, m.Proto))}
		if g, ok := m.Machine.(Gossiper); ok {
			n.gossips = append(n.gossips, g)
		}
		if m, ok := m.Machine.(Invariant); ok && n.config.Check {
			n.checks = append(n.checks, m)
		}
	}
	return n
}

func defaulted[T int | time.Duration](v, otherwise T) T {
	if v == 0 {
		return otherwise
	}
	return v
}

// Step advances the node by one input. The host must have drained Next: a host that has not is
// broken, and Step panics. now is not negative and never runs backwards inside a node: a smaller one than
// before counts as the one before. Bytes from the network are never fatal; what is wrong with them is in Stats.
func (n *Node) Step(now Instant, in Input) {
	if n.next != len(n.out) {
		panic("core: Step called before Next was drained")
	}
	n.begin(max(n.now, now))
	if in.At == 0 || in.At > n.now || in.Kind == InputWake {
		in.At = n.now
	}
	due := in.At
	n.in = in
	n.dispatch()
	// Timers run last, so an answer that arrived in time counts even if the host was late to look.
	if len(n.links.mute) > 0 {
		n.links.expire(n, due)
	}
	for i := range n.mounts {
		for wakes := 0; n.awake && n.mounts[i].Machine.Deadline() <= due; wakes++ {
			if wakes == wakesPerStep {
				panic(fmt.Sprintf("core: machine %T does not move its deadline", n.mounts[i].Machine))
			}
			n.in = Input{Kind: InputWake, At: due}
			n.handle(i)
		}
	}
	n.pack()
	n.in.Data, n.in.Addrs, n.in.Message, n.in.Command, n.in.Event = nil, nil, nil, nil, nil // loans end
	n.check()
}

// Next returns the next effect to perform, or false when the step is drained.
func (n *Node) Next() (e Effect, ok bool) {
	for n.next < len(n.out) {
		e = n.out[n.next]
		n.next++
		if e.Kind != effectCall {
			return e, true
		}
	}
	return Effect{}, false
}

// Deadline reports when Step must next be called, with InputWake if nothing else has happened.
func (n *Node) Deadline() Instant {
	if !n.awake {
		return Never
	}
	d := n.links.deadline()
	for i := range n.mounts {
		d = min(d, n.mounts[i].Machine.Deadline())
	}
	return d
}

// Due names the machine whose deadline is next: why the node wants to be woken. It reports false if no
// machine waits for anything.
func (n *Node) Due() (Proto, bool) {
	best, at := Proto(0), Never
	if !n.awake {
		return best, false
	}
	for i := range n.mounts {
		if d := n.mounts[i].Machine.Deadline(); d < at {
			best, at = n.mounts[i].Proto, d
		}
	}
	return best, at != Never
}

// Stats returns the node's counters.
func (n *Node) Stats() Stats { return n.stats }

var scribble = bytes.Repeat([]byte{0xDB}, 256)

func (n *Node) begin(now Instant) {
	n.now = now
	n.stats.Steps++
	n.depth = 1
	if n.config.Check {
		for rest := n.arena; len(rest) > 0; {
			rest = rest[copy(rest, scribble):] // whoever still reads this kept a buffer past its loan
		}
	}
	n.out, n.next, n.routed = n.out[:0], 0, 0
	n.sends, n.parts, n.arena = n.sends[:0], n.parts[:0], n.arena[:0]
}

// dispatch gives n.in to whom it concerns.
func (n *Node) dispatch() {
	switch n.in.Kind {
	case InputWake:
		n.awake = true
	case InputDatagram:
		n.stats.Datagrams++
		if err := n.dialect.ReadDatagram(n.in.Data, n.deliver); err != nil {
			n.stats.DatagramsBad++
		}
	case InputUp, InputRead, InputFlushed, InputDown:
		n.links.input(n)
	case InputResolved, InputStored:
		if i := int(n.in.Token >> mountShift); i < len(n.mounts) {
			n.handle(i)
		} else {
			n.stats.Unroutable++
		}
	case InputCommand:
		n.command()
	case InputRestore, InputReplay:
		if i := n.mountOf(n.in.Proto); i >= 0 {
			n.handle(i)
		} else {
			n.stats.Unroutable++
		}
	case InputWall:
		wall := n.in
		for i := range n.mounts {
			n.in = wall
			n.handle(i)
		}
	default:
		panic(fmt.Sprintf("core: input kind %d is not for hosts to send", n.in.Kind))
	}
}

// receive delivers one message of a datagram.
func (n *Node) receive(m Message) {
	i := n.mountOf(m.Proto())
	if i < 0 {
		n.stats.Unroutable++
		return
	}
	n.stats.Messages++
	n.in.Kind, n.in.Message = InputMessage, m // the rest is the datagram's
	n.handle(i)
}

// command gives the application's command to its machine.
func (n *Node) command() {
	c := n.in.Command
	if i := n.mountOf(c.Proto()); i >= 0 {
		n.handle(i)
		return
	}
	n.stats.Unroutable++
	n.put(EffectEmit, uint8(len(n.mounts))).Event = &Done{
		ID: c.CommandID(), Fault: FaultNotFound, Detail: fmt.Sprintf("no machine serves protocol %d", c.Proto()),
	}
}

// handle gives n.in to machine i, then routes what it said.
func (n *Node) handle(i int) {
	n.mounts[i].Machine.Handle(&n.turns[i], &n.in)
	if n.routed < len(n.out) {
		n.route()
	}
}

// route offers every new effect to the machines: commands to the one they name below, events to every
// one above. It runs between handlers, never inside one.
func (n *Node) route() {
	for ; n.routed < len(n.out); n.routed++ {
		if kind := n.out[n.routed].Kind; kind != effectCall && kind != EffectEmit {
			continue
		}
		e := n.out[n.routed] // a copy: handlers grow n.out
		if n.depth = int(e.depth) + 1; n.depth > depthMax {
			panic("core: machines keep calling each other within one step")
		}
		if e.Kind == effectCall {
			n.call(&e)
			continue
		}
		for j := int(e.mount) + 1; j < len(n.mounts); j++ {
			n.inner = Input{Kind: InputEvent, At: n.in.At, Event: e.Event}
			n.mounts[j].Machine.Handle(&n.turns[j], &n.inner)
		}
	}
	n.depth, n.inner = 1, Input{}
}

// call gives a command to the machine below that it names.
func (n *Node) call(e *Effect) {
	i := n.mountOf(e.command.Proto())
	if i < 0 || i >= int(e.mount) {
		panic(fmt.Sprintf("core: command %T from mount %d has no machine below it", e.command, e.mount))
	}
	n.inner = Input{Kind: InputCommand, At: n.in.At, Command: e.command}
	n.mounts[i].Machine.Handle(&n.turns[i], &n.inner)
}

func (n *Node) mountOf(p Proto) int {
	for i := range n.mounts {
		if n.mounts[i].Proto == p {
			return i
		}
	}
	return -1
}

// put queues an effect and returns it to be filled in, before anything else is queued.
func (n *Node) put(kind EffectKind, mount uint8) *Effect {
	n.out = append(n.out, Effect{})
	e := &n.out[len(n.out)-1]
	e.Kind, e.mount, e.depth = kind, mount, uint8(n.depth)
	return e
}

func (n *Node) copy(b []byte) []byte {
	start := len(n.arena)
	n.arena = append(n.arena, b...)
	return n.arena[start:len(n.arena):len(n.arena)]
}

func (n *Node) check() {
	for _, m := range n.checks {
		if what := m.Invariant(); what != "" {
			panic(fmt.Sprintf("core: %T broke an invariant at %v: %s", m, n.now, what))
		}
	}
}

// stream derives one machine's generator from the node's seed.
func stream(seed [32]byte, p Proto) *rand.PCG {
	word := func(i int) (w uint64) {
		for j := range 8 {
			w |= uint64(seed[8*i+j]) << (8 * j)
		}
		return w
	}
	salt := (uint64(p) + 1) * 0x9e3779b97f4a7c15
	return rand.NewPCG(mix.Uint64(word(0)^salt)^word(2), mix.Uint64(word(1)+salt)^word(3))
}
