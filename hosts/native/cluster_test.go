package native_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/hosts/native"
	"github.com/nekton-go/nekton/runtime"
)

// fast is a preset for tests: failures are found within two seconds.
func fast(name string) native.NodeConfig {
	c := native.NodeConfig{Swim: swim.Local()}
	c.Swim.Name = name
	c.Swim.ProbeInterval, c.Swim.ProbeTimeout = 200*time.Millisecond, 80*time.Millisecond
	c.Swim.RetransmitMult = 4
	c.Swim.GossipInterval, c.Swim.SuspicionMult, c.Swim.SuspicionScale = 20*time.Millisecond, 2, 2
	c.Host.Bind = "127.0.0.1:0"
	c.Host.Logger = slog.New(slog.DiscardHandler)
	return c
}

func node(t *testing.T, c native.NodeConfig) *runtime.Cluster {
	t.Helper()
	n, err := native.Start(within(t), c)
	require.NoError(t, err)
	t.Cleanup(func() { n.Close() })
	return n
}

// within is a context for one thing that should happen soon.
func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func join(t *testing.T, n, seed *runtime.Cluster) {
	t.Helper()
	reached, err := n.Join(within(t), seed.Self().Addr.String())
	require.NoError(t, err)
	require.Equal(t, 1, reached)
}

// await watches n until something it is shown satisfies done.
func await(t *testing.T, n *runtime.Cluster, what string, done func(d runtime.Delta) bool) {
	t.Helper()
	sub := n.Subscribe()
	defer sub.Close()
	for d, err := range sub.Deltas(within(t)) {
		require.NoError(t, err, "%s waits for %s; it knows %v", n.Self().Name, what, states(n))
		if done(d) {
			return
		}
	}
}

// awaitState waits until n knows each of names in the given state.
func awaitState(t *testing.T, n *runtime.Cluster, want swim.State, names ...string) {
	t.Helper()
	await(t, n, fmt.Sprintf("%v to be %v", names, want), func(runtime.Delta) bool {
		return !slices.ContainsFunc(names, func(name string) bool {
			m, ok := n.Member(name)
			return !ok || m.State != want
		})
	})
}

func states(n *runtime.Cluster) (all []string) {
	for _, m := range n.Members() {
		all = append(all, fmt.Sprintf("%s@%d %v", m.Name, m.Incarnation, m.State))
	}
	return all
}

// modes are the ways in which nodes can talk.
func modes(t *testing.T) map[string]func(*native.NodeConfig) {
	certified := mutualTLS(t)
	return map[string]func(*native.NodeConfig){
		"UDP":     func(*native.NodeConfig) {},
		"TCPOnly": func(c *native.NodeConfig) { c.Host.TCPOnly = true },
		"TLS":     func(c *native.NodeConfig) { c.Host.TLS = certified },
		"TLSOnly": func(c *native.NodeConfig) { c.Host.TLS, c.Host.TCPOnly = certified, true },
	}
}

func TestFiveNodesLive(t *testing.T) {
	for name, set := range modes(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var names []string
			var nodes []*runtime.Cluster
			for i := range 5 {
				c := fast(fmt.Sprintf("n%d", i))
				set(&c)
				n := node(t, c)
				if i > 0 {
					join(t, n, nodes[0])
				}
				names, nodes = append(names, c.Swim.Name), append(nodes, n)
			}
			for _, n := range nodes {
				awaitState(t, n, swim.Alive, names...)
			}
			talk(t, nodes[1], nodes[3])

			require.NoError(t, nodes[4].Leave(within(t)))
			require.NoError(t, nodes[4].Close())
			for _, n := range nodes[:4] {
				awaitState(t, n, swim.Left, "n4")
			}
			require.NoError(t, nodes[3].Close()) // without a word
			for _, n := range nodes[:3] {
				awaitState(t, n, swim.Dead, "n3")
			}
		})
	}
}

// talk exercises what one member can ask of another.
func talk(t *testing.T, a, b *runtime.Cluster) {
	t.Helper()
	sub := b.Subscribe()
	defer sub.Close()
	name := b.Self().Name
	rtt, err := a.Ping(within(t), name)
	require.NoError(t, err)
	require.Positive(t, rtt)
	for _, size := range []int{5, 100_000} {
		require.NoError(t, a.Send(within(t), name, make([]byte, size), true))
		for d, err := range sub.Deltas(within(t)) {
			require.NoError(t, err)
			if e, ok := d.Event.(*swim.UserReceived); ok {
				require.Len(t, e.Data, size)
				break
			}
		}
	}
	require.NoError(t, a.Send(within(t), name, []byte("a datagram"), false))
	require.ErrorIs(t, a.Send(within(t), "nobody", nil, true), core.FaultNotFound)
	_, err = a.Ping(within(t), "nobody")
	require.ErrorIs(t, err, core.FaultNotFound)

	require.NoError(t, a.SetMeta(within(t), []byte("new")))
	await(t, b, "new metadata", func(runtime.Delta) bool {
		m, _ := b.Member(a.Self().Name)
		return string(m.Meta) == "new"
	})
	require.Equal(t, "new", string(a.Self().Meta))
	info, err := a.Info(within(t))
	require.NoError(t, err)
	require.Equal(t, a.Self().Name, info.Name)
}

