package slice

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nekton-go/nekton/codec/cbor"
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/sim"
)

// A Reader puts steps into words. It follows what travels on links, so it must be shown every step of a run,
// in order, by Follow.
type Reader struct {
	about    string // the member of interest; empty: all are
	dialect  core.Dialect
	streams  map[end]*stream
	messages []string // of the input shown last
	mentions bool     // one of them speaks of the member of interest
	more     int      // that do not, and were left out
}

// end is one end of one link.
type end struct {
	node int
	link core.Link
}

// stream is what arrived at it and is no whole message yet.
type stream struct {
	reader core.FrameReader
	rest   []byte
}

// NewReader returns a Reader. It leaves out messages that do not speak of this member, if others in the same
// datagram do; empty: it shows all.
func NewReader(about string) *Reader {
	return &Reader{about: about, dialect: cbor.New(cbor.Config{}), streams: map[end]*stream{}}
}

// Follow reads the messages of a step's input. What the methods below return is about the step shown last.
func (r *Reader) Follow(s *sim.Step) {
	r.messages, r.mentions, r.more = r.messages[:0], false, 0
	if s.Inside == nil {
		r.read(s.Node, &s.Input)
		return
	}
	for i := range s.Inside.Inputs {
		r.read(s.Node, &s.Inside.Inputs[i])
	}
}

func (r *Reader) read(node int, input *core.Input) {
	at := end{node, input.Link}
	switch input.Kind {
	case core.InputDatagram:
		// What comes before a malformed part has been read; the node saw no more either.
		_ = r.dialect.ReadDatagram(input.Data, r.message)
	case core.InputUp:
		r.streams[at] = &stream{reader: r.dialect.NewFrameReader()}
	case core.InputDown:
		delete(r.streams, at)
	case core.InputRead:
		if in := r.streams[at]; in != nil {
			in.rest = append(in.rest, input.Data...)
			n, err := in.reader.ReadFrames(in.rest, r.message)
			if in.rest = in.rest[n:]; err != nil {
				delete(r.streams, at) // the node has hung up
			}
		}
	}
}

func (r *Reader) message(m core.Message) {
	text := r.words(m)
	switch mentioned := r.about != "" && speaksOf(text, r.about); {
	case mentioned && !r.mentions: // only from here on does it matter who is spoken of
		r.more += len(r.messages)
		r.messages, r.mentions = append(r.messages[:0], text), true
	case r.mentions && !mentioned:
		r.more++
	default:
		r.messages = append(r.messages, text)
	}
}

// words describes a message; a push/pull by the one record that matters.
func (r *Reader) words(m core.Message) string {
	switch m := m.(type) {
	case *swim.Announce:
		return "announce " + record(&m.Record)
	case *swim.PushPull:
		at := slices.IndexFunc(m.Members, func(one swim.Record) bool { return one.Name == r.about })
		if at < 0 {
			return fmt.Sprintf("push-pull {%d members}", len(m.Members))
		}
		return fmt.Sprintf("push-pull {%s, and %d others}", record(&m.Members[at]), len(m.Members)-1)
	}
	text, _ := m.AppendText(nil)
	return string(text)
}

func record(m *swim.Record) string { return fmt.Sprintf("%s %v@%d", m.Name, m.State, m.Incarnation) }

// Input describes what came in; from is whose step led to it, or -1.
func (r *Reader) Input(s *sim.Step, from int) string {
	in, by := &s.Input, ""
	if from >= 0 && from != s.Node {
		by = fmt.Sprintf("from n%d: ", from)
	}
	switch in.Kind {
	case core.InputWake:
		return "a deadline"
	case core.InputDatagram, core.InputRead:
		return by + r.text(len(in.Data))
	case core.InputUp:
		return by + "a link is up"
	case core.InputFlushed:
		return fmt.Sprintf("a link took %d bytes", in.Size)
	case core.InputDown:
		return fmt.Sprintf("%sa link is down: %v", by, in.Fault)
	case core.InputResolved:
		return fmt.Sprintf("a name is resolved: %v %v", in.Addrs, in.Fault)
	case core.InputStored:
		return fmt.Sprintf("the journal is written: %v", in.Fault)
	case core.InputWall:
		return "the wall clock"
	case core.InputRestore, core.InputReplay:
		return fmt.Sprintf("%d bytes of journal", len(in.Data))
	case core.InputCommand:
		return "command " + strings.TrimPrefix(fmt.Sprintf("%T", in.Command), "swim.")
	}
	return "something"
}

// text lists the messages of the input.
func (r *Reader) text(size int) string {
	if len(r.messages) == 0 {
		return fmt.Sprintf("%d bytes", size)
	}
	text := strings.Join(r.messages, "; ")
	if r.more > 0 {
		text = fmt.Sprintf("%s (and %d more)", text, r.more)
	}
	return text
}

// Mentions reports whether a message that came in speaks of the member of interest.
func (r *Reader) Mentions() bool { return r.mentions }

// Effects describes everything that a step did, one line each.
func (r *Reader) Effects(s *sim.Step) (lines []string) {
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	effects := s.Effects
	if s.Inside != nil {
		effects = s.Inside.Effects
	}
	for i := range effects {
		switch e := &effects[i]; e.Kind {
		case core.EffectSend:
			say("sends %v: %s", e.To.Addr(), r.datagram(e.Data))
		case core.EffectDial:
			say("dials %v", e.To.Addr())
		case core.EffectWrite:
			say("writes %d bytes on a link", len(e.Data))
		case core.EffectClose:
			say("closes a link")
		case core.EffectResolve:
			say("resolves %s", e.Name)
		case core.EffectAppend:
			say("appends %d bytes to its journal", len(e.Data))
		case core.EffectCompact:
			say("compacts its journal to %d bytes", len(e.Data))
		case core.EffectEmit:
			text, _ := e.Event.AppendText(nil)
			say("%s", text)
		}
	}
	return lines
}

func (r *Reader) datagram(b []byte) string {
	var parts []string
	err := r.dialect.ReadDatagram(b, func(m core.Message) { parts = append(parts, r.words(m)) })
	if err != nil {
		return fmt.Sprintf("%d bytes", len(b))
	}
	return strings.Join(parts, "; ")
}

// speaksOf reports whether a text has a name in it, as a word.
func speaksOf(text, name string) bool {
	for i := 0; ; i++ {
		k := strings.Index(text[i:], name)
		if k < 0 {
			return false
		}
		i += k
		end := i + len(name)
		if (i == 0 || !inWord(text[i-1])) && (end == len(text) || !inWord(text[end])) {
			return true
		}
	}
}

func inWord(b byte) bool { return b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' }
