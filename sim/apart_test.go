package sim

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/core/swim"
)

// TestApart has two pairs that nobody ever told of each other: that they do not agree is nobody's fault. With
// one seed between them there is no excuse, and no need of one.
func TestApart(t *testing.T) {
	c := NewCase("two pairs", 4, 1, swim.LAN())
	c.Ops = []Op{
		{Kind: Start, Nodes: []int{0, 1, 2, 3}},
		{Kind: Join, Nodes: []int{1}, Peers: []int{0}},
		{Kind: Join, Nodes: []int{3}, Peers: []int{2}},
	}
	r := mustSimulate(t, c)
	require.Equal(t, "n0 n1 know nobody among n2 n3, nor they them", r.Apart)
	require.True(t, r.OK)
	require.False(t, r.Converged)
	require.Empty(t, r.Broken())
	require.Empty(t, r.Violations)

	c.Ops = append(c.Ops, Op{Kind: Join, Nodes: []int{2}, Peers: []int{1}})
	r = mustSimulate(t, c)
	require.Empty(t, r.Apart)
	require.True(t, r.Converged)
}

// TestNoRoom has three members that know each other and have room for two. Once one of them is gone the others have
// what they need to agree.
func TestNoRoom(t *testing.T) {
	small := swim.LAN()
	small.MembersMax = 2
	c := NewCase("no room", 3, 1, small)
	r := mustSimulate(t, c)
	require.Equal(t, "n0 has room for 2 members, and 3 run", r.Apart)
	require.True(t, r.OK, "%v", r.Violations)

	c.Ops = append(c.Ops, Op{At: 30 * time.Second, Kind: Crash, Nodes: []int{1}})
	c.Expect()
	r = mustSimulate(t, c)
	require.Empty(t, r.Apart)
	require.True(t, r.OK, "%v %v", r.Violations, r.Disagree)
}

// TestApartIsNoExcuse lets two halves forget each other who were told of each other: by memberlist's rules they
// stay apart, and that is a failure.
func TestApartIsNoExcuse(t *testing.T) {
	r, err := Run(Options{Scenario: "partition", Nodes: 8, For: 15 * time.Minute, Preset: swim.LAN().AsMemberlist()})
	require.NoError(t, err)
	require.Empty(t, r.Apart)
	require.False(t, r.OK)
}

// TestExile cuts a member off for good: the others agree that it is gone, and nobody asks what it believes.
func TestExile(t *testing.T) {
	c := NewCase("exile", 4, 1, swim.LAN())
	c.Ops = append(c.Ops, Op{At: 30 * time.Second, Kind: Exile, Nodes: []int{2}})
	c.Expect()
	r := mustSimulate(t, c)
	require.True(t, r.OK, "%v %v", r.Violations, r.Disagree)
	require.EqualValues(t, 1, r.Faults.Exiles)
	require.Greater(t, r.ConvergedMS, int64(1000))
	require.Empty(t, r.Apart)
}

func mustSimulate(t *testing.T, c Case) Result {
	t.Helper()
	r, err := Simulate(c, Harness{})
	require.NoError(t, err)
	return r
}