func TestNamesConflict(t *testing.T) {
	a, b := node(t, fast("a")), node(t, fast("b"))
	join(t, b, a)
	awaitState(t, a, swim.Alive, "b")
	sub := a.Subscribe()
	defer sub.Close()
	impostor := node(t, fast("b"))
	_, _ = impostor.Join(within(t), a.Self().Addr.String()) // it may be told that its name is taken
	for d, err := range sub.Deltas(within(t)) {
		require.NoError(t, err)
		if e, ok := d.Event.(*swim.Conflict); ok {
			require.Equal(t, b.Self().Addr, e.Existing)
			require.Equal(t, impostor.Self().Addr, e.Other)
			break
		}
	}
	m, _ := a.Member("b")
	require.Equal(t, b.Self().Addr, m.Addr)
}

func TestJournalKeepsIncarnationGrowing(t *testing.T) {
	c := fast("a")
	c.Host.Journal = t.TempDir()
	last := uint32(0)
	for range 4 {
		n, err := native.Start(within(t), c)
		require.NoError(t, err)
		require.Greater(t, n.Self().Incarnation, last)
		last = n.Self().Incarnation
		require.NoError(t, n.Close())
	}
}

func TestJoinFails(t *testing.T) {
	a := node(t, fast("a"))
	reached, err := a.Join(within(t), "127.0.0.1:1")
	require.Zero(t, reached)
	var failed *runtime.CommandError
	require.ErrorAs(t, err, &failed)
	require.Contains(t, failed.Detail, "127.0.0.1:1")
}

func TestStartFails(t *testing.T) {
	a := node(t, fast("a"))
	for want, change := range map[string]func(*native.NodeConfig){
		"in use":           func(c *native.NodeConfig) { c.Host.Bind = a.Self().Addr.String() },
		"want ip:port":     func(c *native.NodeConfig) { c.Host.Bind = "nonsense" },
		"not an IP":        func(c *native.NodeConfig) { c.Host.Bind = "example.com:7946" },
		"not a number":     func(c *native.NodeConfig) { c.Host.Bind = "127.0.0.1:http" },
		"no interface has": func(c *native.NodeConfig) { c.Host.Bind = "192.0.2.1:0" },
		"no certificate":   func(c *native.NodeConfig) { c.Host.TLS = mutualTLS(t).Clone(); c.Host.TLS.Certificates = nil },
		"ame":              func(c *native.NodeConfig) { c.Swim.Name = "" },
		"QueueMax":         func(c *native.NodeConfig) { c.Host.QueueMax = -1 },
	} {
		c := fast("b")
		change(&c)
		_, err := native.Start(within(t), c)
		require.ErrorContains(t, err, want)
	}
}

// TestReturnFromTheDead: a member that crashed comes back under its name, at another port, and is believed
// at once, as its journal says what incarnation it had.
func TestReturnFromTheDead(t *testing.T) {
	a, c := node(t, fast("a")), fast("b")
	c.Host.Journal = t.TempDir()
	b := node(t, c)
	join(t, b, a)
	awaitState(t, a, swim.Alive, "b")
	was := b.Self()
	require.NoError(t, b.Close())
	awaitState(t, a, swim.Dead, "b")
	b = node(t, c)
	join(t, b, a)
	awaitState(t, a, swim.Alive, "b")
	require.ErrorIs(t, a.Forget(within(t), "b"), core.FaultRefused)
	now, _ := a.Member("b")
	require.Greater(t, now.Incarnation, was.Incarnation)
	require.Equal(t, b.Self().Addr, now.Addr)

	require.NoError(t, b.Close())
	awaitState(t, a, swim.Dead, "b")
	require.NoError(t, a.Forget(within(t), "b"))
	require.Len(t, a.Members(), 1)
}

func TestUserState(t *testing.T) {
	a, b := node(t, fast("a")), node(t, fast("b"))
	sub := a.Subscribe()
	defer sub.Close()
	require.NoError(t, b.SetUserState(within(t), []byte("state")))
	join(t, b, a)
	for d, err := range sub.Deltas(within(t)) {
		require.NoError(t, err)
		if e, ok := d.Event.(*swim.UserStateReceived); ok {
			require.Equal(t, "state", string(e.Data))
			require.True(t, e.Join)
			return
		}
	}
}
