// Package coretest drives nodes by script: text commands in, a readable trace of effects out. It is what
// golden interaction scripts of machines run on, this module's and yours.
//
//	func TestScripts(t *testing.T) {
//		script.Walk(t, "testdata", func(t *testing.T) script.Handler { return coretest.New(config).Do })
//	}
//
// An Env is a small world with a virtual clock. Nodes in it reach each other by address, 1 ms away; their
// journals survive them. Everything outside, a script plays by hand: what a node sends to an address that
// no node has is shown and goes nowhere, until the script answers.
//
// # Commands
//
// The world:
//
//	node n1 10.0.0.1:7946 OPTION...   build a node; options are for Config.Node
//	start n1...                       replay its journal and send the first wake
//	run 2s                            let time pass: wakes, deliveries and answers happen
//	skip 300ms                        let time pass with everyone asleep
//	name seed:7946 10.0.0.1:7946...   what a name resolves to; nothing means it does not
//	cut n1 n2                         what n1 sends to n2 is lost, links stall; heal undoes every cut
//	crash n1, restart n1              links break; restart builds it anew and replays the journal
//	hold store resolve                do not answer these by yourself; release undoes it
//	show emit send                    trace these effects only; show all undoes it
//	stats n1, due n1                  its counters; when and why it wants to be woken
//
// One input for one node, at once. "late 200ms" in front of any of these says that the host saw it then:
//
//	wake n1
//	do n1 COMMAND                     an application command, read by Config.Command
//	recv n1 10.0.0.9:7946 MESSAGE     a datagram; " | " separates messages, read by Config.Message
//	bytes n1 10.0.0.9:7946 HEX        a datagram, raw
//	accept n1 l7 10.0.0.9:7946        a peer connects; the script names the link
//	up n1 l1, down n1 l1 FAULT        the outcome of a dial, the end of a link; FAULT is a number or text
//	read n1 l1 MESSAGE                bytes of a link, as one piece
//	trickle n1 l1 3 MESSAGE           the same in pieces of three bytes
//	readbytes n1 l1 HEX               bytes of a link, raw
//	flushed n1 l1 100                 bytes of the window given back
//	resolved n1 t1 FAULT ADDR...      the outcome of a resolution
//	stored n1 t1 FAULT                the outcome of an append
//	restore n1 2 HEX, replay n1 2 HEX a snapshot, a journal record, of protocol 2
//	wall n1 1700000000                the wall clock, in seconds
//
// # The trace
//
// Each effect is one line: when, who, what. Messages are decoded and stand in braces; links and tokens
// are named in the order they appear.
//
//	1.5s n1 send 10.0.0.2:7946 {ping 7 n2} {announce n3@1 alive 10.0.0.3:7946}
package coretest

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/nekton-go/nekton/core"
)

// Config says how to build and read what a script talks about. Dialect and Node are required.
type Config struct {
	// Dialect decodes for the trace and encodes what the script says. Nodes may share it.
	Dialect core.Dialect
	// Node builds a node.
	Node func(name string, addr netip.AddrPort, options []string) (core.Verbs, error)
	// Message reads one message.
	Message func(words []string) (core.Message, error)
	// Command reads one command for the application's side of a node.
	Command func(id uint64, words []string) (core.Command, error)
}

// Delay is how far nodes are apart, how long a disk takes, and how long a resolver does.
const Delay = time.Millisecond

// An Env is the world of one script.
type Env struct {
	config Config
	now    core.Instant
	nodes  []*node // in order of creation
	queue  queue
	cuts   map[[2]string]bool
	names  map[string][]netip.AddrPort
	held   map[string]bool
	shown  map[string]bool // nil: all
	links  []*link
	tokens []token
	ids    uint64 // commands sent
	late   time.Duration
	trace  []byte
}

// New returns an empty world at time zero.
func New(c Config) *Env {
	e := &Env{config: c, names: map[string][]netip.AddrPort{}}
	e.heal()
	e.release()
	return e
}

// Now is the world's time.
func (e *Env) Now() core.Instant { return e.now }

// Do runs one command of a script and returns the trace of what came of it. An error says that the
// command makes no sense.
func (e *Env) Do(args []string) (string, error) {
	e.trace = e.trace[:0]
	e.late = 0
	if args[0] == "late" && len(args) > 2 {
		d, err := time.ParseDuration(args[1])
		if err != nil {
			return "", err
		}
		e.late, args = d, args[2:]
	}
	err := e.world(args)
	return string(e.trace), err
}

// world runs the commands that are not one input for one node.
func (e *Env) world(args []string) error {
	switch word, rest := args[0], args[1:]; word {
	case "node":
		return e.add(rest)
	case "start":
		return e.each(rest, e.start)
	case "crash":
		return e.each(rest, e.crash)
	case "restart":
		return e.each(rest, e.restart)
	case "stats":
		return e.each(rest, e.printStats)
	case "due":
		return e.each(rest, e.printDue)
	case "run", "skip":
		return e.pass(word, rest)
	case "name":
		return e.name(rest)
	case "cut":
		if len(rest) != 2 {
			return fmt.Errorf("cut takes two nodes")
		}
		e.cuts[[2]string{rest[0], rest[1]}] = true
	case "heal":
		e.heal()
	case "hold":
		for _, kind := range rest {
			e.held[kind] = true
		}
	case "release":
		e.release()
	case "show":
		e.shown = map[string]bool{}
		for _, kind := range rest {
			e.shown[kind] = true
		}
		if e.shown["all"] {
			e.shown = nil
		}
	default:
		return e.input(args)
	}
	return nil
}

func (e *Env) heal()    { e.cuts = map[[2]string]bool{} }
func (e *Env) release() { e.held = map[string]bool{} }

// each runs do for every node named.
func (e *Env) each(names []string, do func(*node) error) error {
	if len(names) == 0 {
		return fmt.Errorf("which node?")
	}
	for _, name := range names {
		n, err := e.node(name)
		if err == nil {
			err = do(n)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (e *Env) pass(word string, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("%s takes a duration", word)
	}
	d, err := time.ParseDuration(args[0])
	if err != nil {
		return err
	}
	if word == "skip" {
		e.now = e.now.Add(d)
	} else {
		e.run(e.now.Add(d))
	}
	return nil
}

func (e *Env) name(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("name takes host:port and what it resolves to")
	}
	addrs, err := parseAddrs(args[1:])
	e.names[args[0]] = addrs
	return err
}

func parseAddrs(words []string) (addrs []netip.AddrPort, err error) {
	for _, w := range words {
		a, err := netip.ParseAddrPort(w)
		if err != nil {
			return nil, err
		}
		addrs = append(addrs, a)
	}
	return addrs, nil
}

// parseFault reads a fault by its text, or one word of it. No words are success.
func parseFault(words []string) (core.Fault, error) {
	text := strings.Join(words, " ")
	for f := core.FaultNone; f <= core.FaultStorage; f++ {
		if text == f.String() || text == "" {
			return f, nil
		}
	}
	return 0, fmt.Errorf("unknown fault %q", text)
}
