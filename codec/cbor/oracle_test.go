package cbor_test

import (
	"bytes"
	"net/netip"
	"testing"

	fxcbor "github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/codec/cbor"
	"github.com/nekton-go/nekton/codec/codectest"
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
)

// The oracle encodes the same fields with fxamacker/cbor, from what docs/PROTOCOL.md says they are.

var coreDet = func() fxcbor.EncMode {
	mode, err := fxcbor.CoreDetEncOptions().EncMode()
	if err != nil {
		panic(err)
	}
	return mode
}()

func oracle(t testing.TB, m core.Message) []byte {
	var fields []any
	switch m := m.(type) {
	case *swim.Ping:
		fields = []any{1, m.Seq, m.Target, addrBytes(m.Source), m.SourceName}
	case *swim.Ack:
		fields = []any{2, m.Seq, notNil(m.Payload)}
	case *swim.Nack:
		fields = []any{3, m.Seq}
	case *swim.IndirectPing:
		fields = []any{4, m.Seq, m.Target, addrBytes(m.TargetAddr), m.Nack, addrBytes(m.Source), m.SourceName}
	case *swim.Announce:
		fields = []any{5, m.Name, addrBytes(m.Addr), m.Incarnation, notNil(m.Meta), versionBytes(m.Versions)}
	case *swim.Accuse:
		fields = []any{6, m.Node, m.Incarnation, m.From}
	case *swim.Bury:
		fields = []any{7, m.Node, m.Incarnation, m.From}
	case *swim.User:
		fields = []any{8, notNil(m.Data)}
	case *swim.PushPull:
		members := []any{}
		for _, r := range m.Members {
			members = append(members, []any{
				r.Name, addrBytes(r.Addr), r.Incarnation, uint8(r.State), notNil(r.Meta), versionBytes(r.Versions),
			})
		}
		fields = []any{9, m.Join, members, notNil(m.User)}
	case *swim.Refuse:
		fields = []any{10, m.Reason}
	case *core.Opaque:
		fields = []any{16, uint8(m.Protocol), notNil(m.Data)}
	}
	b, err := coreDet.Marshal(fields)
	require.NoError(t, err)
	return b
}

func notNil(b []byte) []byte { return append([]byte{}, b...) }

func addrBytes(a netip.AddrPort) []byte {
	if !a.IsValid() {
		return []byte{}
	}
	b := a.Addr().Unmap().WithZone("").AsSlice()
	return append(b, byte(a.Port()>>8), byte(a.Port()))
}

func versionBytes(v swim.Versions) []byte {
	return []byte{v.ProtocolMin, v.ProtocolMax, v.Protocol, v.AppMin, v.AppMax, v.App}
}

func TestSameBytesAsOracle(t *testing.T) {
	d := cbor.New(cbor.Config{})
	for _, m := range codectest.Messages() {
		got, err := d.AppendMessage(nil, m)
		require.NoError(t, err)
		require.Equal(t, oracle(t, m), got, "%T", m)
	}
}

// TestNumbersOfEverySize writes and reads the least and the most of each size.
func TestNumbersOfEverySize(t *testing.T) {
	d := cbor.New(cbor.Config{})
	for _, v := range []uint32{0, 23, 24, 1<<8 - 1, 1 << 8, 1<<16 - 1, 1 << 16, 1<<32 - 1} {
		m := &swim.Nack{Seq: v}
		b, err := d.AppendMessage(nil, m)
		require.NoError(t, err)
		require.Equal(t, oracle(t, m), b)
		var got []core.Message
		require.NoError(t, d.ReadDatagram(b, func(m core.Message) { got = append(got, codectest.Clone(m)) }))
		require.Equal(t, []core.Message{m}, got)
	}
}

// messagesOf makes one message of every type out of a fuzzer's choices.
func messagesOf(seq, incarnation uint32, name, other string, b []byte, port uint16, flags byte) []core.Message {
	addr := netip.AddrPort{}
	switch {
	case len(b) >= 16 && flags&1 == 0:
		addr = netip.AddrPortFrom(netip.AddrFrom16([16]byte(b)).Unmap(), port)
	case len(b) >= 4:
		addr = netip.AddrPortFrom(netip.AddrFrom4([4]byte(b)), port)
	}
	v := swim.Versions{ProtocolMin: flags, ProtocolMax: byte(seq), Protocol: byte(port), App: byte(incarnation)}
	r := swim.Record{Name: name, Addr: addr, Incarnation: incarnation, Meta: b, Versions: v}
	s := r
	s.Name, s.State = other, swim.State(flags>>1&3)
	return []core.Message{
		&swim.Ping{Seq: seq, Target: name, Source: addr, SourceName: other},
		&swim.Ack{Seq: seq, Payload: b},
		&swim.Nack{Seq: seq},
		&swim.IndirectPing{
			Seq: seq, Target: name, TargetAddr: addr, Nack: flags&8 != 0, Source: addr, SourceName: other,
		},
		&swim.Announce{Record: r},
		&swim.Accuse{Node: name, Incarnation: incarnation, From: other},
		&swim.Bury{Node: other, Incarnation: incarnation, From: name},
		&swim.User{Data: b},
		&swim.PushPull{Join: flags&16 != 0, Members: []swim.Record{r, s, r}[:flags>>5&3], User: b},
		&swim.Refuse{Reason: other},
	}
}

