package cbor_test

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/codec/cbor"
	"github.com/nekton-go/nekton/codec/codectest"
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
)

var reef = netip.MustParseAddrPort("192.0.2.7:7946")

func Example() {
	d := cbor.New(cbor.Config{})
	ping, err := d.AppendMessage(nil, &swim.Ping{Seq: 7, Target: "kelp"})
	if err != nil {
		panic(err)
	}
	news, err := d.AppendMessage(nil, &swim.Accuse{Node: "weed", Incarnation: 3, From: "coral"})
	if err != nil {
		panic(err)
	}
	datagram := d.AppendDatagram(nil, [][]byte{ping, news})
	fmt.Println(cbor.Diagnose(datagram))

	err = d.ReadDatagram(datagram, func(m core.Message) {
		text, _ := m.AppendText(nil)
		fmt.Printf("%s\n", text)
	})
	fmt.Println(err)
	// Output:
	// [1, 7, "kelp", h'', ""], [6, "weed", 3, "coral"]
	// ping 7 kelp
	// accuse weed@3 from coral
	// <nil>
}

func ExampleDiagnose() {
	fmt.Println(cbor.Diagnose([]byte{0x82, 0x03, 0x07, 0x82, 0x03}))
	// Output: [3, 7], / malformed: unexpected EOF /
}

// read returns copies of the messages in a datagram given in hex.
func read(t *testing.T, d *cbor.Dialect, datagram string) (got []core.Message, err error) {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(datagram, " ", ""))
	require.NoError(t, err)
	err = d.ReadDatagram(b, func(m core.Message) { got = append(got, codectest.Clone(m)) })
	return got, err
}

func TestUnknownTypesAreSkipped(t *testing.T) {
	for _, unknown := range []string{
		"81 0b",                         // [11]
		"81 17",                         // [23]
		"82 18 18 f6",                   // [24, null]
		"81 1b ffffffffffffffff",        // the largest type there is
		"83 18 40 41 ff 62 6869",        // [64, h'ff', "hi"]
		"82 18 40 a2 01 80 02 82 f4 f5", // [64, {1: [], 2: [false, true]}]
		"84 18 40 f9 3c00 fa 3f800001 fb 3ff0000000000001", // floats of each size
		"83 18 40 c1 1a 00010000 f8 20",                    // a tag; simple(32)
		"82 18 40 29",                                      // -10
		"82 18 40 " + strings.Repeat("81", 15) + "00",      // 16 arrays deep
		"98 18 18 40 " + strings.Repeat("00", 23),          // 24 fields
		"99 0100 18 40 " + strings.Repeat("00", 255),       // 256 fields: 01 and 00 are no types
	} {
		got, err := read(t, cbor.New(cbor.Config{}), "820307 "+unknown+" 820308")
		require.NoError(t, err, unknown)
		require.Equal(t, []core.Message{&swim.Nack{Seq: 7}, &swim.Nack{Seq: 8}}, got, unknown)
	}
}

