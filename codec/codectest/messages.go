package codectest

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
)

var (
	addr4 = netip.MustParseAddrPort("192.0.2.7:7946")
	addr6 = netip.MustParseAddrPort("[2001:db8::7]:65535")

	nameMax  = strings.Repeat("n", 255)
	versions = swim.Versions{ProtocolMin: 1, ProtocolMax: 5, Protocol: 2, AppMin: 3, AppMax: 4, App: 255}
)

const seqMax = 1<<32 - 1

// Hot returns one of each message that failure detection and gossip send all the time, as they
// usually look. Writing and reading them should cost no allocation.
func Hot() []core.Message {
	return []core.Message{
		&swim.Ping{Seq: 7001, Target: "kelp", Source: addr4, SourceName: "coral"},
		&swim.Ack{Seq: 7001},
		&swim.Nack{Seq: 7001},
		&swim.IndirectPing{
			Seq: 7002, Target: "kelp", TargetAddr: addr4, Nack: true, Source: addr6, SourceName: "coral",
		},
		&swim.Announce{Record: swim.Record{
			Name: "kelp", Addr: addr4, Incarnation: 3, Meta: []byte("zone=reef"), Versions: versions,
		}},
		&swim.Accuse{Node: "kelp", Incarnation: 3, From: "coral"},
		&swim.Bury{Node: "kelp", Incarnation: 3, From: "coral"},
	}
}

// Messages returns every membership message: the hot ones, then each with its optional fields empty and
// with its fields at their largest. Whoever calls it may change what it returns.
func Messages() []core.Message {
	meta := bytes.Repeat([]byte{0xff}, 512)
	record := swim.Record{Name: nameMax, Addr: addr6, Incarnation: seqMax, Meta: meta, Versions: versions}
	return slices.Concat(Hot(), []core.Message{
		&swim.Ping{Target: "k"},
		&swim.Ping{Seq: seqMax, Target: nameMax, Source: addr6, SourceName: nameMax},
		&swim.IndirectPing{Target: "k", TargetAddr: addr4},
		&swim.IndirectPing{
			Seq: seqMax, Target: nameMax, TargetAddr: addr6, Nack: true, Source: addr6, SourceName: nameMax,
		},
		&swim.Ack{},
		&swim.Ack{Seq: seqMax, Payload: meta},
		&swim.Nack{},
		&swim.Nack{Seq: seqMax},
		&swim.Announce{Record: swim.Record{Name: "k", Addr: addr4}},
		&swim.Announce{Record: record},
		&swim.Accuse{Node: "k", From: "c"},
		&swim.Accuse{Node: nameMax, Incarnation: seqMax, From: nameMax},
		&swim.Bury{Node: "k", From: "k"},
		&swim.Bury{Node: nameMax, Incarnation: seqMax, From: nameMax},
		&swim.User{},
		&swim.User{Data: meta},
		&swim.PushPull{},
		pushPull(3, []byte("state of the reef")),
		pushPull(100, nil),
		&swim.Refuse{},
		&swim.Refuse{Reason: "not one of us"},
	})
}

// pushPull returns a PushPull of n members in every state.
func pushPull(n int, user []byte) *swim.PushPull {
	m := &swim.PushPull{Join: n%2 == 1, User: user}
	for i := range n {
		r := swim.Record{
			Name: "member-" + strings.Repeat("i", i%9+1), Addr: addr4, Incarnation: uint32(i) * 1000,
			State: swim.State(i % 4), Versions: versions,
		}
		if i%2 == 1 {
			r.Addr, r.Meta = addr6, bytes.Repeat([]byte{byte(i)}, i)
		}
		m.Members = append(m.Members, r)
	}
	return m
}

// Clone returns a copy of a message, of membership or opaque, that shares nothing with it. Empty slices become nil, so
// that messages that mean the same are equal. It panics on other messages.
func Clone(m core.Message) core.Message {
	switch m := m.(type) {
	case *swim.Ping:
		c := *m
		return &c
	case *swim.IndirectPing:
		c := *m
		return &c
	case *swim.Ack:
		return &swim.Ack{Seq: m.Seq, Payload: cloneBytes(m.Payload)}
	case *swim.Nack:
		c := *m
		return &c
	case *swim.Announce:
		return &swim.Announce{Record: cloneRecord(m.Record)}
	case *swim.Accuse:
		c := *m
		return &c
	case *swim.Bury:
		c := *m
		return &c
	case *swim.User:
		return &swim.User{Data: cloneBytes(m.Data)}
	case *swim.PushPull:
		c := &swim.PushPull{Join: m.Join, User: cloneBytes(m.User)}
		for _, r := range m.Members {
			c.Members = append(c.Members, cloneRecord(r))
		}
		return c
	case *swim.Refuse:
		c := *m
		return &c
	case *core.Opaque:
		return &core.Opaque{Protocol: m.Protocol, Data: cloneBytes(m.Data)}
	}
	panic("codectest: not a message of membership, nor opaque")
}

func cloneRecord(r swim.Record) swim.Record {
	r.Meta = cloneBytes(r.Meta)
	return r
}

func cloneBytes(b []byte) []byte { return append([]byte(nil), b...) }

// scribble overwrites every byte slice of m, as an owner may once a loan has ended.
func scribble(m core.Message) {
	switch m := m.(type) {
	case *swim.Ack:
		fill(m.Payload)
	case *swim.Announce:
		fill(m.Meta)
	case *swim.User:
		fill(m.Data)
	case *core.Opaque:
		fill(m.Data)
	case *swim.PushPull:
		fill(m.User)
		for i := range m.Members {
			fill(m.Members[i].Meta)
		}
		clear(m.Members)
	}
}

func fill(b []byte) {
	for i := range b {
		b[i] = 0xDB
	}
}
