package sim

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/internal/mutant"
	"github.com/nekton-go/nekton/sim/check"
)

// mutantSeeds is within how many seeds of one of the arenas every mutant must be noticed.
const mutantSeeds = 200

// An arena makes the cases that mutants are let loose in.
type arena struct {
	name string
	make func(seed uint64) (Case, error)
}

// arenas are tried in this order: the cheapest first.
var arenas = []arena{
	{"goodbye", func(seed uint64) (Case, error) { // a member leaves, and its process stays
		return Options{Scenario: "calm", Nodes: 5, Seed: seed, For: 2 * time.Minute}.with(Op{
			Kind: Leave, At: 30 * time.Second, Nodes: []int{3},
		})
	}},
	{"crash", func(seed uint64) (Case, error) { // after a long calm
		return Options{Scenario: "calm", Nodes: 9, Seed: seed, For: 5 * time.Minute}.with(Op{
			Kind: Crash, At: 100 * time.Second, Nodes: []int{4},
		})
	}},
	{"lite", func(seed uint64) (Case, error) { return Swarm(seed, "lite") }},
	{"cramped", func(seed uint64) (Case, error) { // hardly any room for anything
		tight := swim.LAN()
		tight.RelaysMax, tight.BroadcastsMax, tight.GossipNodes, tight.GossipInterval = 1, 16, 1, 5*time.Second
		return Options{Scenario: "restart", Nodes: 40, Seed: seed, Preset: tight, For: 2 * time.Minute}.with()
	}},
	{"storm", func(seed uint64) (Case, error) { return Swarm(seed, "storm") }},
	{"default", func(seed uint64) (Case, error) { return Swarm(seed, "default") }},
}

// with is the case of some options, and something that happens besides.
func (o Options) with(ops ...Op) (Case, error) {
	c, err := o.Case()
	for _, op := range ops {
		c.Ops = append(c.Ops, op)
		c.Mark = max(c.Mark, op.At)
	}
	return c, err
}

// A hunt lets a mutant loose in one case.
type hunt struct {
	*check.Log
	wanted string
	seen   int
	found  bool
}

func (h *hunt) Input(core.Instant, int, *core.Input)   {}
func (h *hunt) Effect(core.Instant, int, *core.Effect) {}
func (h *hunt) Finished(core.Instant)                  {}

// noticed reports whether the oracle has complained by now.
func (h *hunt) noticed() bool {
	for all := h.Violations(); h.seen < len(all); h.seen++ {
		h.found = h.found || all[h.seen].Oracle == h.wanted
	}
	return h.found
}

// run lets the mutant loose until its oracle notices, and returns which oracles have by then.
func (h *hunt) run(t *testing.T, a *arena, id mutant.ID, seed uint64) (noticedBy []string) {
	c, err := a.make(seed)
	require.NoError(t, err)
	c.Swim.Mutant = id
	_, err = Simulate(c, Harness{
		Oracles: []NewOracle{func(l *check.Log) check.Oracle { h.Log = l; return h }},
		Stop:    func() bool { return h.noticed() },
	})
	if err != nil {
		require.ErrorIs(t, err, ErrStopped, "%v, %s %d", id, a.name, seed)
	}
	h.noticed()
	for _, v := range h.Violations() {
		if !slices.Contains(noticedBy, v.Oracle) {
			noticedBy = append(noticedBy, v.Oracle)
		}
	}
	return noticedBy
}

const mutantsFile = "testdata/mutants.txt"

// A kill is where a mutant is noticed by the oracle that it is for.
type kill struct {
	mutant, oracle, arena string
	seed                  uint64
	others                []string // "S2:lite/7": oracles that had noticed by then, and where first
}

func (k kill) String() string {
	return strings.TrimSpace(fmt.Sprintf("%-18s %-4s %-8s %3d  %s", k.mutant, k.oracle, k.arena, k.seed,
		strings.Join(k.others, " ")))
}

// search looks for a kill, from a place where there may be one.
func search(t *testing.T, m mutant.Mutant, from kill) (k kill, ok bool) {
	k = kill{mutant: m.Name, oracle: m.Oracle}
	start := slices.IndexFunc(arenas, func(a arena) bool { return a.name == from.arena })
	for n := range arenas {
		a := &arenas[(max(start, 0)+n)%len(arenas)]
		for s := range uint64(mutantSeeds) {
			k.arena, k.seed = a.name, (from.seed+s)%mutantSeeds
			h := &hunt{wanted: m.Oracle}
			for _, id := range h.run(t, a, m.ID, k.seed) {
				known := func(other string) bool { return strings.HasPrefix(other, id+":") }
				if id != m.Oracle && !slices.ContainsFunc(k.others, known) {
					k.others = append(k.others, fmt.Sprintf("%s:%s/%d", id, a.name, k.seed))
				}
			}
			if h.found {
				slices.Sort(k.others)
				return k, true
			}
		}
	}
	return k, false
}

// readKills reads where mutants have been noticed before.
func readKills(t *testing.T) (kills []kill) {
	text, err := os.ReadFile(mutantsFile)
	require.NoError(t, err)
	for line := range bytes.Lines(text) {
		var k kill
		if n, _ := fmt.Sscan(string(line), &k.mutant, &k.oracle, &k.arena, &k.seed); n == 4 && k.mutant[0] != '#' {
			kills = append(kills, k)
		}
	}
	return kills
}

// TestMutantsAreNoticed lets every mutant loose where its oracle has noticed it before; if it does not any more,
// it looks further. With -update it looks from the beginning, and writes down the whole table.
func TestMutantsAreNoticed(t *testing.T) {
	update := flag.Lookup("update").Value.String() == "true"
	known, table := readKills(t), []string{
		"# Where each mutant is first noticed by the oracle that it is for, arena by arena and seed by seed, and where",
		"# other oracles had noticed it before. make mutants writes this.",
	}
	covered := map[string]bool{}
	for _, m := range mutant.All() {
		at := slices.IndexFunc(known, func(k kill) bool { return k.mutant == m.Name })
		from := kill{}
		if at >= 0 && !update {
			from = known[at]
		}
		k, ok := search(t, m, from)
		if !ok {
			t.Errorf("%s has survived: %s", m.Name, m.Doc)
			continue
		}
		t.Log(k)
		table, covered[k.oracle] = append(table, k.String()), true
	}
	for _, o := range check.Oracles() {
		if !covered[o.ID] {
			t.Errorf("%s %s has no mutant", o.ID, o.Name)
		}
	}
	if update {
		require.NoError(t, os.WriteFile(mutantsFile, []byte(strings.Join(table, "\n")+"\n"), 0o644))
	}
}

// TestCanaryDiesAtOnce: whatever a run is, it notices the canary before anything else has happened.
func TestCanaryDiesAtOnce(t *testing.T) {
	for k := range arenas {
		c, err := arenas[k].make(7)
		require.NoError(t, err)
		c.Swim.Mutant = mutant.Canary
		r, err := Simulate(c, Harness{FirstOnly: true})
		require.NoError(t, err)
		require.Equal(t, "S5a", r.Broken())
		require.Less(t, r.Violations[0].Step, uint64(20))
	}
}
