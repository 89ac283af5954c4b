package native

import (
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/core"
)

func TestAdvertise(t *testing.T) {
	for _, c := range []struct{ want, bound, got string }{
		{"", "10.0.0.1:7946", "10.0.0.1:7946"},
		{"192.0.2.1:0", "10.0.0.1:7946", "192.0.2.1:7946"},
		{"[::ffff:192.0.2.1]:1", "[::]:7946", "192.0.2.1:1"},
	} {
		var want netip.AddrPort
		if c.want != "" {
			want = netip.MustParseAddrPort(c.want)
		}
		got, err := advertise(want, netip.MustParseAddrPort(c.bound))
		require.NoError(t, err)
		require.Equal(t, c.got, got.String())
	}
	_, err := advertise(netip.MustParseAddrPort("0.0.0.0:7946"), netip.MustParseAddrPort("10.0.0.1:7946"))
	require.ErrorContains(t, err, "unspecified")
}

func TestReachable(t *testing.T) {
	all := []string{"127.0.0.1/8", "::1/128", "fe80::1/64", "169.254.0.1/16", "2001:db8::1/64", "fd00::1/8",
		"198.51.100.7/24", "10.1.2.3/16", "192.168.0.1/24"}
	for _, c := range []struct {
		addrs []string
		only4 bool
		want  string
	}{
		{all, false, "10.1.2.3"},
		{all[:7], false, "198.51.100.7"},
		{all[:6], false, "fd00::1"},
		{all[:5], false, "2001:db8::1"},
		{all[:6], true, "invalid IP"},
		{all[:4], false, "invalid IP"},
	} {
		var addrs []net.Addr
		for _, a := range c.addrs {
			ip, network, err := net.ParseCIDR(a)
			require.NoError(t, err)
			addrs = append(addrs, &net.IPNet{IP: ip, Mask: network.Mask})
		}
		require.Equal(t, c.want, reachable(addrs, c.only4).String())
	}
}

func TestBindEveryInterface(t *testing.T) {
	for _, c := range []struct {
		bind string
		ips  []string
	}{
		{":0", []string{"127.0.0.1", "::1"}},
		{"[::]:0", []string{"127.0.0.1", "::1"}},
		{"0.0.0.0:0", []string{"127.0.0.1"}},
	} {
		addr, err := parseBind(c.bind)
		require.NoError(t, err)
		tcp, udp, err := bind(addr, false)
		require.NoError(t, err)
		port := localAddr(tcp.Addr()).Port()
		require.Equal(t, port, localAddr(udp.LocalAddr()).Port(), "one port")
		buf := make([]byte, 10)
		for _, ip := range c.ips {
			to := netip.AddrPortFrom(netip.MustParseAddr(ip), port)
			conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
			require.NoError(t, err)
			_, err = conn.Write([]byte("hi"))
			require.NoError(t, err)
			n, from, err := udp.ReadFromUDPAddrPort(buf)
			require.NoError(t, err)
			require.Equal(t, "hi", string(buf[:n]))
			require.Equal(t, ip, unmap(from).Addr().String(), "never IPv4 in IPv6's clothes")
			conn.Close()
		}
		tcp.Close()
		udp.Close()
	}
}

// TestWallClock: told at the start, every minute, and when it jumps.
func TestWallClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clock{start: time.Now()}
		wall, due := c.wall()
		require.True(t, due)
		require.Equal(t, time.Now().UnixNano(), wall.Wall)
		for range 59 {
			time.Sleep(time.Second)
			_, due = c.wall()
			require.False(t, due)
		}
		time.Sleep(time.Second)
		_, due = c.wall()
		require.True(t, due)

		for _, jump := range []time.Duration{time.Hour, -time.Hour, 2 * wallJump} {
			c.epoch -= int64(jump) // as if the wall clock had moved and the monotonic one had not
			now := c.now()
			wall, due = c.wall()
			require.True(t, due)
			require.Equal(t, time.Now().UnixNano(), wall.Wall)
			require.Equal(t, now, c.now(), "monotonic time does not jump")
			_, due = c.wall()
			require.False(t, due)
		}
	})
}

func TestInboxForgetsBursts(t *testing.T) {
	b := inbox{ready: make(chan struct{}, 1)}
	for range 100 {
		for b.datagram(netip.AddrPort{}, make([]byte, 1000), 1, 4<<20) {
		}
		for b.next() != nil {
		}
	}
	require.LessOrEqual(t, cap(b.filling.arena)+cap(b.serving.arena), 2*keepMax)
}

func TestInboxAllocatesNothing(t *testing.T) {
	b := inbox{ready: make(chan struct{}, 1)}
	data, from := make([]byte, 100), netip.MustParseAddrPort("10.0.0.1:1")
	cycle := func() {
		require.True(t, b.datagram(from, data, 1, 1<<20))
		for e := b.next(); e != nil; e = b.next() {
			if e.in.Kind != core.InputDatagram {
				t.Fatal("not a datagram")
			}
		}
	}
	require.Zero(t, testing.AllocsPerRun(1000, cycle))
}
