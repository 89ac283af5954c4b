package native_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	goruntime "runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/hosts/native"
	"github.com/nekton-go/nekton/resolver"
	"github.com/nekton-go/nekton/runtime"
)

// until waits for a condition that other goroutines bring about.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	ctx, poll := within(t), time.NewTicker(time.Millisecond)
	defer poll.Stop()
	for !done() {
		select {
		case <-poll.C:
		case <-ctx.Done():
			require.FailNow(t, "waited in vain", what)
		}
	}
}

// next calls Wait until an input of that kind comes.
func next(t *testing.T, h *native.Host, kind core.InputKind) (in core.Input) {
	t.Helper()
	for ctx := within(t); ; {
		require.NoError(t, h.Wait(ctx, core.Never, &in))
		if in.Kind == kind {
			return in
		}
	}
}

func shout(t *testing.T, to netip.AddrPort, datagrams ...[]byte) {
	t.Helper()
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
	require.NoError(t, err)
	defer conn.Close()
	for _, d := range datagrams {
		_, err := conn.Write(d)
		require.NoError(t, err)
	}
}

// TestQueueIsBounded: datagrams over the bound are dropped and counted, what waited carries the time it
// came, and links are not affected.
func TestQueueIsBounded(t *testing.T) {
	h := listen(t, native.Config{Bind: "127.0.0.1:0", QueueMax: 10 << 10})
	next(t, h, core.InputWake)
	datagram := make([]byte, 1000)
	until(t, "drops", func() bool {
		shout(t, h.Addr(), datagram, datagram, datagram, datagram)
		return h.Stats().DatagramsDropped > 10
	})
	waited := h.Stats().DatagramsIn
	require.LessOrEqual(t, waited, uint64(10))
	before := h.Now()
	for range waited {
		in := next(t, h, core.InputDatagram)
		require.Less(t, in.At, before, "when it came, not when it was taken")
		require.Positive(t, in.At)
	}
	shout(t, h.Addr(), []byte("room again"))
	until(t, "room", func() bool { return string(next(t, h, core.InputDatagram).Data) == "room again" })
}

func TestPostsAreBounded(t *testing.T) {
	h := listen(t, native.Config{Bind: "127.0.0.1:0", PostsMax: 3})
	for range 3 {
		require.NoError(t, h.Post(core.Input{Kind: core.InputWake}))
	}
	require.ErrorIs(t, h.Post(core.Input{Kind: core.InputWake}), core.FaultBusy)
}

