package seal_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/codec/seal"
	"github.com/nekton-go/nekton/core"
)

func TestDatagrams(t *testing.T) {
	for _, keys := range [][][]byte{nil, {key16}, {key24}, {key32}, {key32, key16}} {
		a, b := pair(t, keys...)
		overhead := seal.Overhead(seal.Config{Keys: keys})
		for _, text := range []string{"", "hello", string(make([]byte, 1400))} {
			for range 3 {
				sealed := a.send(text)
				require.Len(t, sealed, len(text)+overhead)
				require.Equal(t, len(keys) == 0 || text == "", bytes.Contains(sealed, []byte(text)))
				require.Equal(t, text, b.receives(sealed))
				require.Equal(t, text, a.receives(b.send(text)))
			}
		}
		require.Zero(t, refused(b))
	}
}

// refused sums up what a node refused.
func refused(n *node) uint64 {
	s := n.Stats()
	return s.BadLabel + s.BadSeal + s.Replayed + s.Malformed + s.LinksRefused
}

// TestSameTwice seals one text twice and wants the two to share nothing but the header.
func TestSameTwice(t *testing.T) {
	a, _ := pair(t, key32)
	one, two := a.send("the same text, twice over"), a.send("the same text, twice over")
	require.NotEqual(t, one[31:], two[31:])
}

func TestSeveralInOneStep(t *testing.T) {
	a, b := pair(t, key32)
	var effects []core.Effect
	for i := range 100 {
		effects = append(effects, core.Effect{Kind: core.EffectSend, To: peer, Data: fmt.Appendf(nil, "number %d", i)})
	}
	for i, e := range a.does(effects...) {
		require.Equal(t, fmt.Sprintf("number %d", i), b.receives(e.Data))
	}
}

func TestWrongKey(t *testing.T) {
	a, _ := pair(t, key32)
	_, b := pair(t, key16, key24)
	require.Empty(t, b.receives(a.send("hello")))
	require.Equal(t, seal.Stats{BadSeal: 1}, b.Stats())
	require.Zero(t, b.Senders())
}

func TestWrongLabel(t *testing.T) {
	for _, keys := range [][][]byte{nil, {key32}} {
		a := newNode(t, seal.Config{Label: "reef", Keys: keys, Session: session(1)})
		b := newNode(t, seal.Config{Label: "kelp", Keys: keys, Session: session(2)})
		sealed := a.send("hello")
		require.Empty(t, b.receives(sealed))
		require.Equal(t, seal.Stats{BadLabel: 1}, b.Stats())

		if keys != nil { // with the tag of the right label it still does not open
			copy(sealed[1:5], b.send("x")[1:5])
			require.Empty(t, b.receives(sealed))
			require.EqualValues(t, 1, b.Stats().BadSeal)
		}
	}
}

func TestTruncated(t *testing.T) {
	a, b := pair(t, key32)
	sealed := a.send("hello")
	for n := range len(sealed) {
		require.Empty(t, b.receives(sealed[:n:n]), "%d bytes", n)
	}
	require.EqualValues(t, len(sealed), refused(b))
	require.Empty(t, b.receives(append(bytes.Clone(sealed), 0)))
	require.Equal(t, "hello", b.receives(sealed))
}

func TestFlippedBits(t *testing.T) {
	a, b := pair(t, key32)
	sealed := a.send("hello")
	for bit := range 8 * len(sealed) {
		forged := bytes.Clone(sealed)
		forged[bit/8] ^= 1 << (bit % 8)
		require.Empty(t, b.receives(forged), "bit %d", bit)
	}
	require.EqualValues(t, 8*len(sealed), refused(b))
	require.Zero(t, b.Senders())
	require.Equal(t, "hello", b.receives(sealed))
}

func TestReplayed(t *testing.T) {
	a, b := pair(t, key32)
	sealed := a.send("hello")
	require.Equal(t, "hello", b.receives(sealed))
	require.Empty(t, b.receives(sealed))
	require.EqualValues(t, 1, b.Stats().Replayed)
	require.Empty(t, a.receives(sealed), "its own, come back")
	require.EqualValues(t, 1, a.Stats().Replayed)
}

