package bench

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/memberlist"
	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/sim"
)

// anomaly is a cell of the grid of nekton sim accept lifeguard: some members hear nothing for a while, again
// and again.
type anomaly struct {
	nodes      int
	members    int // of the nodes
	deaf, hear time.Duration
}

// harm is what came of it: members declared dead that nothing was the matter with, by anybody and by members
// that nothing was the matter with either, and datagrams sent.
type harm struct{ anywhere, atWell, sent int }

func (h *harm) add(other harm) {
	h.anywhere += other.anywhere
	h.atWell += other.atWell
	h.sent += other.sent
}

const (
	anomalyCalm = 30 * time.Second // before it starts
	anomalyTime = 2 * time.Minute
)

// TestLifeguard puts memberlist and ours through the same anomalies, in virtual time, each with Lifeguard off
// (as far as memberlist's configuration can) and on, by the LAN preset. The first two columns are ours.
func TestLifeguard(t *testing.T) {
	ms := time.Millisecond
	cells, seeds := []anomaly{
		{128, 4, 16384 * ms, 512 * ms}, {128, 16, 16384 * ms, 512 * ms}, {128, 16, 16384 * ms, 4096 * ms},
		{128, 4, 32768 * ms, 512 * ms}, {128, 16, 32768 * ms, 512 * ms},
	}, uint64(3)
	if testing.Short() {
		cells, seeds = []anomaly{{48, 6, 16384 * ms, 512 * ms}}, 1
	}
	t.Logf("%d seeds each, sums: wrongly dead (at well members), packets", seeds)
	t.Logf("%-22s %22s %22s %22s %22s", "members, deaf, hearing",
		"nekton off", "nekton on", "memberlist off", "memberlist on")
	for _, cell := range cells {
		var sums [4]harm
		for seed := uint64(1); seed <= seeds; seed++ {
			for i, lifeguard := range []bool{false, true} {
				sums[i].add(harmNekton(t, cell, lifeguard, seed))
				sums[2+i].add(harmMemberlist(t, cell, lifeguard, seed))
			}
		}
		line := fmt.Sprintf("%-22s", fmt.Sprintf("%d, %v, %v", cell.members, cell.deaf, cell.hear))
		for _, s := range sums {
			line += fmt.Sprintf(" %22s", fmt.Sprintf("%d (%d), %d", s.anywhere, s.atWell, s.sent))
		}
		t.Log(line)
		require.Less(t, 20*sums[1].anywhere, sums[0].anywhere, "Lifeguard is worth it")
	}
}

func harmNekton(t *testing.T, cell anomaly, lifeguard bool, seed uint64) harm {
	members := swim.LAN()
	if !lifeguard {
		members.HealthMax, members.SuspicionScale, members.NoBuddy = 0, 1, true
	}
	o := sim.Options{Scenario: "calm", Nodes: cell.nodes, Seed: seed, Preset: members, For: anomalyCalm + anomalyTime}
	c, err := o.Case()
	require.NoError(t, err)
	c.Ops = append(c.Ops, sim.Op{
		Kind: sim.Starve, Mode: "receive", At: anomalyCalm, Until: anomalyCalm + anomalyTime,
		Nodes: cell.chosen(seed), Extra: cell.deaf, Every: cell.deaf + cell.hear,
	})
	c.Mark, c.Within = c.For, 0
	var h harm
	r, err := sim.Simulate(c, sim.Harness{Watch: func(s *sim.Step) {
		for i := range s.Effects {
			if s.Effects[i].Kind == core.EffectSend && s.At >= core.Instant(anomalyCalm) {
				h.sent++
			}
		}
	}})
	require.NoError(t, err)
	require.False(t, r.Unsafe(), "%v", r.Violations)
	h.anywhere, h.atWell = r.FalsePositivesOfWell, r.FalsePositivesAmongWell
	return h
}

// chosen are those it happens to, by the seed.
func (a anomaly) chosen(seed uint64) []int {
	return rand.New(rand.NewPCG(seed, 1)).Perm(a.nodes)[:a.members]
}

func harmMemberlist(t *testing.T, cell anomaly, lifeguard bool, seed uint64) (h harm) {
	synctest.Test(t, func(t *testing.T) {
		network := newMemory(time.Millisecond, 0, seed)
		w := &wrongs{unwell: map[string]bool{}}
		var members []*memberlist.Memberlist
		defer func() {
			for _, m := range members {
				require.NoError(t, m.Shutdown())
			}
			pass(time.Minute) // for its goroutines to notice
		}()
		for i := range cell.nodes {
			addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 1)}), 7946)
			conf := memberlist.DefaultLANConfig()
			conf.Name, conf.Transport = fmt.Sprintf("n%d", i), network.attach(addr)
			conf.Events = &witness{wrongs: w, name: conf.Name}
			conf.LogOutput, conf.EnableCompression = io.Discard, false
			if !lifeguard {
				conf.AwarenessMaxMultiplier, conf.SuspicionMaxTimeoutMult = 1, 1
			}
			m, err := memberlist.Create(conf)
			require.NoError(t, err)
			members = append(members, m)
			if i > 0 {
				_, err := m.Join([]string{"10.0.0.1:7946"})
				require.NoError(t, err)
			}
			pass(7 * time.Millisecond)
		}
		pass(anomalyCalm)
		for incomplete(members) {
			pass(time.Second)
		}
		for _, i := range cell.chosen(seed) {
			w.unwell[members[i].LocalNode().Name] = true
		}
		before := network.packets()
		for end := time.Now().Add(anomalyTime); time.Now().Before(end); {
			for _, i := range cell.chosen(seed) {
				network.nodes[members[i].LocalNode().Address()].deafen()
			}
			pass(min(cell.deaf, time.Until(end)))
			for _, i := range cell.chosen(seed) {
				network.nodes[members[i].LocalNode().Address()].hear()
			}
			pass(cell.hear)
		}
		h = w.harm
		h.sent = network.packets() - before
	})
	return h
}

// packets is how many have been sent.
func (m *memory) packets() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sent
}

// wrongs are the deaths of members that are well.
type wrongs struct {
	mu     sync.Mutex
	unwell map[string]bool // who is not; written before anything happens
	harm   harm
}

// witness is the memberlist.EventDelegate of one member.
type witness struct {
	*wrongs
	name string
}

func (*witness) NotifyJoin(*memberlist.Node)   {}
func (*witness) NotifyUpdate(*memberlist.Node) {}
func (w *witness) NotifyLeave(n *memberlist.Node) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.unwell[n.Name] {
		return
	}
	w.harm.anywhere++
	if !w.unwell[w.name] {
		w.harm.atWell++
	}
}
