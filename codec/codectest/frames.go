package codectest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/core"
)

// frame returns m as it travels on a link.
func frame(t *testing.T, d core.Dialect, m core.Message) []byte {
	t.Helper()
	b, err := d.AppendFrame(nil, m)
	require.NoError(t, err, "%T", m)
	return b
}

// A stream presents bytes to a reader as a node does: what was not taken comes again, with more. Each
// presentation is a buffer of its own, overwritten afterwards.
type stream struct {
	reader core.FrameReader
	rest   []byte
	got    []core.Message
}

func (s *stream) feed(t *testing.T, b []byte) {
	t.Helper()
	lent := append(cloneBytes(s.rest), b...)
	n, err := s.reader.ReadFrames(lent, func(m core.Message) { s.got = append(s.got, Clone(m)) })
	require.NoError(t, err)
	require.GreaterOrEqual(t, n, 0)
	require.LessOrEqual(t, n, len(lent))
	s.rest = cloneBytes(lent[n:])
	fill(lent)
}

// framesCut cuts the stream of two messages at every byte, and of every message between all bytes.
func (s *suite) framesCut(t *testing.T) {
	d := s.open()
	for i, m := range s.frames {
		t.Run(label(i, m), func(t *testing.T) {
			other := s.frames[(i+1)%len(s.frames)]
			want := clones([]core.Message{m, other})
			b := append(frame(t, d, m), frame(t, d, other)...)
			for cut := 0; cut <= len(b); cut += 1 + cut/500 {
				c := stream{reader: d.NewFrameReader()}
				c.feed(t, b[:cut])
				c.feed(t, b[cut:])
				require.Equal(t, want, c.got, "cut after %d of %d bytes", cut, len(b))
				require.Empty(t, c.rest)
			}
			c := stream{reader: d.NewFrameReader()}
			for i := range b {
				c.feed(t, b[i:i+1])
			}
			require.Equal(t, want, c.got, "byte by byte")
			require.Empty(t, c.rest)
		})
	}
}

// framesBorrowing scribbles over a message once its frame is written.
func (s *suite) framesBorrowing(t *testing.T) {
	d := s.open()
	for _, m := range s.frames {
		mine := Clone(m)
		b := frame(t, d, mine)
		scribble(mine)
		c := stream{reader: d.NewFrameReader()}
		c.feed(t, b)
		require.Equal(t, []core.Message{Clone(m)}, c.got)
	}
}

// framesApart reads two links in turns: neither may disturb the other, nor datagrams between them.
func (s *suite) framesApart(t *testing.T) {
	d := s.open()
	for i, m := range s.frames {
		other := s.frames[(i+1)%len(s.frames)]
		a, b := frame(t, d, m), frame(t, d, other)
		one, two := stream{reader: d.NewFrameReader()}, stream{reader: d.NewFrameReader()}
		one.feed(t, a[:len(a)/2])
		two.feed(t, b[:len(b)/2])
		ping := datagram(t, d, Hot()[0])
		got, err := read(d, ping)
		require.NoError(t, err)
		require.Equal(t, clones(Hot()[:1]), got)
		one.feed(t, a[len(a)/2:])
		two.feed(t, b[len(b)/2:])
		require.Equal(t, []core.Message{Clone(m)}, one.got)
		require.Equal(t, []core.Message{Clone(other)}, two.got)
	}
}
