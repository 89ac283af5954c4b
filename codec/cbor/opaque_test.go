package cbor_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/codec/cbor"
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/stack"
)

func TestOpaque(t *testing.T) {
	d := cbor.New(cbor.Config{})
	for _, m := range []*core.Opaque{
		{Protocol: stack.FirstFree}, {Protocol: 255, Data: bytes.Repeat([]byte{7}, 100_000)}, {Protocol: 40, Data: []byte("x")},
	} {
		b, err := d.AppendMessage(nil, m)
		require.NoError(t, err)
		require.Equal(t, oracle(t, m), b)
		var read []core.Opaque
		require.NoError(t, d.ReadDatagram(b, func(got core.Message) { read = append(read, *got.(*core.Opaque)) }))
		require.Len(t, read, 1)
		require.Equal(t, m.Protocol, read[0].Protocol)
		require.True(t, bytes.Equal(m.Data, read[0].Data))
	}
	_, err := d.AppendMessage(nil, &core.Opaque{Protocol: stack.FirstFree - 1})
	require.ErrorIs(t, err, core.FaultInvalid)
	for _, bad := range [][]byte{
		{0x83, 0x10, 0x18, 0x1f, 0x40},             // a protocol with words of its own
		{0x83, 0x10, 0x19, 0x01, 0x00, 0x40},       // no protocol
		{0x82, 0x10, 0x18, 0x28},                   // a field short
		{0x84, 0x10, 0x18, 0x28, 0x40, 0x40},       // one too many
		{0x83, 0x10, 0x18, 0x28, 0x45, 0x01, 0x02}, // cut
	} {
		require.ErrorIs(t, d.ReadDatagram(bad, func(core.Message) { t.Fatalf("%x was read", bad) }), core.FaultInvalid)
	}
}
