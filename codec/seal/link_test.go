package seal_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/codec/seal"
	"github.com/nekton-go/nekton/core"
)

// A connection is a link from one node to another, by way of a host that the test plays.
type connection struct {
	t              testing.TB
	from, to       *node
	dialed, accept core.Link
}

var connections uint64

// dial opens a link from a to b.
func dial(t testing.TB, a, b *node) *connection {
	t.Helper()
	connections++
	c := &connection{t: t, from: a, to: b, dialed: core.Link(connections), accept: core.Accepted(connections)}
	effects := a.does(core.Effect{Kind: core.EffectDial, Link: c.dialed, To: peer})
	require.Equal(t, []core.Effect{{Kind: core.EffectDial, Link: c.dialed, To: peer}}, effects)
	up := core.Input{Kind: core.InputUp, Link: c.dialed}
	require.Equal(t, []core.Input{up}, a.hears(up))
	up = core.Input{Kind: core.InputUp, Link: c.accept, From: peer}
	require.Equal(t, []core.Input{up}, b.hears(up))
	return c
}

// write returns the bytes that leave when n writes data on l.
func write(n *node, l core.Link, data string) []byte {
	n.t.Helper()
	effects := n.does(core.Effect{Kind: core.EffectWrite, Link: l, Data: []byte(data)})
	require.Len(n.t, effects, 1)
	require.Equal(n.t, core.EffectWrite, effects[0].Kind)
	require.Equal(n.t, l, effects[0].Link)
	return effects[0].Data
}

// reads presents bytes to n and returns what the toy reads of them.
func reads(n *node, l core.Link, b []byte) (text string) {
	n.t.Helper()
	lent := bytes.Clone(b)
	for _, in := range n.hears(core.Input{Kind: core.InputRead, Link: l, Data: lent}) {
		require.Equal(n.t, core.InputRead, in.Kind)
		require.Equal(n.t, l, in.Link)
		text += string(in.Data)
	}
	require.Equal(n.t, b, lent, "what is lent must not change")
	takeBack(lent)
	return text
}

func (c *connection) exchange(there, back string) {
	c.t.Helper()
	require.Equal(c.t, there, reads(c.to, c.accept, write(c.from, c.dialed, there)))
	require.Equal(c.t, back, reads(c.from, c.dialed, write(c.to, c.accept, back)))
}

// breaks presents bytes and wants the link ended: for the host, and for the toy after it has read before.
func breaks(n *node, l core.Link, b []byte, before string) {
	n.t.Helper()
	n.toy.heard = nil
	refused := n.Stats().LinksRefused
	effects := n.step(core.Input{Kind: core.InputRead, Link: l, Data: b})
	require.Equal(n.t, []core.Effect{{Kind: core.EffectClose, Link: l}}, effects)
	require.Equal(n.t, refused+1, n.Stats().LinksRefused)
	heard := n.toy.heard
	if before != "" {
		require.NotEmpty(n.t, heard)
		require.Equal(n.t, before, string(heard[0].Data))
		heard = heard[1:]
	}
	require.Equal(n.t, []core.Input{{Kind: core.InputDown, Link: l, Fault: core.FaultRefused}}, heard)
	require.Empty(n.t, n.hears(core.Input{Kind: core.InputRead, Link: l, Data: b}), "it is gone")
}

func TestLinks(t *testing.T) {
	for _, keys := range [][][]byte{nil, {key16}, {key24}, {key32}} {
		a, b := pair(t, keys...)
		c := dial(t, a, b)
		c.exchange("push", "pull")
		c.exchange(strings.Repeat("more than a record ", 10_000), strings.Repeat("there and back ", 10_000))
		c.exchange("x", "y")
		dial(t, b, a).exchange("the other way", "round")
		require.Zero(t, refused(a))
		require.Zero(t, refused(b))
		require.Equal(t, 2, a.OpenLinks())

		down := core.Input{Kind: core.InputDown, Link: c.accept, Fault: core.FaultClosed}
		require.Equal(t, []core.Input{down}, b.hears(down))
		closing := core.Effect{Kind: core.EffectClose, Link: c.dialed}
		require.Equal(t, []core.Effect{closing}, a.does(closing))
		require.Equal(t, 1, a.OpenLinks())
		require.Equal(t, 1, b.OpenLinks())
	}
}

