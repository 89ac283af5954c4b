package seal_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/codec/seal"
	"github.com/nekton-go/nekton/core"
)

// TestRotation replaces a key under traffic: nothing is lost at any step, whatever node has taken it.
func TestRotation(t *testing.T) {
	a, b := pair(t, key16)
	traffic := func() {
		t.Helper()
		for range 3 {
			require.Equal(t, "ping", b.receives(a.send("ping")))
			require.Equal(t, "ack", a.receives(b.send("ack")))
		}
		l := dial(t, a, b)
		l.exchange("push", "pull")
	}
	link := dial(t, a, b)
	link.exchange("before", "before")
	traffic()
	for _, c := range []core.Command{
		seal.Install{ID: 1, Key: key32}, seal.Use{ID: 2, Key: key32}, seal.Remove{ID: 3, Key: key16},
	} {
		require.Equal(t, core.FaultNone, a.keys(c).Fault)
		traffic()
		require.Equal(t, core.FaultNone, b.keys(c).Fault)
		traffic()
	}
	link.exchange("a link outlives its key", "so it does")
	require.Zero(t, refused(a))
	require.Zero(t, refused(b))

	old := newNode(t, seal.Config{Label: "reef", Keys: [][]byte{key16}, Session: session(1)})
	require.Empty(t, b.receives(old.send("with the old key")))
	require.EqualValues(t, 1, b.Stats().BadSeal)
}

// TestRemovedKeyIsForgotten wants what was derived from a key gone with it, and what was seen kept.
func TestRemovedKeyIsForgotten(t *testing.T) {
	a, b := pair(t, key16, key32)
	first, second := a.send("first"), a.send("second")
	require.Equal(t, "first", b.receives(first))
	require.Equal(t, core.FaultNone, b.keys(seal.Use{ID: 1, Key: key32}).Fault)
	require.Equal(t, core.FaultNone, b.keys(seal.Remove{ID: 2, Key: key16}).Fault)
	require.Empty(t, b.receives(second))
	require.EqualValues(t, 1, b.Stats().BadSeal)
	require.Equal(t, core.FaultNone, b.keys(seal.Install{ID: 3, Key: key16}).Fault)
	require.Empty(t, b.receives(first))
	require.EqualValues(t, 1, b.Stats().Replayed)
	require.Equal(t, "second", b.receives(second))
}

func TestCommands(t *testing.T) {
	n := newNode(t, seal.Config{Keys: [][]byte{key16}, Session: session(1), KeysMax: 2})
	first := n.keys(seal.List{ID: 1})
	require.Equal(t, core.FaultNone, first.Fault)
	require.Equal(t, []seal.KeyID{first.Primary}, first.All)
	require.Len(t, string(first.Primary), 16)

	for _, test := range []struct {
		why  string
		c    core.Command
		want core.Fault
		keys int
	}{
		{"a key of 15 bytes", seal.Install{ID: 2, Key: key16[1:]}, core.FaultInvalid, 1},
		{"no key", seal.Install{ID: 3}, core.FaultInvalid, 1},
		{"the same key again", seal.Install{ID: 4, Key: key16}, core.FaultNone, 1},
		{"use without install", seal.Use{ID: 5, Key: key32}, core.FaultNotFound, 1},
		{"remove without install", seal.Remove{ID: 6, Key: key32}, core.FaultNotFound, 1},
		{"remove the primary", seal.Remove{ID: 7, Key: key16}, core.FaultRefused, 1},
		{"another key", seal.Install{ID: 8, Key: key24}, core.FaultNone, 2},
		{"a key too many", seal.Install{ID: 9, Key: key32}, core.FaultBusy, 2},
		{"no command of ours", stranger{}, core.FaultInvalid, 2},
	} {
		done := n.keys(test.c)
		require.Equal(t, test.want, done.Outcome(), test.why)
		require.Equal(t, test.want != core.FaultNone, done.Detail != "", test.why)
		require.Equal(t, first.Primary, done.Primary, test.why)
		require.Len(t, done.All, test.keys, test.why)
	}
	require.NotEqual(t, first.Primary, n.keys(seal.Use{ID: 10, Key: key24}).Primary)
	text, err := n.keys(seal.List{ID: 11}).AppendText(nil)
	require.NoError(t, err)
	require.Regexp(t, `^keys ok [0-9a-f]{16} [0-9a-f]{16}\*$`, string(text))
}

// TestInstallIntoLabelOnly turns encryption on without a restart.
func TestInstallIntoLabelOnly(t *testing.T) {
	c := seal.Config{Label: "reef", Session: session(1), AcceptPlain: true}
	a := newNode(t, c)
	c.Session = session(2)
	b := newNode(t, c)
	for _, command := range []core.Command{seal.Install{ID: 1, Key: key32}, seal.Use{ID: 2, Key: key32}} {
		for _, n := range []*node{a, b} {
			require.Equal(t, core.FaultNone, n.keys(command).Fault)
			require.Equal(t, "hello", b.receives(a.send("hello")))
			require.Equal(t, "hello", a.receives(b.send("hello")))
			dial(t, a, b).exchange("push", "pull")
			dial(t, b, a).exchange("push", "pull")
		}
	}
	require.Zero(t, refused(a))
	require.NotContains(t, string(a.send("hello")), "hello")
}

type stranger struct{}

func (stranger) Proto() core.Proto { return seal.Proto }
func (stranger) CommandID() uint64 { return 99 }

func TestConfig(t *testing.T) {
	for _, test := range []struct {
		why    string
		change func(*seal.Config)
		want   error
	}{
		{"a session of zeros", func(c *seal.Config) { c.Session = session(0) }, core.FaultInvalid},
		{"a short key", func(c *seal.Config) { c.Keys = [][]byte{key32, key32[:20]} }, core.FaultInvalid},
		{"an empty key", func(c *seal.Config) { c.Keys = [][]byte{nil} }, core.FaultInvalid},
		{"too many keys", func(c *seal.Config) { c.KeysMax, c.Keys = 1, [][]byte{key16, key32} }, core.FaultTooLarge},
		{"a long label", func(c *seal.Config) { c.Label = string(make([]byte, 256)) }, core.FaultTooLarge},
		{"a negative bound", func(c *seal.Config) { c.Window = -1 }, core.FaultInvalid},
	} {
		c := seal.Config{Label: "reef", Keys: [][]byte{key32}, Session: session(1)}
		test.change(&c)
		_, err := seal.New(newToy(), c)
		require.ErrorIs(t, err, test.want, test.why)
		require.ErrorContains(t, err, "seal: ", test.why)
	}
}