// TestOvertaking delivers datagrams in random order within the window: each opens once.
func TestOvertaking(t *testing.T) {
	a, b := pair(t, key32)
	var all [][]byte
	for i := range 1000 {
		all = append(all, a.send(fmt.Sprint("number ", i)))
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for _, i := range append(rng.Perm(len(all)), rng.Perm(len(all))...) {
		b.receives(all[i])
	}
	require.EqualValues(t, 1000, b.Stats().Opened)
	require.EqualValues(t, 1000, b.Stats().Replayed)
}

func TestBeyondTheWindow(t *testing.T) {
	a, b := pair(t, key32)
	old, late := a.send("old"), a.send("late")
	require.Equal(t, "late", b.receives(late))
	for range 1200 {
		late = a.send("late")
	}
	require.Equal(t, "late", b.receives(late))
	require.Empty(t, b.receives(old))
	require.EqualValues(t, 1, b.Stats().Replayed)
}

// TestForgottenSender states the limit: a sender pushed out of memory can be played again, once.
func TestForgottenSender(t *testing.T) {
	b := newNode(t, seal.Config{Keys: [][]byte{key32}, Session: session(0xff), SessionsMax: 2})
	var sealed [][]byte
	for i := range 3 {
		a := newNode(t, seal.Config{Keys: [][]byte{key32}, Session: session(byte(i + 1))})
		sealed = append(sealed, a.send("hello"))
		require.Equal(t, "hello", b.receives(sealed[i]))
		require.LessOrEqual(t, b.Senders(), 2)
	}
	require.Empty(t, b.receives(sealed[2]), "remembered")
	require.Empty(t, b.receives(sealed[1]), "remembered")
	require.Equal(t, "hello", b.receives(sealed[0]), "forgotten")
	require.Empty(t, b.receives(sealed[0]))
}

func TestPlain(t *testing.T) {
	sealed := seal.Config{Label: "reef", Keys: [][]byte{key32}, Session: session(1)}
	both, first := sealed, sealed
	both.AcceptPlain, both.Session = true, session(2)
	first.AcceptPlain, first.SendPlain, first.Session = true, true, session(3)
	labelled := seal.Config{Label: "reef", Session: session(4)}

	text := "\x82\x03\x07"
	for _, test := range []struct {
		from, to seal.Config
		arrives  bool
	}{
		{first, first, true}, {first, both, true}, {first, sealed, false}, {first, labelled, false},
		{both, first, true}, {both, sealed, true}, {both, labelled, false},
		{sealed, first, true}, {sealed, both, true}, {sealed, labelled, false},
		{labelled, first, true}, {labelled, both, true}, {labelled, sealed, false}, {labelled, labelled, true},
	} {
		test.from.Session[0]++
		got := newNode(t, test.to).receives(newNode(t, test.from).send(text))
		require.Equal(t, test.arrives, got == text, "from %+v to %+v", test.from, test.to)
	}
	require.Equal(t, []byte(text), newNode(t, first).send(text))

	n := newNode(t, both)
	require.Equal(t, text, n.receives([]byte(text)))
	require.Equal(t, seal.Stats{Plain: 1}, n.Stats())
	forged := newNode(t, sealed).send(text)
	forged[40] ^= 1
	require.Empty(t, n.receives(forged), "a broken seal is not plain")
}

// TestMillionHostile wants memory bounded under noise, forgeries, replays, and sessions without end.
func TestMillionHostile(t *testing.T) {
	_, b := pair(t, key32)
	b.toy.answer = func(core.Input) []core.Effect { b.toy.heard = nil; return nil }
	other := newNode(t, seal.Config{Label: "reef", Keys: [][]byte{key32}, Session: session(7)})
	honest := other.send("hello")
	wrong := newNode(t, seal.Config{Label: "reef", Keys: [][]byte{key16}, Session: session(7)}).send("hello")
	rng := rand.New(rand.NewPCG(1, 2))
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	noise := make([]byte, 100)
	for i := range 1_000_000 {
		for j := 0; j < len(noise); j += 4 {
			r := rng.Uint32()
			noise[j], noise[j+1], noise[j+2], noise[j+3] = byte(r), byte(r>>8), byte(r>>16), byte(r>>24)
		}
		d := noise[:rng.IntN(len(noise))]
		switch kind := i % 64; {
		case kind == 0 && len(d) > 7: // as far as a key, each of a new sender
			copy(d, honest[:7])
		case kind < 16:
			d = wrong
		case kind < 32:
			d = honest
		}
		b.Step(core.Instant(i), core.Input{Kind: core.InputDatagram, From: peer, Data: d})
		if e, ok := b.Next(); ok {
			t.Fatalf("an effect: %+v", e)
		}
	}
	b.toy.answer = nil
	runtime.GC()
	runtime.ReadMemStats(&after)
	require.Equal(t, 1, b.Senders())
	require.EqualValues(t, 1, b.Stats().Opened)
	require.EqualValues(t, 999_999, refused(b))
	require.Less(t, int64(after.HeapAlloc)-int64(before.HeapAlloc), int64(1<<20))
	require.Equal(t, "again", b.receives(other.send("again")))
}
