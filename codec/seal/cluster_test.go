package seal_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/codec/cbor"
	"github.com/nekton-go/nekton/codec/seal"
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/stack"
	"github.com/nekton-go/nekton/core/swim"
)

// A cluster is real members, sealed, on a network without latency or loss, in virtual time.
type cluster struct {
	t       *testing.T
	now     core.Instant
	nodes   []*seal.Node
	events  [][]core.Event
	waiting []delivery
	ends    map[linkEnd]linkEnd
	links   uint64
}

type delivery struct {
	to int
	in core.Input
}

type linkEnd struct {
	node int
	link core.Link
}

func address(i int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), 7946)
}

func newCluster(t *testing.T, size int, change func(i int, c *seal.Config)) *cluster {
	c := &cluster{t: t, now: 1, ends: map[linkEnd]linkEnd{}, events: make([][]core.Event, size)}
	for i := range size {
		sealing := seal.Config{Label: "reef", Keys: [][]byte{key16}, Session: session(byte(i + 1))}
		change(i, &sealing)
		member := swim.LAN()
		member.Name, member.Addr = fmt.Sprint("member-", i), address(i)
		member.Seeds = []string{address(0).String()}
		inner, err := stack.New(stack.Config{
			Seed: [32]byte{byte(i)}, Swim: member, Dialect: cbor.New(cbor.Config{}),
			MTU: 1400 - seal.Overhead(sealing), Check: true,
		})
		require.NoError(t, err)
		n, err := seal.New(inner, sealing)
		require.NoError(t, err)
		c.nodes = append(c.nodes, n)
		c.waiting = append(c.waiting, delivery{i, core.Input{Kind: core.InputWake}})
	}
	return c
}

// run lets the cluster live for a while.
func (c *cluster) run(d time.Duration) {
	for end := c.now.Add(d); ; {
		for len(c.waiting) > 0 {
			next := c.waiting[0]
			c.waiting = c.waiting[1:]
			c.step(next.to, next.in)
		}
		first := 0
		for i := range c.nodes {
			if c.nodes[i].Deadline() < c.nodes[first].Deadline() {
				first = i
			}
		}
		if c.nodes[first].Deadline() > end {
			c.now = end
			return
		}
		c.now = max(c.now, c.nodes[first].Deadline())
		c.step(first, core.Input{Kind: core.InputWake})
	}
}

func (c *cluster) step(i int, in core.Input) {
	c.nodes[i].Step(c.now, in)
	for e, ok := c.nodes[i].Next(); ok; e, ok = c.nodes[i].Next() {
		c.perform(i, e)
	}
}

func (c *cluster) later(to int, in core.Input) { c.waiting = append(c.waiting, delivery{to, in}) }

// perform is what a host does with an effect.
func (c *cluster) perform(i int, e core.Effect) {
	self := linkEnd{i, e.Link}
	other := c.ends[self]
	data := bytes.Clone(e.Data)
	switch e.Kind {
	case core.EffectSend:
		c.later(int(e.To.Addr().As4()[3]), core.Input{Kind: core.InputDatagram, From: address(i), Data: data})
	case core.EffectDial:
		c.links++
		other = linkEnd{int(e.To.Addr().As4()[3]), core.Accepted(c.links)}
		c.ends[self], c.ends[other] = other, self
		c.later(i, core.Input{Kind: core.InputUp, Link: e.Link})
		c.later(other.node, core.Input{Kind: core.InputUp, Link: other.link, From: address(i)})
	case core.EffectWrite:
		c.later(i, core.Input{Kind: core.InputFlushed, Link: e.Link, Size: len(data)})
		c.later(other.node, core.Input{Kind: core.InputRead, Link: other.link, Data: data})
	case core.EffectClose:
		c.later(other.node, core.Input{Kind: core.InputDown, Link: other.link, Fault: core.FaultClosed})
	case core.EffectResolve:
		c.later(i, core.Input{
			Kind: core.InputResolved, Token: e.Token, Addrs: []netip.AddrPort{netip.MustParseAddrPort(e.Name)},
		})
	case core.EffectAppend, core.EffectCompact:
		c.later(i, core.Input{Kind: core.InputStored, Token: e.Token})
	case core.EffectEmit:
		c.events[i] = append(c.events[i], e.Event)
	}
}

// members counts whom node i believes alive.
func (c *cluster) members(i int) int {
	c.events[i] = nil
	c.step(i, core.Input{Kind: core.InputCommand, Command: swim.Inspect{ID: 1}})
	return c.events[i][0].(*swim.Info).Members
}

// TestClusterRotatesKeys replaces the key of living members one by one: nobody suspects anybody.
func TestClusterRotatesKeys(t *testing.T) {
	c := newCluster(t, 5, func(int, *seal.Config) {})
	c.run(time.Minute)
	for i := range c.nodes {
		require.Equal(t, 5, c.members(i))
	}
	for _, command := range []core.Command{
		seal.Install{ID: 1, Key: key32}, seal.Use{ID: 2, Key: key32}, seal.Remove{ID: 3, Key: key16},
	} {
		for i := range c.nodes {
			c.later(i, core.Input{Kind: core.InputCommand, Command: command})
			c.run(20 * time.Second)
		}
	}
	c.run(2 * time.Minute)
	for i, n := range c.nodes {
		require.Equal(t, 5, c.members(i))
		for _, event := range c.events[i] {
			_, suspected := event.(*swim.Suspected)
			require.False(t, suspected, "node %d", i)
		}
		s := n.Stats()
		require.Positive(t, s.Opened)
		require.Equal(t, seal.Stats{Opened: s.Opened, Sealed: s.Sealed}, s, "node %d", i)
	}
}

// TestStrangersStayOut starts members with another key or label beside a cluster: they stay alone.
func TestStrangersStayOut(t *testing.T) {
	c := newCluster(t, 4, func(i int, c *seal.Config) {
		switch i {
		case 2:
			c.Keys = [][]byte{key32}
		case 3:
			c.Label = "kelp"
		}
	})
	c.run(2 * time.Minute)
	for i, want := range []int{2, 2, 1, 1} {
		require.Equal(t, want, c.members(i), "member %d", i)
	}
	s := c.nodes[0].Stats()
	require.Positive(t, s.LinksRefused)
	require.Positive(t, s.BadSeal)
	require.Positive(t, s.BadLabel)
}