// TestRecordsCut cuts what travels on a link at every byte, and between all of them.
func TestRecordsCut(t *testing.T) {
	for _, keys := range [][][]byte{nil, {key32}} {
		for cut := 0; ; cut++ {
			a, b := pair(t, keys...)
			c := dial(t, a, b)
			there := append(write(a, c.dialed, "push"), write(a, c.dialed, " harder")...)
			if cut > len(there) {
				break
			}
			text := reads(b, c.accept, there[:cut]) + reads(b, c.accept, there[cut:])
			require.Equal(t, "push harder", text, "cut after %d bytes", cut)
			back := append(write(b, c.accept, "pull"), write(b, c.accept, " away")...)
			text = ""
			for i := range back {
				text += reads(a, c.dialed, back[i:i+1])
			}
			require.Equal(t, "pull away", text)
		}
	}
}

// TestRecordsForged flips every bit of a stream of two records. The first may have been read before.
func TestRecordsForged(t *testing.T) {
	a, b := pair(t, key32)
	c := dial(t, a, b)
	first, second := write(a, c.dialed, "push"), write(a, c.dialed, "more")
	whole := append(bytes.Clone(first), second...)
	for bit := range 8 * len(whole) {
		forged := bytes.Clone(whole)
		forged[bit/8] ^= 1 << (bit % 8)
		l := core.Accepted(1<<40 + uint64(bit))
		b.step(core.Input{Kind: core.InputUp, Link: l, From: peer})
		text := ""
		for _, in := range b.hears(core.Input{Kind: core.InputRead, Link: l, Data: forged}) {
			text += string(in.Data)
		}
		b.step(core.Input{Kind: core.InputDown, Link: l})
		if text == "push" { // that link number has been seen now
			require.GreaterOrEqual(t, bit, 8*len(first), "bit %d", bit)
			_, b = pair(t, key32)
			continue
		}
		require.Empty(t, text, "bit %d", bit)
	}
}

func TestRecordsReordered(t *testing.T) {
	a, b := pair(t, key32)
	c := dial(t, a, b)
	first, second, third := write(a, c.dialed, "one"), write(a, c.dialed, "two"), write(a, c.dialed, "three")
	require.Equal(t, "one", reads(b, c.accept, first))
	breaks(b, c.accept, append(third, second...), "")

	c = dial(t, a, b)
	first, second = write(a, c.dialed, "one"), write(a, c.dialed, "two")
	record := first[31:] // without its header
	breaks(b, c.accept, bytes.Join([][]byte{first, second, record}, nil), "onetwo")
}

// TestRecordsSpliced moves records between links and directions.
func TestRecordsSpliced(t *testing.T) {
	a, b := pair(t, key32)
	one, two := dial(t, a, b), dial(t, a, b)
	require.Equal(t, "one", reads(b, one.accept, write(a, one.dialed, "one")))
	require.Equal(t, "two", reads(b, two.accept, write(a, two.dialed, "two")))
	next := write(a, one.dialed, "next")
	breaks(b, two.accept, next, "")

	reflected := dial(t, a, b)
	there := write(a, reflected.dialed, "there")
	breaks(a, reflected.dialed, there, "")

	three, four := dial(t, a, b), dial(t, a, b)
	reads(b, three.accept, write(a, three.dialed, "three"))
	reads(b, four.accept, write(a, four.dialed, "four"))
	breaks(a, four.dialed, write(b, three.accept, "for three"), "")
}

// TestLinkReplayed plays a dialer's bytes again, to the same peer and to its next run.
func TestLinkReplayed(t *testing.T) {
	a, b := pair(t, key32)
	c := dial(t, a, b)
	recorded := write(a, c.dialed, "push")
	require.Equal(t, "push", reads(b, c.accept, recorded))
	answer := write(b, c.accept, "pull")

	again := core.Accepted(1 << 50)
	b.step(core.Input{Kind: core.InputUp, Link: again})
	breaks(b, again, recorded, "")
	require.EqualValues(t, 1, b.Stats().Replayed)

	restarted := newNode(t, seal.Config{Label: "reef", Keys: [][]byte{key32}, Session: session(0xb3)})
	restarted.step(core.Input{Kind: core.InputUp, Link: again})
	require.Equal(t, "push", reads(restarted, again, recorded), "the limit: it has not seen it")
	other := write(restarted, again, "pull")
	require.NotEqual(t, answer[31:], other[31:], "but answers under a key of its own")
}

