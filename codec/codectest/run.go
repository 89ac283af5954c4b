package codectest

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
)

// Options say what a dialect cannot do. The zero value expects everything.
type Options struct {
	// Allocates drops the demand that Hot messages are written and read without allocating.
	Allocates bool
	// NoDatagram reports messages the dialect has no words for in datagrams; AppendMessage must then
	// refuse them with core.FaultInvalid. Nil: none.
	NoDatagram func(core.Message) bool
	// NoFrame is the same for links and AppendFrame.
	NoFrame func(core.Message) bool
}

// Run checks the dialects that open returns; each is used from one goroutine.
func Run(t *testing.T, open func() core.Dialect) { Options{}.Run(t, open) }

// Run is like the function Run, for dialects with limits.
func (o Options) Run(t *testing.T, open func() core.Dialect) {
	s := suite{Options: o, open: open}
	for _, m := range Messages() {
		if o.NoDatagram == nil || !o.NoDatagram(m) {
			s.datagrams = append(s.datagrams, m)
		}
		if o.NoFrame == nil || !o.NoFrame(m) {
			s.frames = append(s.frames, m)
		}
	}
	t.Run("RoundTrip", s.roundTrip)
	t.Run("Order", s.order)
	t.Run("Overhead", s.overhead)
	t.Run("Destination", s.destination)
	t.Run("NoWords", s.noWords)
	t.Run("Bounds", s.bounds)
	t.Run("Borrowing", s.borrowing)
	t.Run("MalformedPart", s.malformedPart)
	t.Run("Truncated", s.truncated)
	t.Run("Garbage", s.garbage)
	t.Run("Frames", s.framesCut)
	t.Run("FramesBorrowing", s.framesBorrowing)
	t.Run("FramesApart", s.framesApart)
	t.Run("FramesGarbage", s.framesGarbage)
	if !o.Allocates {
		t.Run("Allocations", s.allocations)
	}
}

type suite struct {
	Options
	open      func() core.Dialect
	datagrams []core.Message // what may ride in datagrams
	frames    []core.Message // what may ride on links
}

// encode returns m as a part of a datagram.
func encode(t *testing.T, d core.Dialect, m core.Message) []byte {
	t.Helper()
	part, err := d.AppendMessage(nil, m)
	require.NoError(t, err, "%T", m)
	return part
}

// datagram returns the datagram that carries ms.
func datagram(t *testing.T, d core.Dialect, ms ...core.Message) []byte {
	t.Helper()
	var parts [][]byte
	for _, m := range ms {
		parts = append(parts, encode(t, d, m))
	}
	return d.AppendDatagram(nil, parts)
}

// read returns copies of the messages in b.
func read(d core.Dialect, b []byte) (got []core.Message, err error) {
	err = d.ReadDatagram(b, func(m core.Message) { got = append(got, Clone(m)) })
	return got, err
}

func clones(ms []core.Message) (cs []core.Message) {
	for _, m := range ms {
		cs = append(cs, Clone(m))
	}
	return cs
}

func label(i int, m core.Message) string {
	return fmt.Sprintf("%02d-%s", i, strings.TrimPrefix(fmt.Sprintf("%T", m), "*swim."))
}

func (s *suite) roundTrip(t *testing.T) {
	d := s.open()
	for i, m := range s.datagrams {
		t.Run(label(i, m), func(t *testing.T) {
			got, err := read(d, datagram(t, d, m))
			require.NoError(t, err)
			require.Equal(t, []core.Message{Clone(m)}, got)
		})
	}
}

// order sends every message in one datagram, and every message twice.
func (s *suite) order(t *testing.T) {
	d := s.open()
	got, err := read(d, datagram(t, d, s.datagrams...))
	require.NoError(t, err)
	require.Equal(t, clones(s.datagrams), got)
	for _, m := range s.datagrams {
		got, err := read(d, datagram(t, d, m, m))
		require.NoError(t, err)
		require.Equal(t, []core.Message{Clone(m), Clone(m)}, got)
	}
}

// overhead wants a bound that never falls and that no datagram exceeds.
func (s *suite) overhead(t *testing.T) {
	d := s.open()
	part := encode(t, d, Hot()[1])
	var parts [][]byte
	for n, last := 1, 0; n <= 600; n++ {
		parts = append(parts, part)
		bound := d.Overhead(n)
		require.GreaterOrEqual(t, bound, last, "Overhead(%d)", n)
		require.LessOrEqual(t, len(d.AppendDatagram(nil, parts)), n*len(part)+bound, "%d parts", n)
		last = bound
	}
	for _, m := range s.datagrams {
		part := encode(t, d, m)
		require.LessOrEqual(t, len(d.AppendDatagram(nil, [][]byte{part})), len(part)+d.Overhead(1), "%T", m)
	}
}

