package sim

import (
	"fmt"
	"io"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/sim/check"
)

// tracer writes what happens, a line each, for people: the hash does not depend on it.
type tracer struct {
	out     io.Writer    // nil: nobody reads
	events  bool         // only what nodes tell their applications
	dialect core.Dialect // reads datagrams; nil: only their size is shown
	text    []byte
	each    func(core.Message)
	err     error // the first that out returned
}

func (t *tracer) line(now core.Instant, format string, args ...any) {
	if t.err == nil {
		_, t.err = fmt.Fprintf(t.out, "%v "+format+"\n", append([]any{now}, args...)...)
	}
}

// op shows that an operation begins or ends.
func (t *tracer) op(now core.Instant, prefix string, op *Op) {
	if t.out != nil && !t.events {
		t.line(now, "-- %s%v", prefix, op)
	}
}

// lost shows what became of the datagram shown last.
func (t *tracer) lost(now core.Instant, from, to int, why string) {
	if t.out != nil && !t.events {
		t.line(now, "   %s: %s > %s", why, check.Name(from), check.Name(to))
	}
}

// disk shows what becomes of a journal.
func (t *tracer) disk(now core.Instant, i int, format string, args ...any) {
	if t.out != nil && !t.events {
		t.line(now, "   %s disk: %s", check.Name(i), fmt.Sprintf(format, args...))
	}
}

// attack shows that a stranger strikes.
func (t *tracer) attack(now core.Instant, to int, mode string) {
	if t.out != nil && !t.events {
		t.line(now, "stranger > %s %s", check.Name(to), mode)
	}
}

// effect shows what a node asks for.
func (t *tracer) effect(now core.Instant, i int, e *core.Effect) {
	if t.out == nil || t.events && e.Kind != core.EffectEmit {
		return
	}
	name := check.Name(i)
	switch e.Kind {
	case core.EffectSend:
		t.line(now, "%s > %v %s", name, e.To.Addr(), t.datagram(e.Data))
	case core.EffectDial:
		t.line(now, "%s dials %v on link %x", name, e.To.Addr(), uint64(e.Link))
	case core.EffectWrite:
		t.line(now, "%s writes %d bytes on link %x", name, len(e.Data), uint64(e.Link))
	case core.EffectClose:
		t.line(now, "%s closes link %x", name, uint64(e.Link))
	case core.EffectResolve:
		t.line(now, "%s resolves %s", name, e.Name)
	case core.EffectAppend:
		t.line(now, "%s appends %d bytes", name, len(e.Data))
	case core.EffectCompact:
		t.line(now, "%s compacts to %d bytes", name, len(e.Data))
	case core.EffectEmit:
		t.text, _ = e.Event.AppendText(t.text[:0])
		t.line(now, "%s %s", name, t.text)
	}
}

// datagram describes its messages.
func (t *tracer) datagram(b []byte) []byte {
	t.text = t.text[:0]
	if t.each == nil {
		t.each = func(m core.Message) {
			if len(t.text) > 0 {
				t.text = append(t.text, "; "...)
			}
			t.text, _ = m.AppendText(t.text)
		}
	}
	if t.dialect == nil || t.dialect.ReadDatagram(b, t.each) != nil {
		t.text = fmt.Appendf(t.text[:0], "%d bytes", len(b))
	}
	return t.text
}
