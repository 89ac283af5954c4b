package hosttest

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/runtime"
)

// connected dials b from a and returns each one's end of the link. The accepted end may only show once
// bytes have come, so a says hello.
func connected(t *testing.T, a, b *puppet) (dialed, accepted core.Link) {
	dialed = a.dial(b.host.Addr())
	a.expect(core.InputUp, func(in seen) bool { return in.Link == dialed })
	up := b.expect(core.InputUp, nil)
	require.True(t, up.Link.Accepted(), "a link that the peer opened has a number made by core.Accepted")
	require.True(t, up.From.IsValid())
	return dialed, up.Link
}

func linkBothWays(t *testing.T, listen func(t *testing.T) Host) {
	a, b := start(t, listen(t)), start(t, listen(t))
	la, lb := connected(t, a, b)
	a.write(la, []byte("question"))
	require.Equal(t, "question", string(b.read(lb, 8)))
	b.write(lb, []byte("answer"))
	require.Equal(t, "answer", string(a.read(la, 6)))
	require.Equal(t, 8, a.flushed(la, 8))
	require.Equal(t, 6, b.flushed(lb, 6))

	b.hangUp(lb)
	down := a.expect(core.InputDown, func(in seen) bool { return in.Link == la })
	require.NotEqual(t, core.FaultNone, down.Fault)
	require.Zero(t, a.count(core.InputDown, la), "one InputDown")
	require.Zero(t, a.count(core.InputUp, la), "one InputUp")
}

// linkRefused: exactly one InputDown, and no InputUp, where nobody listens.
func linkRefused(t *testing.T, listen func(t *testing.T) Host) {
	a, gone := start(t, listen(t)), listen(t)
	addr := gone.Addr()
	require.NoError(t, gone.Close())
	l := a.dial(addr)
	down := a.expect(core.InputDown, nil)
	require.Equal(t, l, down.Link)
	require.NotEqual(t, core.FaultNone, down.Fault)
	a.settle()
	require.Zero(t, a.count(core.InputUp, l))
	require.Zero(t, a.count(core.InputDown, l))
}

// linkManyWrites: many writes, together larger than any buffer, arrive in order and are all given back.
func linkManyWrites(t *testing.T, listen func(t *testing.T) Host) {
	a, b := start(t, listen(t)), start(t, listen(t))
	la, lb := connected(t, a, b)
	random := rand.New(rand.NewPCG(1, 2))
	var all []byte
	for len(all) < 8<<20 {
		part := make([]byte, 1+random.IntN(200_000))
		for i := range part {
			part[i] = byte(random.Uint32())
		}
		a.write(la, part)
		all = append(all, part...)
	}
	require.True(t, bytes.Equal(all, b.read(lb, len(all))), "bytes of a link")
	require.Equal(t, len(all), a.flushed(la, len(all)))
}

// linkCloseAfterWrites: what was written before Close arrives, and then the end, even if the peer has been
// writing all the time.
func linkCloseAfterWrites(t *testing.T, listen func(t *testing.T) Host) {
	a, b := start(t, listen(t)), start(t, listen(t))
	la, lb := connected(t, a, b)
	all := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	b.write(lb, all[:1<<17])
	a.do(func(h runtime.Host) {
		h.Do(core.Effect{Kind: core.EffectWrite, Link: la, Data: all})
		h.Do(core.Effect{Kind: core.EffectClose, Link: la})
	})
	require.True(t, bytes.Equal(all, b.read(lb, len(all))), "what was written before Close")
	b.expect(core.InputDown, func(in seen) bool { return in.Link == lb })
}

// linkClosedHearsNothing: once the node has closed a link, dialing or up, it is told nothing about it.
func linkClosedHearsNothing(t *testing.T, listen func(t *testing.T) Host) {
	a, b := start(t, listen(t)), start(t, listen(t))
	la, lb := connected(t, a, b)
	b.write(lb, bytes.Repeat([]byte("x"), 1<<18))
	a.expect(core.InputRead, nil)
	a.do(func(h runtime.Host) {
		a.forget()
		h.Do(core.Effect{Kind: core.EffectClose, Link: la})
		h.Do(core.Effect{Kind: core.EffectDial, Link: 77, To: b.host.Addr()})
		h.Do(core.Effect{Kind: core.EffectClose, Link: 77})
	})
	b.expect(core.InputDown, func(in seen) bool { return in.Link == lb })
	a.settle()
	for _, l := range []core.Link{la, 77} {
		for _, kind := range []core.InputKind{core.InputUp, core.InputRead, core.InputFlushed, core.InputDown} {
			require.Zero(t, a.count(kind, l), "input of kind %d about a closed link", kind)
		}
	}
}
