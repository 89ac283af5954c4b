package codectest_test

import (
	"encoding/binary"
	"net/netip"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
)

// valid checks the bounds that every dialect keeps.
func valid(m core.Message) core.Fault {
	required, optional, state := []string{}, "", swim.Alive
	switch m := m.(type) {
	case *swim.Ping:
		required, optional = []string{m.Target}, m.SourceName
	case *swim.IndirectPing:
		required, optional = []string{m.Target}, m.SourceName
	case *swim.Announce:
		required = []string{m.Name}
	case *swim.Accuse:
		required = []string{m.Node, m.From}
	case *swim.Bury:
		required = []string{m.Node, m.From}
	case *swim.PushPull:
		for _, r := range m.Members {
			required, state = append(required, r.Name), max(state, r.State)
		}
	case *swim.Ack, *swim.Nack, *swim.User, *swim.Refuse:
	default:
		return core.FaultInvalid
	}
	for _, name := range required {
		if name == "" {
			return core.FaultInvalid
		} else if len(name) > 255 {
			return core.FaultTooLarge
		}
	}
	if len(optional) > 255 {
		return core.FaultTooLarge
	}
	if state > swim.Left {
		return core.FaultInvalid
	}
	return core.FaultNone
}

// blank returns an empty message of a kind, numbered from 1; nil if there is none.
func blank(kind byte) core.Message {
	kinds := []func() core.Message{
		func() core.Message { return new(swim.Ping) }, func() core.Message { return new(swim.IndirectPing) },
		func() core.Message { return new(swim.Ack) }, func() core.Message { return new(swim.Nack) },
		func() core.Message { return new(swim.Announce) }, func() core.Message { return new(swim.Accuse) },
		func() core.Message { return new(swim.Bury) }, func() core.Message { return new(swim.User) },
		func() core.Message { return new(swim.PushPull) }, func() core.Message { return new(swim.Refuse) },
	}
	if kind == 0 || int(kind) > len(kinds) {
		return nil
	}
	return kinds[kind-1]()
}

// A coder writes fields to b, or reads them from it. Reading stops at short if b ends too early and at
// bad if it makes no sense.
type coder struct {
	b          []byte
	at         int
	write      bool
	short, bad bool
}

const blobMax = 1 << 20

func (c *coder) uint(p *uint32) {
	if c.write {
		c.b = binary.AppendUvarint(c.b, uint64(*p))
		return
	}
	v, n := binary.Uvarint(c.b[c.at:])
	c.short = c.short || n == 0
	c.bad = c.bad || n < 0 || v > 1<<32-1
	if c.short || c.bad {
		return
	}
	*p = uint32(v)
	c.at += n
}

func (c *coder) byte(p *byte) {
	v := uint32(*p)
	c.uint(&v)
	c.bad = c.bad || v > 255
	*p = byte(v)
}

func (c *coder) flag(p *bool) {
	var v uint32
	if *p {
		v = 1
	}
	c.uint(&v)
	*p = v == 1
}

func (c *coder) blob(p *[]byte) {
	n := uint32(len(*p))
	c.uint(&n)
	if c.write {
		c.b = append(c.b, *p...)
		return
	}
	c.bad = c.bad || n > blobMax
	c.short = c.short || c.at+int(n) > len(c.b)
	if c.short || c.bad {
		return
	}
	*p = c.b[c.at : c.at+int(n)]
	c.at += int(n)
}

func (c *coder) text(p *string) {
	b := []byte(*p)
	c.blob(&b)
	*p = string(b)
}

func (c *coder) addr(p *netip.AddrPort) {
	b, _ := p.MarshalBinary()
	c.blob(&b)
	if !c.write && !c.short && p.UnmarshalBinary(b) != nil {
		c.bad = true
	}
}

func (c *coder) record(r *swim.Record) {
	c.text(&r.Name)
	c.addr(&r.Addr)
	c.uint(&r.Incarnation)
	c.byte((*byte)(&r.State))
	c.blob(&r.Meta)
	v := &r.Versions
	for _, p := range []*byte{&v.ProtocolMin, &v.ProtocolMax, &v.Protocol, &v.AppMin, &v.AppMax, &v.App} {
		c.byte(p)
	}
}

// message codes the fields of m; of a PushPull only the head, members follow one by one.
func (c *coder) message(m core.Message) (kind byte) {
	switch m := m.(type) {
	case *swim.Ping:
		c.uint(&m.Seq)
		c.text(&m.Target)
		c.addr(&m.Source)
		c.text(&m.SourceName)
		return 1
	case *swim.IndirectPing:
		c.uint(&m.Seq)
		c.text(&m.Target)
		c.addr(&m.TargetAddr)
		c.flag(&m.Nack)
		c.addr(&m.Source)
		c.text(&m.SourceName)
		return 2
	case *swim.Ack:
		c.uint(&m.Seq)
		c.blob(&m.Payload)
		return 3
	case *swim.Nack:
		c.uint(&m.Seq)
		return 4
	case *swim.Announce:
		c.record(&m.Record)
		return 5
	case *swim.Accuse:
		c.accusation(&m.Node, &m.Incarnation, &m.From)
		return 6
	case *swim.Bury:
		c.accusation(&m.Node, &m.Incarnation, &m.From)
		return 7
	case *swim.User:
		c.blob(&m.Data)
		return 8
	case *swim.PushPull:
		c.flag(&m.Join)
		c.blob(&m.User)
		return pushPullKind
	case *swim.Refuse:
		c.text(&m.Reason)
		return 10
	}
	return 0
}

const pushPullKind = 9

func (c *coder) accusation(node *string, incarnation *uint32, from *string) {
	c.text(node)
	c.uint(incarnation)
	c.text(from)
}
