package codectest

import (
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/core"
)

// malformedPart wants whole messages before a part cut short delivered, and the error reported.
func (s *suite) malformedPart(t *testing.T) {
	d := s.open()
	hot := Hot()
	for _, last := range hot {
		part := encode(t, d, last)
		parts := [][]byte{encode(t, d, hot[0]), encode(t, d, hot[5]), part[:len(part)-1]}
		got, err := read(d, d.AppendDatagram(nil, parts))
		require.Error(t, err, "%T without its last byte", last)
		require.Equal(t, clones([]core.Message{hot[0], hot[5]}), got, "before a bad %T", last)
	}
}

// truncated cuts a datagram of three messages at every length: at most the last message read may
// differ from what was sent.
func (s *suite) truncated(t *testing.T) {
	d := s.open()
	hot := Hot()
	for i := range hot {
		sent := clones([]core.Message{hot[i], hot[(i+1)%len(hot)], hot[(i+2)%len(hot)]})
		b := datagram(t, d, sent...)
		for n := range len(b) {
			got, _ := read(d, cloneBytes(b[:n])) // a copy of its own, so that reading past n is caught
			require.LessOrEqual(t, len(got), len(sent))
			for j := 0; j < len(got)-1; j++ {
				require.Equal(t, sent[j], got[j], "%d of %d bytes", n, len(b))
			}
		}
	}
}

// garbage feeds the reader noise, and real datagrams with one byte changed or with a run of bytes
// turned into the largest numbers there are, as lengths and counts would claim them.
func (s *suite) garbage(t *testing.T) {
	d := s.open()
	discard := func(core.Message) {}
	var corpus [][]byte
	for _, m := range s.datagrams {
		corpus = append(corpus, datagram(t, d, m))
	}
	s.hostile(t, corpus, func(b []byte) { _ = d.ReadDatagram(b, discard) })
	got, err := read(d, datagram(t, d, s.datagrams...))
	require.NoError(t, err, "after garbage")
	require.Equal(t, clones(s.datagrams), got, "after garbage")
}

// framesGarbage is garbage on links, whose readers may have memory.
func (s *suite) framesGarbage(t *testing.T) {
	d := s.open()
	discard := func(core.Message) {}
	var corpus [][]byte
	for _, m := range s.frames {
		corpus = append(corpus, frame(t, d, m))
	}
	s.hostile(t, corpus, func(b []byte) {
		reader := d.NewFrameReader()
		n, err := reader.ReadFrames(b, discard)
		if n < 0 || n > len(b) {
			t.Errorf("ReadFrames of %d bytes took %d", len(b), n)
		} else if err == nil {
			_, _ = reader.ReadFrames(append(b[n:len(b):len(b)], 0xff, 0xff), discard)
		}
	})
}

// hostile reads mutations of the corpus, and noise, and bounds what that may allocate: so much per
// byte presented, for copies, names and records, plus something per read.
func (s *suite) hostile(t *testing.T, corpus [][]byte, read func([]byte)) {
	const perByte, perRead = 64, 1 << 10
	for _, whole := range corpus {
		b := whole[:min(len(whole), 600)]
		reads := 0
		allocated := allocations(func() {
			for i := range b {
				reads += inflate(b, i, read)
			}
		})
		require.LessOrEqual(t, allocated, uint64(reads)*uint64(perRead+perByte*len(b)),
			"bytes allocated to read %d mutations of %d bytes", reads, len(b))
	}
	rng := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 64)
	for range 20_000 {
		for i := range noise {
			noise[i] = byte(rng.Uint32())
		}
		read(noise[:rng.IntN(len(noise)+1)])
	}
}

// inflate reads b with the bytes from i on replaced, in every way that matters, and says how many ways.
func inflate(b []byte, i int, read func([]byte)) (reads int) {
	for _, v := range []byte{b[i] ^ 0x01, b[i] ^ 0x20, b[i] ^ 0x80, 0x00, 0x1b, 0x5b, 0x7b, 0x9b, 0xbf} {
		c := cloneBytes(b)
		c[i] = v
		read(c)
		reads++
	}
	for _, width := range []int{1, 2, 4, 8} {
		for _, v := range []byte{0x7f, 0xff} {
			c := cloneBytes(b)
			for j := i; j < min(i+width, len(c)); j++ {
				c[j] = v
			}
			read(c)
			reads++
		}
	}
	return reads
}

// allocations returns how many bytes f allocated.
func allocations(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
