package coretest

import (
	"encoding"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/nekton-go/nekton/core"
)

// printf adds one line to the trace, unless the script does not want to see that kind.
func (e *Env) printf(n *node, kind, format string, args ...any) {
	if e.shown != nil && !e.shown[kind] {
		return
	}
	e.trace = fmt.Appendf(e.trace, "%v %s %s ", time.Duration(e.now), n.name, kind)
	e.trace = append(fmt.Appendf(e.trace, format, args...), '\n')
}

// datagram decodes what a node sends.
func (e *Env) datagram(data []byte) string {
	var b strings.Builder
	if err := e.config.Dialect.ReadDatagram(data, func(m core.Message) { appendMessage(&b, m) }); err != nil {
		fmt.Fprintf(&b, " undecodable (%v): %x", err, data)
	}
	return strings.TrimPrefix(b.String(), " ")
}

// frames decodes what a node writes on a link.
func (e *Env) frames(r core.FrameReader, data []byte) string {
	var b strings.Builder
	n, err := r.ReadFrames(data, func(m core.Message) { appendMessage(&b, m) })
	if err != nil || n != len(data) {
		fmt.Fprintf(&b, " undecodable (%v): %x", err, data[n:])
	}
	return strings.TrimPrefix(b.String(), " ")
}

func appendMessage(b *strings.Builder, m core.Message) { fmt.Fprintf(b, " {%s}", text(m)) }

func text(a encoding.TextAppender) string {
	b, err := a.AppendText(nil)
	if err != nil {
		return fmt.Sprintf("%T: %v", a, err)
	}
	return string(b)
}

// printStats shows the counters that are not zero.
func (e *Env) printStats(n *node) error {
	counted, ok := n.verbs.(interface{ Stats() core.Stats })
	if !ok {
		return fmt.Errorf("%s counts nothing", n.name)
	}
	stats := reflect.ValueOf(counted.Stats())
	for i := range stats.NumField() {
		if v := stats.Field(i).Uint(); v != 0 {
			e.trace = fmt.Appendf(e.trace, "%s %d\n", stats.Type().Field(i).Name, v)
		}
	}
	return nil
}

// printDue shows when a node wants to be woken, and which machine wants it.
func (e *Env) printDue(n *node) error {
	e.trace = fmt.Appendf(e.trace, "%v", n.verbs.Deadline())
	if why, ok := n.verbs.(interface{ Due() (core.Proto, bool) }); ok {
		if proto, ok := why.Due(); ok {
			e.trace = fmt.Appendf(e.trace, " for protocol %d", proto)
		}
	}
	e.trace = append(e.trace, '\n')
	return nil
}