func TestLinkRefused(t *testing.T) {
	a, b := pair(t, key32)
	fresh := func() core.Link {
		connections++
		l := core.Accepted(connections)
		b.step(core.Input{Kind: core.InputUp, Link: l, From: peer})
		return l
	}
	stranger, _ := pair(t, key16)
	other := newNode(t, seal.Config{Label: "kelp", Keys: [][]byte{key32}, Session: session(1)})
	labelled := newNode(t, seal.Config{Label: "reef", Session: session(1)})
	for why, n := range map[string]*node{"a wrong key": stranger, "a wrong label": other, "no key": labelled} {
		breaks(b, fresh(), write(n, dial(t, n, a).dialed, why), "")
	}
	breaks(b, fresh(), []byte("plain"), "")
	good := write(a, dial(t, a, b).dialed, "push")
	copy(good[31:], "\xff\xff\xff\xff")
	breaks(b, fresh(), good[:35], "")
	copy(good[31:], "\x00\x00\x00\x10")
	breaks(b, fresh(), good[:35], "")
	for _, first := range []string{"\xe1", "\x00plain", strings.Repeat("\xe3", 50)} { // not an answer to a sealed link
		c := dial(t, a, b)
		write(a, c.dialed, "push")
		breaks(a, c.dialed, append([]byte(first), make([]byte, 10)...), "")
	}
	unasked := dial(t, a, b)
	breaks(a, unasked.dialed, good[:31], "")
}

// TestAcceptorMustWait wants a link ended on which the accepting side speaks first: there is no key yet.
func TestAcceptorMustWait(t *testing.T) {
	_, b := pair(t, key32)
	l := core.Accepted(1 << 20)
	b.step(core.Input{Kind: core.InputUp, Link: l})
	b.toy.heard = nil
	effects := b.does(core.Effect{Kind: core.EffectWrite, Link: l, Data: []byte("hello")},
		core.Effect{Kind: core.EffectClose, Link: l})
	require.Equal(t, []core.Effect{{Kind: core.EffectClose, Link: l}}, effects)
	require.Equal(t, core.Input{Kind: core.InputDown, Link: l, Fault: core.FaultRefused}, b.toy.heard[1])
	require.Zero(t, b.OpenLinks())
}

func TestPlainLinks(t *testing.T) {
	sealed := seal.Config{Label: "reef", Keys: [][]byte{key32}, Session: session(1)}
	both, first := sealed, sealed
	both.AcceptPlain, both.Session = true, session(2)
	first.AcceptPlain, first.SendPlain, first.Session = true, true, session(3)
	for _, to := range []seal.Config{first, both} {
		to.Session[0]++
		for _, from := range []seal.Config{first, both, sealed} {
			dial(t, newNode(t, from), newNode(t, to)).exchange("\x00push", "\x00pull")
		}
	}
	a, b := newNode(t, first), newNode(t, sealed)
	c := dial(t, a, b)
	there := write(a, c.dialed, "\x00push")
	require.Equal(t, "\x00push", string(there))
	breaks(b, c.accept, there, "")
}

// TestFlushed returns the host's bytes in odd portions and wants the toy's bytes back, write by write.
func TestFlushed(t *testing.T) {
	for _, keys := range [][][]byte{nil, {key32}} {
		for portion := 1; portion < 300; portion += 7 {
			a, b := pair(t, keys...)
			c := dial(t, a, b)
			sealed := 0
			for _, text := range []string{"push", strings.Repeat("x", 100), "pull"} {
				sealed += len(write(a, c.dialed, text))
			}
			plain := 0
			for ; sealed > 0; sealed -= portion {
				in := core.Input{Kind: core.InputFlushed, Link: c.dialed, Size: min(portion, sealed)}
				for _, in := range a.hears(in) {
					require.Equal(t, core.InputFlushed, in.Kind)
					plain += in.Size
				}
			}
			require.Equal(t, 108, plain)
		}
	}
}

func TestLinksMax(t *testing.T) {
	n := newNode(t, seal.Config{Keys: [][]byte{key32}, Session: session(1), LinksMax: 2})
	up := func(i uint64) []core.Effect {
		return n.step(core.Input{Kind: core.InputUp, Link: core.Accepted(i), From: peer})
	}
	require.Empty(t, up(1))
	require.Empty(t, up(2))
	require.Equal(t, []core.Effect{{Kind: core.EffectClose, Link: core.Accepted(3)}}, up(3))
	require.EqualValues(t, 1, n.Stats().LinksRefused)
	n.step(core.Input{Kind: core.InputDown, Link: core.Accepted(1)})
	require.Empty(t, up(4))
	require.Equal(t, 2, n.OpenLinks())
}