func TestMalformedIsRefused(t *testing.T) {
	for why, bad := range map[string]string{
		"no array":                        "00",
		"an empty array":                  "80",
		"an empty array before a message": "80 820307",
		"type 0":                          "81 00",
		"a type that is text":             "81 61 61",
		"a type with a long head":         "82 18 03 07",
		"an array with a long head":       "98 02 03 07",
		"an array of indefinite length":   "9f 03 07 ff",
		"a number with a long head":       "82 03 18 07",
		"a number in 3 bytes for 2":       "82 03 19 00ff",
		"a number in 5 bytes for 3":       "82 03 1a 0000ffff",
		"a number over 32 bits":           "82 03 1b 0000000100000000",
		"a negative number":               "82 03 20",
		"a field too many":                "83 03 07 07",
		"a field too few":                 "81 03",
		"a reserved head":                 "82 03 1c",
		"a break":                         "ff",
		"an empty name":                   "84 06 60 03 61 63",
		"a name that is not UTF-8":        "84 06 61 ff 03 61 63",
		"a name of bytes":                 "84 06 41 6b 03 61 63",
		"an address of 5 bytes":           "85 01 07 61 6b 45 0102030405 60",
		"an IPv4 address in an IPv6 one":  "85 01 07 61 6b 52 00000000000000000000ffffc00002071f0a 60",
		"a state that does not exist":     "84 09 f4 81 86 61 6b 40 00 04 40 46 000000000000 40",
		"a record with a field too few":   "84 09 f4 81 85 61 6b 40 00 03 40 46 000000000000 40",
		"versions of 5 bytes":             "86 05 61 6b 40 00 40 45 0000000000",
		"no versions":                     "86 05 61 6b 40 00 40 40",
		"a bool that is null":             "84 09 f6 80 40",
		"a bool that is a float":          "84 09 f9 0015 80 40",
		"a bool in two bytes":             "84 09 f8 15 80 40",
		"more records than can be":        "84 09 f4 9b ffffffffffffffff",
		"a string longer than can be":     "82 08 5b ffffffffffffffff",
		"an unknown one 17 arrays deep":   "82 18 40 " + strings.Repeat("81", 16) + "00",
		"an unknown one with a long head": "82 18 40 18 01",
		"an unknown one, indefinite":      "82 18 40 5f ff",
		"an unknown one cut short":        "83 18 40 01",
		"an unknown one with bad text":    "82 18 40 61 ff",
		"an unknown one, text cut short":  "82 18 40 79 3030",
		"an unknown map beyond counting":  "82 18 40 bb 8000000000000000",
	} {
		got, err := read(t, cbor.New(cbor.Config{}), "820309 "+bad)
		require.Equal(t, core.FaultInvalid, err, why)
		require.Equal(t, []core.Message{&swim.Nack{Seq: 9}}, got, why)
	}
}

func TestWriteFaults(t *testing.T) {
	d := cbor.New(cbor.Config{MetaMax: 4, FrameMax: 64})
	record := func(change func(*swim.Record)) *swim.Record {
		r := swim.Record{Name: "kelp", Addr: reef, Meta: []byte("1234")}
		change(&r)
		return &r
	}
	for _, test := range []struct {
		why  string
		m    core.Message
		want core.Fault
	}{
		{"metadata over MetaMax", &swim.Announce{Record: *record(func(r *swim.Record) { r.Meta = []byte("12345") })},
			core.FaultTooLarge},
		{"the same in a push/pull", &swim.PushPull{
			Members: []swim.Record{*record(func(r *swim.Record) { r.Meta = []byte("12345") })}}, core.FaultTooLarge},
		{"a dead member announced", &swim.Announce{Record: *record(func(r *swim.Record) { r.State = swim.Dead })},
			core.FaultInvalid},
		{"a port without an IP", &swim.Ping{Target: "k", Source: netip.AddrPortFrom(netip.Addr{}, 7)}, core.FaultInvalid},
		{"a name that is not UTF-8", &swim.Ping{Target: "k\xff"}, core.FaultInvalid},
		{"a reason over its bound", &swim.Refuse{Reason: strings.Repeat("r", 1025)}, core.FaultTooLarge},
	} {
		got, err := d.AppendMessage([]byte("prefix"), test.m)
		require.Equal(t, test.want, err, test.why)
		require.Equal(t, "prefix", string(got), test.why)
	}
	frame, err := d.AppendFrame([]byte("prefix"), &swim.User{Data: make([]byte, 56)})
	require.NoError(t, err)
	require.Len(t, frame, len("prefix")+64)
	frame, err = d.AppendFrame([]byte("prefix"), &swim.User{Data: make([]byte, 57)})
	require.Equal(t, core.FaultTooLarge, err)
	require.Equal(t, "prefix", string(frame))
}

