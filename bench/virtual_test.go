package bench

import (
	"fmt"
	"io"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/memberlist"
	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/sim"
)

// crash is one row of the table: one member of a cluster dies, and the others find out.
type crash struct {
	who         string
	first, last time.Duration // from the crash until the first, and the last, member declared it
	detected    int           // members that did
	wrongly     int           // declarations of members that were alive
}

func (c crash) String() string {
	return fmt.Sprintf("%-24s %9.2f s %9.2f s %9d %9d",
		c.who, c.first.Seconds(), c.last.Seconds(), c.detected, c.wrongly)
}

// TestVirtual lets one of 128 members crash, in virtual time, under no loss and under 5 %: memberlist, as
// it is, inside a synctest bubble, and ours in its simulator, both by their LAN presets. memberlist's runs
// depend on the scheduler and do not repeat to the bit; ours do.
func TestVirtual(t *testing.T) {
	nodes, seeds := 128, uint64(5)
	if testing.Short() {
		nodes, seeds = 32, 1
	}
	for _, lossPPM := range []int{0, 50_000} {
		t.Logf("%d members, %d ppm lost: first, last, detected by, false positives", nodes, lossPPM)
		for seed := range seeds {
			for _, c := range []crash{
				crashNekton(t, nodes, lossPPM, seed+1), crashMemberlist(t, nodes, lossPPM, seed+1),
			} {
				t.Log(c)
				require.Equal(t, nodes-1, c.detected, "all survivors know")
			}
		}
	}
}

func crashNekton(t *testing.T, nodes, lossPPM int, seed uint64) crash {
	r, err := sim.Run(sim.Options{Scenario: "crash", Nodes: nodes, Seed: seed, LossPPM: lossPPM})
	require.NoError(t, err)
	require.True(t, r.OK, "seed %d: %v %v", seed, r.Violations, r.Disagree)
	c := crash{
		who:   fmt.Sprintf("nekton seed %d", seed),
		first: time.Duration(r.FirstDetectionMS) * time.Millisecond,
		last:  time.Duration(r.FullDisseminationMS) * time.Millisecond, wrongly: r.FalsePositives,
	}
	if r.FullDisseminationMS >= 0 {
		c.detected = nodes - 1
	}
	return c
}

func crashMemberlist(t *testing.T, nodes, lossPPM int, seed uint64) (c crash) {
	synctest.Test(t, func(t *testing.T) {
		network := newMemory(time.Millisecond, float64(lossPPM)/1e6, seed)
		w := &watch{deaths: map[string][]time.Time{}}
		var members []*memberlist.Memberlist
		defer func() {
			for _, m := range members {
				require.NoError(t, m.Shutdown())
			}
			pass(time.Minute) // for its goroutines to notice
		}()
		for i := range nodes {
			addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i / 250), byte(i%250 + 1)}), 7946)
			conf := memberlist.DefaultLANConfig()
			conf.Name, conf.Transport, conf.Events = fmt.Sprintf("n%d", i), network.attach(addr), w
			conf.LogOutput, conf.EnableCompression = io.Discard, false
			m, err := memberlist.Create(conf)
			require.NoError(t, err)
			members = append(members, m)
			if i > 0 {
				_, err := m.Join([]string{"10.0.0.1:7946"})
				require.NoError(t, err)
			}
			pass(7 * time.Millisecond)
		}
		pass(30 * time.Second)
		for incomplete(members) { // some wait for a push/pull to hear of everyone
			pass(time.Second)
		}

		victim := nodes - 1
		network.nodes[members[victim].LocalNode().Address()].cut()
		crashed := time.Now()
		require.NoError(t, members[victim].Shutdown())
		pass(time.Minute)
		c = w.crash(fmt.Sprintf("n%d", victim), crashed)
		c.who = fmt.Sprintf("memberlist seed %d", seed)
	})
	return c
}

func incomplete(members []*memberlist.Memberlist) bool {
	return slices.ContainsFunc(members, func(m *memberlist.Memberlist) bool { return m.NumMembers() < len(members) })
}

// watch is the memberlist.EventDelegate of all members at once.
type watch struct {
	mu     sync.Mutex
	deaths map[string][]time.Time
}

func (*watch) NotifyJoin(*memberlist.Node)   {}
func (*watch) NotifyUpdate(*memberlist.Node) {}
func (w *watch) NotifyLeave(n *memberlist.Node) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.deaths[n.Name] = append(w.deaths[n.Name], time.Now())
}

func (w *watch) crash(victim string, at time.Time) (c crash) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for name, times := range w.deaths {
		if name != victim {
			c.wrongly += len(times)
		}
	}
	if times := w.deaths[victim]; len(times) > 0 {
		slices.SortFunc(times, time.Time.Compare)
		c.first, c.last, c.detected = times[0].Sub(at), times[len(times)-1].Sub(at), len(times)
	}
	return c
}