// FuzzWrite compares every message that can be written with the oracle, and reads it back.
func FuzzWrite(f *testing.F) {
	f.Add(uint32(7), uint32(3), "kelp", "coral", []byte("zone=reef, depth=40m"), uint16(7946), byte(0))
	f.Add(uint32(1<<32-1), uint32(0), "k", "", []byte(nil), uint16(0), byte(0xff))
	f.Fuzz(func(t *testing.T, seq, inc uint32, name, other string, b []byte, port uint16, flags byte) {
		d := cbor.New(cbor.Config{NamesMax: 2})
		for _, m := range messagesOf(seq, inc, name, other, b, port, flags) {
			part, err := d.AppendMessage([]byte("prefix"), m)
			if err != nil {
				require.Equal(t, "prefix", string(part))
				continue
			}
			require.Equal(t, oracle(t, m), part[len("prefix"):], "%T", m)
			var got []core.Message
			err = d.ReadDatagram(part[len("prefix"):], func(m core.Message) { got = append(got, codectest.Clone(m)) })
			require.NoError(t, err)
			require.Equal(t, []core.Message{codectest.Clone(m)}, got)
		}
	})
}

// FuzzRead reads anything. What it accepts is well-formed to the oracle, and comes out the same when
// written again, types not known here aside.
func FuzzRead(f *testing.F) {
	d := cbor.New(cbor.Config{})
	for _, m := range codectest.Messages() {
		b, err := d.AppendMessage(nil, m)
		require.NoError(f, err)
		f.Add(b)
	}
	f.Add([]byte{0x82, 0x18, 0x40, 0xa1, 0x01, 0xf9, 0x3c, 0x00, 0x82, 0x03, 0x07})
	f.Add([]byte{0x83, 0x18, 0x40, 0xc1, 0x1a, 0x5f, 0x00, 0x00, 0x00, 0xf8, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		d := cbor.New(cbor.Config{NamesMax: 2})
		var again []byte
		err := d.ReadDatagram(b, func(m core.Message) {
			var err error
			again, err = d.AppendMessage(again, m)
			require.NoError(t, err)
		})
		if err != nil {
			require.Equal(t, core.FaultInvalid, err)
			return
		}
		require.Equal(t, knownItems(t, b), again)
	})
}

// knownItems returns b, a CBOR sequence, without the messages whose type membership does not have.
func knownItems(t *testing.T, b []byte) (known []byte) {
	for start, end := 0, 0; start < len(b); start = end {
		for end++; fxcbor.Wellformed(b[start:end]) != nil; end++ {
			require.Less(t, end, len(b), "the oracle refuses %x", b[start:])
		}
		head := 1 // bytes before the type: what says how long the array is
		if extra := b[start] & 0x1f; extra >= 24 {
			head += 1 << (extra - 24)
		}
		var kind uint64
		_, err := fxcbor.UnmarshalFirst(b[start+head:end], &kind)
		require.NoError(t, err)
		if kind <= 10 {
			known = append(known, b[start:end]...)
		}
	}
	return known
}

// FuzzFrames reads anything as the bytes of a link, cut anywhere.
func FuzzFrames(f *testing.F) {
	d := cbor.New(cbor.Config{})
	for _, m := range codectest.Messages() {
		b, err := d.AppendFrame(nil, m)
		require.NoError(f, err)
		f.Add(b, uint16(len(b)/2))
	}
	f.Fuzz(func(t *testing.T, b []byte, cut uint16) {
		d := cbor.New(cbor.Config{FrameMax: 1 << 12})
		var whole, parts bytes.Buffer
		into := func(out *bytes.Buffer) func(core.Message) {
			return func(m core.Message) {
				frame, err := d.AppendFrame(nil, m)
				require.NoError(t, err)
				out.Write(frame)
			}
		}
		n, err := d.NewFrameReader().ReadFrames(b, into(&whole))
		r, split := d.NewFrameReader(), min(int(cut), len(b))
		used, first := r.ReadFrames(b[:split], into(&parts))
		if first == nil {
			more, last := r.ReadFrames(b[used:], into(&parts))
			used, first = used+more, last
		}
		require.Equal(t, whole.Bytes(), parts.Bytes())
		require.Equal(t, n, used)
		require.Equal(t, err, first)
	})
}
