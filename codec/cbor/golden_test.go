package cbor_test

import (
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/codec/cbor"
	"github.com/nekton-go/nekton/codec/codectest"
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestGolden pins the bytes of every message. docs/PROTOCOL.md quotes the file.
func TestGolden(t *testing.T) {
	d := cbor.New(cbor.Config{})
	versions := swim.Versions{ProtocolMin: 1, ProtocolMax: 5, Protocol: 2}
	messages := append(codectest.Hot(),
		&swim.User{Data: []byte("hello")},
		&core.Opaque{Protocol: 40, Data: []byte("hello")},
		&swim.PushPull{Join: true, Members: []swim.Record{
			{Name: "kelp", Addr: reef, Incarnation: 3, Versions: versions},
			{Name: "weed", Addr: reef, Incarnation: 300, State: swim.Left, Meta: []byte("zone=reef"), Versions: versions},
		}, User: []byte("state")},
		&swim.Refuse{Reason: "not one of us"},
	)
	var out strings.Builder
	for _, m := range messages {
		writeGolden(t, &out, d, m, d.AppendMessage)
	}
	out.WriteString("# the first message again, as it travels on a link\n\n")
	writeGolden(t, &out, d, messages[0], d.AppendFrame)
	if *update {
		require.NoError(t, os.WriteFile("testdata/messages.txt", []byte(out.String()), 0o644))
	}
	want, err := os.ReadFile("testdata/messages.txt")
	require.NoError(t, err)
	require.Equal(t, string(want), out.String())

	document, err := os.ReadFile("../../docs/PROTOCOL.md")
	require.NoError(t, err)
	for _, m := range messages {
		b, err := d.AppendMessage(nil, m)
		require.NoError(t, err)
		require.Contains(t, strings.Join(strings.Fields(string(document)), ""), hex.EncodeToString(b), "%T", m)
	}
}

func writeGolden(t *testing.T, out *strings.Builder, d *cbor.Dialect, m core.Message,
	write func([]byte, core.Message) ([]byte, error)) {
	t.Helper()
	b, err := write(nil, m)
	require.NoError(t, err)
	message, err := d.AppendMessage(nil, m)
	require.NoError(t, err)
	text, err := m.AppendText(nil)
	require.NoError(t, err)
	fmt.Fprintf(out, "# %s\n# %s\n", text, cbor.Diagnose(message))
	for ; len(b) > 32; b = b[32:] {
		fmt.Fprintf(out, "%x\n", b[:32])
	}
	fmt.Fprintf(out, "%x\n\n", b)
}
