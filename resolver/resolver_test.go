package resolver_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/resolver"
)

func addrs(all ...string) (list []netip.AddrPort) {
	for _, a := range all {
		list = append(list, netip.MustParseAddrPort(a))
	}
	return list
}

func TestLiterals(t *testing.T) {
	for _, r := range []resolver.Resolver{resolver.DNS{Net: deaf}, resolver.Static{}} {
		for name, want := range map[string]string{
			"10.0.0.1:7946":          "10.0.0.1:7946",
			"[2001:db8::1]:1":        "[2001:db8::1]:1",
			"[::ffff:10.0.0.1]:7946": "10.0.0.1:7946",
		} {
			got, err := r.Lookup(t.Context(), name)
			require.NoError(t, err)
			require.Equal(t, addrs(want), got)
		}
		for _, name := range []string{"10.0.0.1:0", "0.0.0.0:7946", "[::]:1"} {
			_, err := r.Lookup(t.Context(), name)
			require.ErrorContains(t, err, "can be reached")
		}
	}
	for _, name := range []string{"", "host", "host:", ":7946", "host:0", "host:65536", "host:http", "a:b:c"} {
		_, err := resolver.DNS{Net: deaf}.Lookup(t.Context(), name)
		require.ErrorContains(t, err, "want", "%q", name)
	}
}

// deaf fails the test's lookup if the network is asked.
var deaf = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
	return nil, errors.New("nobody should have been asked")
}}

func TestDNS(t *testing.T) {
	r := resolver.DNS{Net: serve(t, zone{
		a:    map[string][]string{"both.example.": {"10.0.0.1", "10.0.0.2"}, "one.example.": {"10.0.0.3"}},
		aaaa: map[string][]string{"both.example.": {"2001:db8::1"}},
		srv: map[string][]target{
			"_nekton._udp.example.com.": {{2, "one.example.", 7003}, {1, "both.example.", 7001}, {3, "gone.example.", 1}},
			"_dead._udp.example.com.":   {{1, "gone.example.", 1}},
		},
	})}
	for name, want := range map[string][]netip.AddrPort{
		"both.example:7946":         addrs("10.0.0.1:7946", "10.0.0.2:7946", "[2001:db8::1]:7946"),
		"one.example.:1":            addrs("10.0.0.3:1"),
		"_nekton._udp.example.com.": addrs("10.0.0.1:7001", "10.0.0.2:7001", "[2001:db8::1]:7001", "10.0.0.3:7003"),
	} {
		got, err := r.Lookup(within(t), name)
		require.NoError(t, err)
		require.ElementsMatch(t, want, got)
		require.Equal(t, want[len(want)-1], got[len(got)-1], "IPv4 first, SRV records by priority")
	}
	for _, name := range []string{"gone.example:1", "_dead._udp.example.com.", "_none._udp.example.com."} {
		_, err := r.Lookup(within(t), name)
		var dns *net.DNSError
		require.ErrorAs(t, err, &dns, name)
		require.True(t, dns.IsNotFound, name)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := r.Lookup(ctx, "both.example:1")
	require.Error(t, err)
}

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestStatic(t *testing.T) {
	s := resolver.Static{"seed:1": addrs("10.0.0.1:1", "10.0.0.2:1")}
	got, err := s.Lookup(t.Context(), "seed:1")
	require.NoError(t, err)
	require.Equal(t, addrs("10.0.0.1:1", "10.0.0.2:1"), got)
	got[0] = netip.AddrPort{}
	require.True(t, s["seed:1"][0].IsValid(), "answers are copies")
	_, err = s.Lookup(t.Context(), "other:1")
	require.ErrorContains(t, err, "other:1")
}

func TestChain(t *testing.T) {
	c := resolver.Chain{
		resolver.Static{"a:1": addrs("10.0.0.1:1")},
		resolver.Static{"a:1": addrs("10.0.0.2:1"), "b:1": addrs("10.0.0.3:1")},
	}
	for name, want := range map[string]string{"a:1": "10.0.0.1:1", "b:1": "10.0.0.3:1"} {
		got, err := c.Lookup(t.Context(), name)
		require.NoError(t, err)
		require.Equal(t, addrs(want), got)
	}
	_, err := c.Lookup(t.Context(), "c:1")
	require.ErrorContains(t, err, "1 names known")
	require.ErrorContains(t, err, "2 names known", "every resolver's reason")
	_, err = resolver.Chain{}.Lookup(t.Context(), "c:1")
	require.Error(t, err)
}

// script answers lookups one after the other, and counts them.
type script struct {
	asked   int
	answers []any // []netip.AddrPort or error; the last one repeats
}

func (s *script) Lookup(ctx context.Context, _ string) ([]netip.AddrPort, error) {
	a := s.answers[min(s.asked, len(s.answers)-1)]
	s.asked++
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err, ok := a.(error); ok {
		return nil, err
	}
	return a.([]netip.AddrPort), nil
}

func TestCached(t *testing.T) {
	first, second, broken := addrs("10.0.0.1:1"), addrs("10.0.0.2:1"), errors.New("broken")
	inner := &script{answers: []any{first, broken, second}}
	now := time.Unix(1000, 0)
	c := resolver.NewCached(inner, resolver.CacheConfig{
		TTL: 30 * time.Second, FailureTTL: time.Second, Clock: func() time.Time { return now },
	})
	for _, step := range []struct {
		pass  time.Duration
		want  []netip.AddrPort
		asked int
	}{
		{0, first, 1},
		{29 * time.Second, first, 1},
		{time.Second, nil, 2},        // expired; the failure takes its place
		{time.Second / 2, nil, 2},    // and is remembered, for a moment
		{time.Second / 2, second, 3}, // then asked again
		{0, second, 3},
	} {
		now = now.Add(step.pass)
		got, err := c.Lookup(t.Context(), "a:1")
		require.Equal(t, step.want, got)
		require.Equal(t, step.want == nil, errors.Is(err, broken))
		require.Equal(t, step.asked, inner.asked)
	}
	c.Failed(netip.MustParseAddrPort("10.9.9.9:1")) // somebody else's
	_, _ = c.Lookup(t.Context(), "a:1")
	require.Equal(t, 3, inner.asked)
	c.Failed(second[0])
	_, _ = c.Lookup(t.Context(), "a:1")
	require.Equal(t, 4, inner.asked)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := c.Lookup(ctx, "b:1")
	require.ErrorIs(t, err, context.Canceled)
	_, err = c.Lookup(t.Context(), "b:1")
	require.NoError(t, err, "a context that ended says nothing about the name")
}

func TestCacheIsBounded(t *testing.T) {
	inner := &script{answers: []any{addrs("10.0.0.1:1")}}
	now := time.Unix(1000, 0)
	c := resolver.NewCached(inner, resolver.CacheConfig{EntriesMax: 2, Clock: func() time.Time { return now }})
	for _, name := range []string{"a:1", "b:1", "c:1"} {
		now = now.Add(time.Second)
		_, err := c.Lookup(t.Context(), name)
		require.NoError(t, err)
	}
	for name, asked := range map[string]int{"b:1": 3, "c:1": 3} {
		_, err := c.Lookup(t.Context(), name)
		require.NoError(t, err)
		require.Equal(t, asked, inner.asked, name)
	}
	_, err := c.Lookup(t.Context(), "a:1")
	require.NoError(t, err)
	require.Equal(t, 4, inner.asked, "the oldest made room")
}
