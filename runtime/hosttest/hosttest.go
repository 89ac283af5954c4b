// Package hosttest checks that a runtime.Host keeps its promises. A host's own tests call [Run]:
//
//	func TestHost(t *testing.T) {
//		hosttest.Run(t, func(t *testing.T) hosttest.Host {
//			h, err := native.Listen(native.Config{Bind: "127.0.0.1:0"})
//			require.NoError(t, err)
//			return h
//		})
//	}
//
// The suite drives every host with runtime.Run and a [puppet] in the place of a node, and waits for what
// it expects under a deadline; it never sleeps to see whether something happens.
package hosttest

import (
	"context"
	"errors"
	"net/netip"
	goruntime "runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/runtime"
)

// A Host is what can be checked: it listens, for datagrams and links.
type Host interface {
	runtime.Host
	Addr() netip.AddrPort // where other hosts of the same test reach this one
}

// patience is how long the suite waits for anything. Hosts in virtual time should not need it.
const patience = 20 * time.Second

// Run checks the hosts that listen returns: fresh ones, without a journal's past, that reach each
// other. It closes them.
func Run(t *testing.T, listen func(t *testing.T) Host) {
	for _, check := range []struct {
		name string
		run  func(t *testing.T, listen func(t *testing.T) Host)
	}{
		{"Begins", begins},
		{"Wakes", wakes},
		{"CancelEndsWait", cancelEndsWait},
		{"CloseEndsAll", closeEndsAll},
		{"PostsFromManyGoroutines", postsFromMany},
		{"Datagrams", datagrams},
		{"DatagramsKeepTheirBytes", datagramsKeep},
		{"LinkBothWays", linkBothWays},
		{"LinkRefused", linkRefused},
		{"LinkManyWrites", linkManyWrites},
		{"LinkCloseAfterWrites", linkCloseAfterWrites},
		{"LinkClosedHearsNothing", linkClosedHearsNothing},
		{"Stores", stores},
		{"Resolves", resolves},
	} {
		t.Run(check.name, func(t *testing.T) { check.run(t, listen) })
	}
}

// begins: the wall clock first, then the wake that ends restoring.
func begins(t *testing.T, listen func(t *testing.T) Host) {
	p := start(t, listen(t))
	in := p.any()
	require.Equal(t, core.InputWall, in.Kind)
	require.WithinDuration(t, time.Now(), time.Unix(0, in.Wall), 100*365*24*time.Hour)
	require.Equal(t, core.InputWake, p.any().Kind)
}

// wakes: at the deadline, in order, and never before it.
func wakes(t *testing.T, listen func(t *testing.T) Host) {
	p := start(t, listen(t))
	for _, ms := range []time.Duration{0, 1, 5, 50, 1} {
		at := p.sleep(ms * time.Millisecond)
		woken := p.expect(core.InputWake, func(in seen) bool { return in.now >= at })
		require.Less(t, woken.now.Sub(at), 2*time.Second, "woken late")
	}
	require.Zero(t, p.early(), "woken before its deadline")
}

func cancelEndsWait(t *testing.T, listen func(t *testing.T) Host) {
	h := listen(t)
	defer h.Close()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- runtime.Run(ctx, newPuppet(), h) }() // ends by cancel
	cancel()
	require.ErrorIs(t, receive(t, ended), context.Canceled)
}

// closeEndsAll: afterwards everything answers at once.
func closeEndsAll(t *testing.T, listen func(t *testing.T) Host) {
	h := listen(t)
	require.NoError(t, h.Close())
	require.NoError(t, h.Close(), "a second time")
	require.ErrorIs(t, h.Post(core.Input{Kind: core.InputWake}), runtime.ErrClosed)
	var in core.Input
	require.ErrorIs(t, h.Wait(t.Context(), core.Never, &in), runtime.ErrClosed)
}

// postsFromMany: all arrive, those of one goroutine in order.
func postsFromMany(t *testing.T, listen func(t *testing.T) Host) {
	const posters, each = 8, 200
	p := start(t, listen(t))
	for i := range posters {
		go func() { // ends after its posts
			for n := range each {
				in := core.Input{Kind: core.InputStored, Token: core.Token(i*each + n)}
				for errors.Is(p.host.Post(in), core.FaultBusy) {
					goruntime.Gosched() // the bound is the host's to choose
				}
			}
		}()
	}
	var next [posters]int
	for range posters * each {
		tok := int(p.expect(core.InputStored, nil).Token)
		require.Equal(t, next[tok/each], tok%each, "order of one goroutine's posts")
		next[tok/each]++
	}
}

func datagrams(t *testing.T, listen func(t *testing.T) Host) {
	a, b := start(t, listen(t)), start(t, listen(t))
	got := a.sendUntil(b, b.host.Addr(), "there")
	require.LessOrEqual(t, got.At, got.now)
	back := b.sendUntil(a, got.From, "and back")
	require.Positive(t, back.now)
}

// datagramsKeep: bytes are the node's until the next Wait, whatever arrives meanwhile, and the sender's
// buffer is its own again after Do.
func datagramsKeep(t *testing.T, listen func(t *testing.T) Host) {
	a, b := start(t, listen(t)), start(t, listen(t))
	a.sendUntil(b, b.host.Addr(), "first")
	const many = 64
	a.do(func(h runtime.Host) {
		buf := make([]byte, 1200)
		for i := range many {
			for j := range buf {
				buf[j] = byte(i)
			}
			h.Do(core.Effect{Kind: core.EffectSend, To: b.host.Addr(), Data: buf})
		}
		clear(buf)
	})
	a.do(func(h runtime.Host) {
		h.Do(core.Effect{Kind: core.EffectSend, To: b.host.Addr(), Data: []byte("last")})
	})
	for { // some may be lost, the last as well
		in, ok := b.within(core.InputDatagram, nil, time.Second)
		if !ok || string(in.Data) == "last" {
			return
		}
		if string(in.Data) == "first" {
			continue
		}
		require.Len(t, in.Data, 1200)
		for _, c := range in.Data {
			require.Equal(t, in.Data[0], c, "bytes of two datagrams in one")
		}
	}
}

func stores(t *testing.T, listen func(t *testing.T) Host) {
	p := start(t, listen(t))
	p.do(func(h runtime.Host) {
		data := []byte("record")
		for i := range 100 {
			kind := core.EffectAppend
			if i%10 == 9 {
				kind = core.EffectCompact
			}
			h.Do(core.Effect{Kind: kind, Proto: 1 + core.Proto(i%2), Token: core.Token(i), Data: data})
		}
		clear(data)
	})
	for i := range 100 {
		in := p.expect(core.InputStored, nil)
		require.Equal(t, core.Token(i), in.Token, "order of stores")
		require.Equal(t, core.FaultNone, in.Fault)
	}
}

func resolves(t *testing.T, listen func(t *testing.T) Host) {
	p := start(t, listen(t))
	p.do(func(h runtime.Host) {
		h.Do(core.Effect{Kind: core.EffectResolve, Token: 1, Name: "127.0.0.1:7946"})
		h.Do(core.Effect{Kind: core.EffectResolve, Token: 2, Name: "no port"})
	})
	for range 2 {
		in := p.expect(core.InputResolved, nil)
		if in.Token == 1 {
			require.Equal(t, core.FaultNone, in.Fault)
			require.Equal(t, []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:7946")}, in.Addrs)
		} else {
			require.Equal(t, core.Token(2), in.Token)
			require.NotEqual(t, core.FaultNone, in.Fault)
		}
	}
}
