package sim

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/stack"
	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/sim/check"
	"github.com/nekton-go/nekton/sim/internal/pages"
)

// A pair is a shared table and a dense one that is to give the same answers.
type pair struct {
	shared *table
	dense  swim.Table
}

// copyDense returns a dense table with the same members in the same places: these must not have been reused.
func copyDense(from swim.Table) swim.Table {
	to := swim.NewTable()
	for id := range swim.ID(from.Bound()) {
		to.Add(*from.Identity(id))
		to.SetRow(id, *from.Row(id))
		to.SetRTT(id, from.RTT(id))
	}
	return to
}

func (p *pair) both(f func(swim.Table)) {
	f(p.shared)
	f(p.dense)
}

// TestTableEqualsDense does the same at random to tables that share memory and to dense ones that do not.
func TestTableEqualsDense(t *testing.T) {
	for seed := range uint64(8) {
		rng := rand.New(rand.NewPCG(seed, 1))
		base := newDirectory(120).newTable()
		for i := range 100 {
			base.Add(randomIdentity(rng, fmt.Sprintf("n%d", i)))
		}
		pairs := make([]pair, 6)
		for k := range pairs {
			pairs[k] = pair{base.clone(), copyDense(base)}
		}
		pairs[5] = pair{base.newTable(), swim.NewTable()}
		for range 2000 {
			p := &pairs[rng.IntN(len(pairs))]
			p.change(rng)
			p.compare(t, randomName(rng))
		}
		for k := range pairs {
			for i := range 130 {
				pairs[k].compare(t, fmt.Sprintf("n%d", i))
			}
		}
	}
}

// change does one thing to both tables.
func (p *pair) change(rng *rand.Rand) {
	who := randomIdentity(rng, randomName(rng))
	id, known := p.dense.Find(who.Name)
	switch {
	case !known:
		p.both(func(t swim.Table) { t.Add(who) })
	case rng.IntN(8) == 0:
		p.both(func(t swim.Table) { t.Remove(id) })
	case rng.IntN(3) == 0:
		rtt := time.Duration(rng.IntN(3))
		p.both(func(t swim.Table) { t.SetRTT(id, rtt) })
	case rng.IntN(2) == 0:
		p.both(func(t swim.Table) { t.SetIdentity(id, who) })
	default:
		row := *p.dense.Row(id)
		row.State, row.Incarnation, row.Since = swim.State(rng.IntN(4)), rng.Uint32N(3), core.Instant(rng.IntN(3))
		p.both(func(t swim.Table) { t.SetRow(id, row) })
	}
	clear(who.Meta) // the caller's, to do with as it likes
}

func (p *pair) compare(t *testing.T, name string) {
	want, known := p.dense.Find(name)
	got, ok := p.shared.Find(name)
	require.Equal(t, known, ok, name)
	require.True(t, !known || got == want, "%s lives at %d and %d", name, want, got)
	require.Equal(t, p.dense.Bound(), p.shared.Bound())
	require.True(t, slices.EqualFunc(p.dense.All(), p.shared.All(), func(a, b swim.Record) bool {
		return a.Name == b.Name && a.Addr == b.Addr && a.Incarnation == b.Incarnation && a.State == b.State &&
			bytes.Equal(a.Meta, b.Meta) && a.Versions == b.Versions
	}))
	for id := range swim.ID(p.dense.Bound()) {
		a, b := p.dense.Identity(id), p.shared.Identity(id)
		same := *p.dense.Row(id) == *p.shared.Row(id) && p.dense.RTT(id) == p.shared.RTT(id) && a.Name == b.Name &&
			a.Addr == b.Addr && a.Versions == b.Versions && bytes.Equal(a.Meta, b.Meta)
		if !same {
			require.Fail(t, "tables differ", "%v %v at %d is %v %v", p.dense.Row(id), a, id, p.shared.Row(id), b)
		}
	}
}

// randomName is one of the run's own most of the time; some look like it.
func randomName(rng *rand.Rand) string {
	if rng.IntN(8) > 0 {
		return fmt.Sprintf("n%d", rng.IntN(120))
	}
	return []string{"n120", "n007", "n", "stranger", "n-1", "n99999999999999999999", "N1", "n1x"}[rng.IntN(8)]
}

func randomIdentity(rng *rand.Rand, name string) swim.Identity {
	who := swim.Identity{
		Name: name, Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(rng.IntN(2))}), 7946),
		Versions: swim.Versions{Protocol: uint8(rng.IntN(2))},
	}
	if n := rng.IntN(3); n > 0 {
		who.Meta = make([]byte, n)
		who.Meta[0] = byte(1 + rng.IntN(2))
	}
	return who
}

// TestListsDoNotMix: a list lies where that of a smaller, denser table lay, parts of which look as if they were it.
func TestListsDoNotMix(t *testing.T) {
	names := func(all []swim.Record) (names []string) {
		for i := range all {
			names = append(names, all[i].Name)
		}
		return names
	}
	base := newDirectory(200).newTable()
	fill := func(t *table, from, to int) *table {
		for i := from; i < to; i++ {
			t.Add(swim.Identity{Name: check.Name(i)})
		}
		return t
	}
	sparse, dense := fill(base, 0, 4*pages.Size).clone(), fill(base.newTable(), 100, 100+2*pages.Size)
	for id := range swim.ID(pages.Size - 1) {
		sparse.Remove(id)
	}
	want := names(sparse.All())
	require.Len(t, want, 3*pages.Size+1)
	require.Len(t, dense.All(), 2*pages.Size)
	require.Equal(t, want, names(sparse.All()))
}

// dense makes nodes with tables of their own.
func dense(_ int, c stack.Config) (core.Verbs, error) {
	c.Swim.Table = copyDense(c.Swim.Table)
	return stack.New(c)
}

// TestTablesGiveTheSameRun: nobody can tell from a run what memory its nodes have.
func TestTablesGiveTheSameRun(t *testing.T) {
	same := func(c Case) {
		shared, err := Simulate(c, Harness{})
		require.NoError(t, err)
		own, err := Simulate(c, Harness{NewNode: dense})
		require.NoError(t, err)
		require.Equal(t, own, shared, "%s %d", c.Name, c.Seed)
	}
	for _, name := range Scenarios() {
		for _, converged := range []bool{false, true} {
			c, err := Options{Scenario: name, Nodes: 8, Seed: 1, Converged: converged}.Case()
			require.NoError(t, err)
			same(c)
		}
	}
	for seed := range uint64(20) {
		c, err := Swarm(seed, Profiles()[seed%uint64(len(Profiles()))])
		require.NoError(t, err)
		same(c)
	}
}
