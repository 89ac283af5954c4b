package core_test

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/nekton-go/nekton/core"
)

// note is the only message of the toy protocols.
type note struct {
	proto core.Proto
	text  string
}

func (m *note) Proto() core.Proto { return m.proto }

func (m *note) AppendText(b []byte) ([]byte, error) {
	return fmt.Appendf(b, "%d:%s", m.proto, m.text), nil
}

// plain is a dialect one can read in hex: a message is its protocol and its text; in a datagram and on
// a link a byte of length goes before it. A message of protocol 0 is malformed.
type plain struct{ read note }

func (d *plain) AppendMessage(dst []byte, m core.Message) ([]byte, error) {
	n, ok := m.(*note)
	switch {
	case !ok || n.proto == 0:
		return dst, core.FaultInvalid
	case len(n.text) > 254:
		return dst, core.FaultTooLarge
	}
	return append(append(dst, byte(n.proto)), n.text...), nil
}

func (d *plain) Overhead(n int) int { return n }

func (d *plain) AppendDatagram(dst []byte, parts [][]byte) []byte {
	for _, p := range parts {
		dst = append(append(dst, byte(len(p))), p...)
	}
	return dst
}

func (d *plain) ReadDatagram(b []byte, each func(core.Message)) error {
	n, err := d.ReadFrames(b, each)
	if err == nil && n < len(b) {
		return core.FaultInvalid
	}
	return err
}

func (d *plain) AppendFrame(dst []byte, m core.Message) ([]byte, error) {
	start := len(dst)
	framed, err := d.AppendMessage(append(dst, 0), m)
	if err != nil {
		return dst, err
	}
	framed[start] = byte(len(framed) - start - 1)
	return framed, nil
}

func (d *plain) NewFrameReader() core.FrameReader { return &plain{} }

func (d *plain) ReadFrames(b []byte, each func(core.Message)) (n int, err error) {
	for n < len(b) && n+1+int(b[n]) <= len(b) {
		frame := b[n+1 : n+1+int(b[n])]
		if len(frame) == 0 || frame[0] == 0 {
			return n, core.FaultInvalid
		}
		d.read = note{core.Proto(frame[0]), string(frame[1:])}
		n += 1 + len(frame)
		each(&d.read)
	}
	return n, nil
}

// said is what a puppet emits.
type said string

func (s said) AppendText(b []byte) ([]byte, error) { return append(b, s...), nil }

// order is a command to a puppet: what to do with its Turn.
type order struct {
	proto core.Proto
	id    uint64
	words []string
}

func (o order) Proto() core.Proto { return o.proto }
func (o order) CommandID() uint64 { return o.id }

func parseOrder(id uint64, words []string) (core.Command, error) {
	if len(words) < 2 {
		return nil, fmt.Errorf("do takes a protocol and what to do")
	}
	p, err := strconv.Atoi(words[0])
	return order{core.Proto(p), id, words[1:]}, err
}

func parseNote(words []string) (core.Message, error) {
	proto, text, ok := strings.Cut(strings.Join(words, " "), ":")
	p, err := strconv.Atoi(proto)
	if !ok || err != nil {
		return nil, fmt.Errorf("a message is PROTO:TEXT, not %q", words)
	}
	return &note{core.Proto(p), text}, nil
}

// A puppet does what it is ordered to, and says what it hears.
type puppet struct {
	proto    core.Proto
	links    []core.Link // "#1" is the first
	deadline core.Instant
	follow   bool // says which events it hears, too
	news     [][]byte
	replies  map[string][]string // what to do when a message says the key
}

func newPuppet(p core.Proto) *puppet {
	return &puppet{proto: p, deadline: core.Never, replies: map[string][]string{}}
}

func (p *puppet) Deadline() core.Instant { return p.deadline }

// Gossip adds each piece of news that fits to every datagram.
func (p *puppet) Gossip(d *core.Datagram) {
	for _, n := range p.news {
		d.Add(n)
	}
}