func TestReadFrameFaults(t *testing.T) {
	d := cbor.New(cbor.Config{FrameMax: 64})
	for why, test := range map[string]struct {
		bytes string
		want  error
	}{
		"a length over FrameMax":           {"0000003d", core.FaultTooLarge},
		"the largest length":               {"ffffffff", core.FaultTooLarge},
		"a frame of FrameMax, on its way":  {"0000003c", nil},
		"an empty frame":                   {"00000000", core.FaultInvalid},
		"two messages in a frame":          {"00000006 820307 820307", core.FaultInvalid},
		"a frame longer than its message":  {"00000004 820307 00", core.FaultInvalid},
		"a frame shorter than its message": {"00000002 820307", core.FaultInvalid},
		"a type not known":                 {"00000003 821840 00000000", core.FaultInvalid},
		"a length on its way":              {"000000", nil},
	} {
		b, err := hex.DecodeString(strings.ReplaceAll(test.bytes, " ", ""))
		require.NoError(t, err)
		n, err := d.NewFrameReader().ReadFrames(b, func(core.Message) { t.Error(why) })
		require.Zero(t, n, why)
		require.Equal(t, test.want, err, why)
	}
	n, err := d.NewFrameReader().ReadFrames([]byte{0, 0, 0, 4, 0x82, 0x18, 0x40, 0x01}, func(core.Message) {
		t.Error("a type not known is delivered")
	})
	require.NoError(t, err)
	require.Equal(t, 8, n)
}

// TestAddresses round-trips every shape of address. An IPv4 address inside an IPv6 one comes out as the
// IPv4 address it is; a zone stays at home.
func TestAddresses(t *testing.T) {
	d := cbor.New(cbor.Config{})
	for _, test := range []struct{ in, want string }{
		{"192.0.2.7:7946", "192.0.2.7:7946"},
		{"0.0.0.0:0", "0.0.0.0:0"},
		{"[2001:db8::7]:65535", "[2001:db8::7]:65535"},
		{"[::]:0", "[::]:0"},
		{"[::ffff:192.0.2.7]:7946", "192.0.2.7:7946"},
		{"[fe80::1%eth0]:7946", "[fe80::1]:7946"},
	} {
		b, err := d.AppendMessage(nil, &swim.Ping{Target: "k", Source: netip.MustParseAddrPort(test.in)})
		require.NoError(t, err)
		require.NoError(t, d.ReadDatagram(b, func(m core.Message) {
			require.Equal(t, netip.MustParseAddrPort(test.want), m.(*swim.Ping).Source)
		}))
	}
}

// TestNamesAreForgotten floods the table of names and wants its memory bounded.
func TestNamesAreForgotten(t *testing.T) {
	d := cbor.New(cbor.Config{NamesMax: 8})
	for i := range 1000 {
		name := fmt.Sprintf("squid-%d", i)
		b, err := d.AppendMessage(nil, &swim.Ping{Target: name, SourceName: "kelp"})
		require.NoError(t, err)
		require.NoError(t, d.ReadDatagram(b, func(m core.Message) {
			require.Equal(t, &swim.Ping{Target: name, SourceName: "kelp"}, m)
		}))
		require.LessOrEqual(t, d.Names(), 8)
	}
}

func BenchmarkAppendPing(b *testing.B) {
	d, ping := cbor.New(cbor.Config{}), codectest.Hot()[0]
	buffer := make([]byte, 0, 1<<10)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = d.AppendMessage(buffer, ping)
	}
}

func BenchmarkReadPing(b *testing.B) {
	d := cbor.New(cbor.Config{})
	datagram, err := d.AppendMessage(nil, codectest.Hot()[0])
	require.NoError(b, err)
	each := func(core.Message) {}
	b.ReportAllocs()
	for b.Loop() {
		_ = d.ReadDatagram(datagram, each)
	}
}

func BenchmarkReadPushPull(b *testing.B) {
	d, m := cbor.New(cbor.Config{}), &swim.PushPull{}
	for i := range 1000 {
		m.Members = append(m.Members, swim.Record{Name: fmt.Sprintf("squid-%d", i), Addr: reef, Meta: []byte("reef")})
	}
	datagram, err := d.AppendMessage(nil, m)
	require.NoError(b, err)
	each := func(core.Message) {}
	b.SetBytes(int64(len(datagram)))
	b.ReportAllocs()
	for b.Loop() {
		_ = d.ReadDatagram(datagram, each)
	}
}
