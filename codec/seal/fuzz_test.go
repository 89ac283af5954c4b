package seal_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/core"
)

// FuzzOpen opens anything. Only what was sealed with the key may come through, and that once.
func FuzzOpen(f *testing.F) {
	a, _ := pair(f, key32)
	sealed := [][]byte{a.send("hello"), a.send("")}
	f.Add([]byte{})
	f.Add([]byte("\xe1reef"))
	for _, b := range sealed {
		f.Add(b)
		f.Add(b[:len(b)-1])
	}
	f.Fuzz(func(t *testing.T, datagram []byte) {
		_, b := pair(t, key32)
		for range 2 {
			b.receives(datagram)
		}
		opened := b.Stats().Opened
		require.LessOrEqual(t, opened, uint64(1))
		require.EqualValues(t, opened, b.Senders())
		require.Equal(t, uint64(2)-opened, refused(b))
		if opened == 1 {
			require.True(t, bytes.Equal(datagram, sealed[0]) || bytes.Equal(datagram, sealed[1]))
		}
	})
}

// FuzzRecords reads anything on an accepted link, cut anywhere. What comes through is the front of what
// was written.
func FuzzRecords(f *testing.F) {
	a, b := pair(f, key32)
	c := dial(f, a, b)
	whole := append(write(a, c.dialed, "push"), write(a, c.dialed, " harder")...)
	f.Add(whole, uint16(10))
	f.Add(whole, uint16(50))
	f.Add(whole[:60], uint16(31))
	f.Add([]byte("\xe1reefs"), uint16(3))
	f.Fuzz(func(t *testing.T, stream []byte, cut uint16) {
		_, b := pair(t, key32)
		l, text := core.Accepted(1), ""
		b.step(core.Input{Kind: core.InputUp, Link: l})
		at := min(int(cut), len(stream))
		for _, part := range [][]byte{stream[:at], stream[at:]} {
			for _, in := range b.hears(core.Input{Kind: core.InputRead, Link: l, Data: part}) {
				text += string(in.Data)
			}
		}
		require.Contains(t, []string{"", "push", "push harder"}, text)
		require.LessOrEqual(t, b.OpenLinks(), 1)
		require.EqualValues(t, 1-b.OpenLinks(), b.Stats().LinksRefused)
	})
}