func (p *puppet) Handle(t *core.Turn, in *core.Input) {
	say := func(format string, args ...any) {
		late := ""
		if in.At != t.Now() {
			late = fmt.Sprintf(" (seen at %v)", in.At)
		}
		t.Emit(said(fmt.Sprintf("%d ", p.proto) + fmt.Sprintf(format, args...) + late))
	}
	switch in.Kind {
	case core.InputWake:
		p.deadline = core.Never
		say("woke")
	case core.InputUp:
		say("link %s is up, to %v", p.link(in.Link), in.From)
	case core.InputFlushed:
		say("link %s flushed %d", p.link(in.Link), in.Size)
	case core.InputDown:
		say("link %s is down: %v", p.link(in.Link), in.Fault)
	case core.InputResolved:
		say("resolved: %v %v", in.Fault, in.Addrs)
	case core.InputStored:
		say("stored: %v", in.Fault)
	case core.InputWall:
		say("wall clock %v", time.Unix(0, in.Wall).UTC().Format(time.RFC3339))
	case core.InputRestore:
		say("restores %x", in.Data)
	case core.InputReplay:
		say("replays %x", in.Data)
	case core.InputMessage:
		m := in.Message.(*note)
		if in.Link != 0 {
			say("heard %q on link %s from %v", m.text, p.link(in.Link), in.From)
		} else {
			say("heard %q from %v", m.text, in.From)
		}
		if words := p.replies[m.text]; words != nil {
			p.obey(t, words)
		}
	case core.InputEvent:
		if p.follow {
			what, _ := in.Event.AppendText(nil)
			say("noticed %q", what)
		}
	case core.InputCommand:
		o := in.Command.(order)
		if f := p.obey(t, o.words); o.id != 0 {
			t.Emit(&core.Done{ID: o.id, Fault: f})
		}
	}
}

// link names a link by the order in which the puppet met it.
func (p *puppet) link(l core.Link) string {
	for i := range p.links {
		if p.links[i] == l {
			return fmt.Sprintf("#%d", i+1)
		}
	}
	p.links = append(p.links, l)
	return fmt.Sprintf("#%d", len(p.links))
}

// obey does one thing. The words come from our own scripts: a wrong one panics.
func (p *puppet) obey(t *core.Turn, words []string) core.Fault {
	word, args := words[0], append(words[1:], "", "")
	message := &note{p.proto, strings.Join(args[1:], " ")}
	message.text = strings.TrimRight(message.text, " ")
	switch word {
	case "send":
		if !t.Send(netip.MustParseAddrPort(args[0]), message) {
			return core.FaultTooLarge
		}
	case "gossip":
		t.Gossip(netip.MustParseAddrPort(args[0]))
	case "news":
		encoded, err := t.Encode(nil, &note{p.proto, args[0]})
		if err != nil {
			return err.(core.Fault)
		}
		p.news = append(p.news, encoded)
	case "dial":
		p.links = append(p.links, t.Dial(netip.MustParseAddrPort(args[0])))
	case "write":
		return t.Write(p.number(args[0]), message)
	case "close":
		t.Close(p.number(args[0]))
	case "resolve":
		t.Resolve(args[0])
	case "append", "compact":
		data, err := hex.DecodeString(args[0])
		if err != nil {
			panic(err)
		}
		if word == "append" {
			t.Append(data)
		} else {
			t.Compact(data)
		}
	case "timer":
		d, err := time.ParseDuration(args[0])
		if err != nil {
			panic(err)
		}
		p.deadline = t.Now().Add(d)
	case "emit":
		t.Emit(said(args[0]))
	case "call":
		to, err := strconv.Atoi(args[0])
		if err != nil {
			panic(err)
		}
		t.Call(order{proto: core.Proto(to), words: words[2:]})
	case "follow":
		p.follow = true
	case "draw":
		t.Emit(said(fmt.Sprintf("%d drew %d", p.proto, t.Rand().IntN(1000))))
	case "when":
		p.replies[args[0]] = words[2:]
	case "all": // several orders, separated by "+"
		for part := range strings.SplitSeq(strings.Join(words[1:], " "), " + ") {
			if f := p.obey(t, strings.Fields(part)); f != core.FaultNone {
				return f
			}
		}
	default:
		panic("puppets cannot " + word)
	}
	return core.FaultNone
}

func (p *puppet) number(name string) core.Link {
	i, err := strconv.Atoi(strings.TrimPrefix(name, "#"))
	if err != nil || i > len(p.links) {
		panic("no link " + name)
	}
	return p.links[i-1]
}
