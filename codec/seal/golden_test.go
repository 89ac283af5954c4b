package seal_test

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
	"github.com/nekton-go/nekton/codec/seal"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestGolden pins the bytes of a sealed datagram and of a sealed link. docs/PROTOCOL.md quotes the file.
func TestGolden(t *testing.T) {
	var out strings.Builder
	show := func(what string, b []byte) {
		fmt.Fprintf(&out, "# %s\n", what)
		for ; len(b) > 32; b = b[32:] {
			fmt.Fprintf(&out, "%x\n", b[:32])
		}
		fmt.Fprintf(&out, "%x\n\n", b)
	}
	d := cbor.New(cbor.Config{})
	ping, err := d.AppendMessage(nil, codectest.Hot()[0])
	require.NoError(t, err)
	show("the ping to seal: "+cbor.Diagnose(ping), ping)

	var sealed []byte
	for _, key := range [][]byte{key16, key24, key32} {
		n := newNode(t, seal.Config{Label: "reef", Keys: [][]byte{key}, Session: session(0xa1)})
		id := n.keys(seal.List{}).Primary
		n.send("the first datagram of the session")
		sealed = n.send(string(ping))
		show(fmt.Sprintf("its second datagram, under key %q (id %s), session a1a1..., label \"reef\"", key, id), sealed)
	}
	label := newNode(t, seal.Config{Label: "reef", Session: session(0xa1)})
	show("a datagram with the label \"reef\" and no seal", label.send(string(ping)))

	a, b := pair(t, key32)
	c := dial(t, a, b)
	push, err := d.AppendFrame(nil, codectest.Hot()[0])
	require.NoError(t, err)
	first := write(a, c.dialed, string(push))
	show("a link from session a1a1... to b2b2...: the dialer's header and first record, the ping as a frame", first)
	show("the dialer's second record, the same again", write(a, c.dialed, string(push)))
	require.Equal(t, string(push), reads(b, c.accept, first))
	answer := write(b, c.accept, string(push))
	show("the acceptor's header and first record, the same again", answer)
	quoted := [][]byte{sealed, first, answer}

	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile("testdata/sealed.txt", []byte(out.String()), 0o644))
	}
	want, err := os.ReadFile("testdata/sealed.txt")
	require.NoError(t, err)
	require.Equal(t, string(want), out.String())

	document, err := os.ReadFile("../../docs/PROTOCOL.md")
	require.NoError(t, err)
	for _, b := range quoted {
		require.Contains(t, strings.Join(strings.Fields(string(document)), ""), hex.EncodeToString(b))
	}
}