// destination wants appends to append, whatever room there is.
func (s *suite) destination(t *testing.T) {
	d := s.open()
	prefix := []byte("prefix")
	for _, m := range s.datagrams {
		for _, room := range []int{0, 1, 1 << 16} {
			dst := append(make([]byte, 0, len(prefix)+room), prefix...)
			part, err := d.AppendMessage(dst, m)
			require.NoError(t, err)
			require.True(t, bytes.HasPrefix(part, prefix), "AppendMessage(%T)", m)
			b := d.AppendDatagram(dst, [][]byte{cloneBytes(part[len(prefix):])})
			require.True(t, bytes.HasPrefix(b, prefix), "AppendDatagram(%T)", m)
			got, err := read(d, b[len(prefix):])
			require.NoError(t, err)
			require.Equal(t, []core.Message{Clone(m)}, got)
		}
	}
	for _, m := range s.frames {
		frame, err := d.AppendFrame(cloneBytes(prefix), m)
		require.NoError(t, err)
		require.True(t, bytes.HasPrefix(frame, prefix), "AppendFrame(%T)", m)
	}
}

// foreign is a message no dialect has words for.
type foreign struct{}

func (foreign) Proto() core.Proto                   { return 254 }
func (foreign) AppendText(b []byte) ([]byte, error) { return b, nil }
func (s *suite) refuses(t *testing.T, m core.Message, write appender, faults ...core.Fault) {
	t.Helper()
	prefix := append(make([]byte, 0, 1<<12), "prefix"...)
	got, err := write(prefix, m)
	var fault core.Fault
	require.ErrorAs(t, err, &fault, "%T", m)
	require.Contains(t, faults, fault, "%T", m)
	require.Equal(t, "prefix", string(got), "what %T left behind", m)
}

type appender = func([]byte, core.Message) ([]byte, error)

// noWords wants messages without words refused.
func (s *suite) noWords(t *testing.T) {
	d := s.open()
	s.refuses(t, foreign{}, d.AppendMessage, core.FaultInvalid)
	s.refuses(t, foreign{}, d.AppendFrame, core.FaultInvalid)
	for _, m := range Messages() {
		if s.NoDatagram != nil && s.NoDatagram(m) {
			s.refuses(t, m, d.AppendMessage, core.FaultInvalid)
		}
		if s.NoFrame != nil && s.NoFrame(m) {
			s.refuses(t, m, d.AppendFrame, core.FaultInvalid)
		}
	}
}

// bounds wants names outside 1 to 255 bytes and states that do not exist refused.
func (s *suite) bounds(t *testing.T) {
	d := s.open()
	long := nameMax + "n"
	for _, m := range []core.Message{
		&swim.Ping{}, &swim.Ping{Target: long}, &swim.Ping{Target: "k", SourceName: long},
		&swim.IndirectPing{TargetAddr: addr4}, &swim.IndirectPing{Target: long, TargetAddr: addr4},
		&swim.Announce{Record: swim.Record{Addr: addr4}},
		&swim.Announce{Record: swim.Record{Name: long, Addr: addr4}},
		&swim.Accuse{From: "c"}, &swim.Accuse{Node: long, From: "c"}, &swim.Accuse{Node: "k", From: long},
		&swim.Bury{From: "c"}, &swim.Bury{Node: long, From: "c"}, &swim.Bury{Node: "k", From: long},
		&swim.PushPull{Members: []swim.Record{{Name: "k"}, {}}},
		&swim.PushPull{Members: []swim.Record{{Name: "k"}, {Name: long}}},
		&swim.PushPull{Members: []swim.Record{{Name: "k", State: swim.Left + 1}}},
	} {
		s.refuses(t, m, d.AppendMessage, core.FaultInvalid, core.FaultTooLarge)
		s.refuses(t, m, d.AppendFrame, core.FaultInvalid, core.FaultTooLarge)
	}
}

// borrowing overwrites everything lent once the loan is over, and reads again.
func (s *suite) borrowing(t *testing.T) {
	d := s.open()
	for i, m := range s.datagrams {
		mine := Clone(m)
		part := encode(t, d, mine)
		scribble(mine)
		parts := [][]byte{cloneBytes(part)}
		fill(part)
		b := d.AppendDatagram(nil, parts)
		fill(parts[0])
		other := s.datagrams[(i+1)%len(s.datagrams)]
		for range 2 {
			lent := cloneBytes(b)
			got, err := read(d, lent)
			require.NoError(t, err)
			require.Equal(t, []core.Message{Clone(m)}, got)
			fill(lent)
			got, err = read(d, datagram(t, d, other))
			require.NoError(t, err)
			require.Equal(t, []core.Message{Clone(other)}, got)
		}
	}
}

// allocations wants hot messages for free once names are known and buffers have grown.
func (s *suite) allocations(t *testing.T) {
	d := s.open()
	each := func(core.Message) {}
	for _, m := range Hot() {
		b := datagram(t, d, m)
		part, joined, parts := make([]byte, 0, 1<<12), make([]byte, 0, 1<<12), make([][]byte, 1)
		require.Zero(t, testing.AllocsPerRun(100, func() {
			parts[0], _ = d.AppendMessage(part[:0], m)
			joined = d.AppendDatagram(joined[:0], parts)
		}), "allocations to write %T", m)
		require.Zero(t, testing.AllocsPerRun(100, func() {
			if d.ReadDatagram(b, each) != nil {
				t.Error("a datagram of its own is refused")
			}
		}), "allocations to read %T", m)
	}
}