func TestAllowList(t *testing.T) {
	allow := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	h := listen(t, native.Config{Bind: "127.0.0.1:0", Allow: allow})
	until(t, "foreign datagrams", func() bool {
		shout(t, h.Addr(), []byte("hello"))
		return h.Stats().DatagramsForeign > 0
	})
	conn, err := net.Dial("tcp", h.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	requireEnds(t, conn)
	require.EqualValues(t, 1, h.Stats().ConnsForeign)
	require.Zero(t, h.Stats().DatagramsIn)

	open := listen(t, native.Config{Bind: "127.0.0.1:0", Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	until(t, "a friend's datagram", func() bool {
		shout(t, open.Addr(), []byte("hello"))
		return open.Stats().DatagramsIn > 0
	})
}

// requireEnds waits until the other side ends conn.
func requireEnds(t *testing.T, conn net.Conn) {
	t.Helper()
	require.NoError(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	_, err := io.Copy(io.Discard, conn)
	var timeout net.Error
	require.False(t, errors.As(err, &timeout) && timeout.Timeout(), "the connection was not ended")
}

func TestAcceptIsBounded(t *testing.T) {
	h := listen(t, native.Config{Bind: "127.0.0.1:0", AcceptMax: 2})
	var kept []net.Conn
	for range 2 {
		conn, err := net.Dial("tcp", h.Addr().String())
		require.NoError(t, err)
		defer conn.Close()
		_, err = conn.Write([]byte("L"))
		require.NoError(t, err)
		kept = append(kept, conn)
	}
	until(t, "both links", func() bool { return h.Stats().LinksIn == 2 })
	over, err := net.Dial("tcp", h.Addr().String())
	require.NoError(t, err)
	defer over.Close()
	requireEnds(t, over)
	require.EqualValues(t, 1, h.Stats().ConnsRefused)
	kept[0].Close()
	until(t, "a place", func() bool {
		conn, err := net.Dial("tcp", h.Addr().String())
		require.NoError(t, err)
		defer conn.Close()
		_, _ = conn.Write([]byte("L"))
		next(t, h, core.InputUp)
		return h.Stats().LinksIn >= 3
	})
}

// TestStrangeConnections: whatever they send, or do not, they are ended and counted.
func TestStrangeConnections(t *testing.T) {
	for name, c := range map[string]native.Config{
		"plain": {Bind: "127.0.0.1:0", DialTimeout: 200 * time.Millisecond},
		"TLS":   {Bind: "127.0.0.1:0", DialTimeout: 200 * time.Millisecond, TLS: mutualTLS(t)},
	} {
		t.Run(name, func(t *testing.T) {
			h := listen(t, c)
			for i, first := range []string{"", "GET / HTTP/1.1\r\n\r\n", "\x00", "\xff\xff\xff\xff"} {
				conn, err := net.Dial("tcp", h.Addr().String())
				require.NoError(t, err)
				_, err = io.WriteString(conn, first)
				require.NoError(t, err)
				requireEnds(t, conn)
				conn.Close()
				until(t, "the count", func() bool { return h.Stats().ConnsBad == uint64(i+1) })
			}
		})
	}
}

// TestTLSRefusesStrangers: a certificate of another authority, and none.
func TestTLSRefusesStrangers(t *testing.T) {
	ours, theirs := mutualTLS(t), mutualTLS(t)
	theirs.InsecureSkipVerify = true // the stranger does not care whom it talks to
	none := &tls.Config{InsecureSkipVerify: true}
	h := listen(t, native.Config{Bind: "127.0.0.1:0", TLS: ours})
	for i, c := range []*tls.Config{theirs, none} {
		conn, err := tls.Dial("tcp", h.Addr().String(), c)
		if err == nil {
			_, _ = conn.Write([]byte("L"))
			requireEnds(t, conn)
			conn.Close()
		}
		until(t, "the count", func() bool { return h.Stats().ConnsBad == uint64(i+1) })
	}
	require.Zero(t, h.Stats().LinksIn)
}

// TestDatagramConnectionsAreBounded: the one unused for longest makes room.
func TestDatagramConnectionsAreBounded(t *testing.T) {
	h := listen(t, native.Config{Bind: "127.0.0.1:0", TCPOnly: true, PeersMax: 2})
	var conns []net.Conn
	for range 3 {
		conn, err := net.Dial("tcp", h.Addr().String())
		require.NoError(t, err)
		defer conn.Close()
		_, err = conn.Write([]byte("D\x00\x02hi"))
		require.NoError(t, err)
		require.Equal(t, "hi", string(next(t, h, core.InputDatagram).Data))
		conns = append(conns, conn)
	}
	requireEnds(t, conns[0])
	in := core.Effect{Kind: core.EffectSend, Data: []byte("yo"), To: conns[2].LocalAddr().(*net.TCPAddr).AddrPort()}
	h.Do(in)
	answer := make([]byte, 4)
	_, err := io.ReadFull(conns[2], answer)
	require.NoError(t, err)
	require.Equal(t, "\x00\x02yo", string(answer))
}

func TestIdleDatagramConnectionsClose(t *testing.T) {
	h := listen(t, native.Config{Bind: "127.0.0.1:0", TCPOnly: true, IdleTimeout: 50 * time.Millisecond})
	conn, err := net.Dial("tcp", h.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	_, err = conn.Write([]byte("D\x00\x02hi"))
	require.NoError(t, err)
	next(t, h, core.InputDatagram)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { // ends by cancel
		var in core.Input
		for {
			if err := h.Wait(ctx, core.Never, &in); err != nil {
				ended <- err
				return
			}
		}
	}()
	requireEnds(t, conn)
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
}

// TestNobodyAnswersADial: InputDown comes in time, and says whether anybody was there.
func TestNobodyAnswersADial(t *testing.T) {
	stranger := listen(t, native.Config{Bind: "127.0.0.1:0", TLS: mutualTLS(t)})
	h := listen(t, native.Config{Bind: "127.0.0.1:0", TLS: mutualTLS(t), DialTimeout: 50 * time.Millisecond})
	silent, err := net.Listen("tcp", "127.0.0.1:0") // accepts, but never speaks TLS
	require.NoError(t, err)
	defer silent.Close()
	for to, want := range map[netip.AddrPort]core.Fault{
		netip.MustParseAddrPort(silent.Addr().String()): core.FaultTimeout,
		stranger.Addr(): core.FaultRefused, // its certificate is another authority's
	} {
		h.Do(core.Effect{Kind: core.EffectDial, Link: 1, To: to})
		in := next(t, h, core.InputDown)
		require.Equal(t, core.Link(1), in.Link)
		require.Equal(t, want, in.Fault)
	}
}

// TestHostileDatagrams: a million of them, of all shapes, are counted and cost no memory, and the node
// they were sent to still works.
func TestHostileDatagrams(t *testing.T) {
	total := 1_000_000
	if testing.Short() {
		total = 50_000
	}
	c := fast("a")
	c.Label, c.Keys = "test", [][]byte{bytes.Repeat([]byte{7}, 32)}
	a := node(t, c)
	c.Swim.Name = "b"
	b := node(t, c)
	join(t, b, a)

	var before, after goruntime.MemStats
	goruntime.GC()
	goruntime.ReadMemStats(&before)
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(a.Self().Addr))
	require.NoError(t, err)
	defer conn.Close()
	random, buf := rand.New(rand.NewPCG(1, 2)), make([]byte, 9000)
	for i := range total {
		size := random.IntN(200)
		if i%1000 == 0 {
			size = len(buf)
		}
		for j := range min(size, 40) {
			buf[j] = byte(random.Uint32())
		}
		if i%3 == 0 {
			buf[0] = byte(i / 3 % 4)
		}
		_, err := conn.Write(buf[:size])
		require.NoError(t, err)
	}
	goruntime.GC()
	goruntime.ReadMemStats(&after)
	require.Less(t, int64(after.HeapAlloc)-int64(before.HeapAlloc), int64(16<<20))

	counts, err := a.Counts(within(t))
	require.NoError(t, err)
	refused := counts["seal_bad"] + counts["seal_bad_label"] + counts["seal_malformed"] + counts["datagrams_dropped"]
	require.Greater(t, refused, uint64(total/10), "%v", counts)
	awaitState(t, a, swim.Alive, "b")
	_, err = a.Ping(within(t), "b")
	require.NoError(t, err)
}

// TestKeysRotateUnderTraffic: no member is lost at any step.
func TestKeysRotateUnderTraffic(t *testing.T) {
	keys := [][]byte{bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 16)}
	var nodes []*runtime.Cluster
	for _, name := range []string{"a", "b", "c"} {
		c := fast(name)
		c.Label, c.Keys = "test", keys[:1]
		n := node(t, c)
		if len(nodes) > 0 {
			join(t, n, nodes[0])
		}
		nodes = append(nodes, n)
	}
	for _, n := range nodes {
		awaitState(t, n, swim.Alive, "a", "b", "c")
	}
	subs := []*runtime.Subscription{nodes[0].Subscribe(), nodes[1].Subscribe(), nodes[2].Subscribe()}
	for _, step := range []func(*runtime.Cluster) error{
		func(n *runtime.Cluster) error { return n.InstallKey(within(t), keys[1]) },
		func(n *runtime.Cluster) error { return n.UseKey(within(t), keys[1]) },
		func(n *runtime.Cluster) error { return n.RemoveKey(within(t), keys[0]) },
	} {
		for i, n := range nodes {
			require.NoError(t, step(n))
			for j := range nodes {
				if i != j {
					_, err := n.Ping(within(t), nodes[j].Self().Name)
					require.NoError(t, err)
				}
			}
		}
	}
	listed, err := nodes[0].Keys(within(t))
	require.NoError(t, err)
	require.Len(t, listed.All, 1)
	require.ErrorIs(t, nodes[0].RemoveKey(within(t), keys[1]), core.FaultRefused)
	for i, sub := range subs {
		sub.Close()
		for _, m := range nodes[i].Members() {
			require.Equal(t, swim.Alive, m.State, "%s of %s", m.Name, nodes[i].Self().Name)
		}
	}
}

// TestStrangersStayOut: another key, another label and no seal at all are told nothing.
func TestStrangersStayOut(t *testing.T) {
	c := fast("a")
	c.Label, c.Keys = "test", [][]byte{bytes.Repeat([]byte{1}, 32)}
	a := node(t, c)
	for name, change := range map[string]func(*native.NodeConfig){
		"key":   func(c *native.NodeConfig) { c.Keys = [][]byte{bytes.Repeat([]byte{2}, 32)} },
		"label": func(c *native.NodeConfig) { c.Label = "other" },
		"plain": func(c *native.NodeConfig) { c.Label, c.Keys = "", nil },
	} {
		stranger := c
		change(&stranger)
		stranger.Swim.Name = name
		n := node(t, stranger)
		_, err := n.Join(within(t), a.Self().Addr.String())
		require.Error(t, err, name)
	}
	require.Len(t, a.Members(), 1)
	counts, err := a.Counts(within(t))
	require.NoError(t, err)
	require.Positive(t, counts["seal_bad"]+counts["seal_bad_label"]+counts["seal_malformed"])
}

// moving is a name whose address changes behind a cache.
type moving struct{ addrs chan netip.AddrPort }

func (m moving) Lookup(context.Context, string) ([]netip.AddrPort, error) {
	return []netip.AddrPort{<-m.addrs}, nil
}

// TestFailedAddressesAreLookedUpAgain: a seed that moved is found by its name, though its old address was
// remembered for an hour.
func TestFailedAddressesAreLookedUpAgain(t *testing.T) {
	name := moving{make(chan netip.AddrPort, 2)}
	seed := node(t, fast("seed"))
	name.addrs <- netip.MustParseAddrPort("127.0.0.1:1")
	name.addrs <- seed.Self().Addr
	c := fast("a")
	c.Host.Resolver = resolver.NewCached(name, resolver.CacheConfig{TTL: time.Hour})
	a := node(t, c)
	_, err := a.Join(within(t), "seed.example:7946")
	require.Error(t, err)
	reached, err := a.Join(within(t), "seed.example:7946")
	require.NoError(t, err)
	require.Equal(t, 1, reached)
}

// TestCloseDoesNotWaitForever: a peer that takes nothing and never hangs up is cut off.
func TestCloseDoesNotWaitForever(t *testing.T) {
	h := listen(t, native.Config{Bind: "127.0.0.1:0", CloseTimeout: 50 * time.Millisecond})
	conn, err := net.Dial("tcp", h.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	_, err = conn.Write([]byte("L"))
	require.NoError(t, err)
	l := next(t, h, core.InputUp).Link
	h.Do(core.Effect{Kind: core.EffectWrite, Link: l, Data: make([]byte, 64<<20)})
	ended := make(chan error, 1)
	go func() { ended <- h.Close() }() // ends with the host
	select {
	case err := <-ended:
		require.NoError(t, err)
	case <-within(t).Done():
		require.FailNow(t, "Close hangs")
	}
}
