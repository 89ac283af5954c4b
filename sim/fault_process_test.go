package sim

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/stack"
	"github.com/nekton-go/nekton/core/swim"
)

// TestProcessFaultsHappen guards against faults that are survived because nothing went wrong.
func TestProcessFaultsHappen(t *testing.T) {
	var all Faults
	for seed := range uint64(4) {
		c, err := Swarm(seed, "storm")
		require.NoError(t, err)
		for _, f := range networkFaults {
			c = c.Without(f.name)
		}
		r, err := Simulate(c, Harness{})
		require.NoError(t, err)
		all = all.plus(r.Faults)
	}
	for name, n := range map[string]uint64{
		"crashes": all.Crashes, "crashes within a step": all.CrashesWithin, "moves": all.Moves, "pauses": all.Pauses,
		"starvations": all.Starvations, "late inputs": all.InputsLate, "slow inputs": all.InputsSlow,
		"dropped inputs": all.InboxDropped,
		"late effects":   all.EffectsLate, "late timers": all.TimersLate, "clocks": all.ClocksChanged,
		"wall clocks": all.WallsChanged, "other configurations": all.Retunes, "lost journals": all.JournalsLost,
	} {
		require.NotZero(t, n, "%s never happened: %+v", name, all)
	}
}

// TestClockKeepsTime turns a clock's knobs at random: it never goes back, and tells any time when it says that it
// will, and no sooner.
func TestClockKeepsTime(t *testing.T) {
	for seed := range uint64(300) {
		var c clock
		g := newGenerator(seed, "clock", 1, 0, 0)
		now, told := core.Instant(0), core.Instant(0)
		for range 200 {
			if g.chance(200_000) {
				c.change(now, g.chance(100_000), int64(g.choose(2*rateMax))-rateMax, g.span(1, 16*time.Millisecond))
			}
			at := c.tell(now)
			require.GreaterOrEqual(t, c.exact(now), told)
			told = c.exact(now)
			if deadline := at + core.Instant(g.span(1, time.Hour)); !c.still {
				due := c.when(deadline)
				require.GreaterOrEqual(t, c.tell(due), deadline)
				if due > now {
					require.Less(t, c.tell(due-1), deadline)
				}
			}
			now += core.Instant(g.span(1, time.Hour))
		}
	}
}

// TestFalsePositivesOfTheWell blocks the receive path of members by the rules of SWIM, who then accuse those who
// are well: that is what Lifeguard is against.
func TestFalsePositivesOfTheWell(t *testing.T) {
	run := func(config swim.Config) Result {
		c, err := Options{Scenario: "calm", Nodes: 32, For: 150 * time.Second, Preset: config}.Case()
		require.NoError(t, err)
		c.Ops = append(c.Ops, Op{
			Kind: Starve, Nodes: []int{3, 9, 20}, At: 20 * time.Second, Until: 120 * time.Second,
			Extra: 16 * time.Second, Every: 16*time.Second + 64*time.Millisecond, Mode: both,
		})
		c.Mark = 120 * time.Second
		r, err := Simulate(c, Harness{})
		require.NoError(t, err)
		require.Empty(t, r.Violations)
		require.GreaterOrEqual(t, r.FalsePositives, r.FalsePositivesOfWell)
		require.GreaterOrEqual(t, r.FalsePositivesOfWell, r.FalsePositivesAmongWell)
		return r
	}
	plain := swim.LAN()
	plain.HealthMax, plain.Confirmations, plain.SuspicionScale = 0, 0, 1
	before, after := run(plain), run(swim.LAN())
	t.Logf("SWIM: %d, %d, %d; Lifeguard: %d, %d, %d", before.FalsePositives, before.FalsePositivesOfWell,
		before.FalsePositivesAmongWell, after.FalsePositives, after.FalsePositivesOfWell, after.FalsePositivesAmongWell)
	require.Positive(t, before.FalsePositivesOfWell)
	require.Less(t, 10*after.FalsePositivesOfWell, before.FalsePositivesOfWell)
}

// TestStarvationAllocatesNothing has members starve and catch up, over and over.
func TestStarvationAllocatesNothing(t *testing.T) {
	for _, mode := range kindTable[Starve].modes {
		w := emptyWorld(4, 0, Harness{Opaque: true, NewNode: func(i int, _ stack.Config) (core.Verbs, error) {
			return &pinger{to: address((i + 1) % 4)}, nil
		}})
		w.schedule(Op{Kind: Start, Nodes: []int{0, 1, 2, 3}})
		w.schedule(Op{
			Kind: Starve, Nodes: []int{0, 1}, Mode: mode, Extra: 30 * time.Millisecond, Every: 50 * time.Millisecond,
		})
		for _, kind := range []Kind{SlowSend, SlowReceive, Slack} {
			w.schedule(Op{Kind: kind, Nodes: []int{1, 2, 3}, Extra: 5 * time.Millisecond})
		}
		second := func() { w.run(w.now.Add(time.Second), func() bool { return false }) }
		for range 10 {
			second()
		}
		require.LessOrEqual(t, testing.AllocsPerRun(10, second), 1.0, "mode %q", mode)
		require.NotZero(t, w.faults.Starvations)
	}
}

// TestEveryMemberComesBack looks at what the catalogue draws: whoever is stopped is started, and joins.
func TestEveryMemberComesBack(t *testing.T) {
	for seed := range uint64(30) {
		for _, f := range slices.Concat(processFaults, clockFaults, chores) {
			g := newGenerator(seed, f.name, 7, time.Minute, 5*time.Minute)
			for _, op := range f.make(g) {
				about := fmt.Sprintf("%s: %v at %v", f.name, op, op.At)
				require.NoError(t, op.validate(7), about)
				require.GreaterOrEqual(t, op.At, time.Minute, about)
				require.LessOrEqual(t, max(op.At, op.Until), 5*time.Minute+1, about)
				if op.Kind == Crash || op.Kind == CrashWithin {
					require.Positive(t, op.Until, about)
				}
			}
		}
	}
}

// TestKeysRotate changes the key of a sealed cluster while one member is left out: the others lose it, until
// somebody gives it the new key.
func TestKeysRotate(t *testing.T) {
	run := func(mend time.Duration) Result {
		c, err := Options{Scenario: "calm", Nodes: 5, For: 4 * time.Minute}.Case()
		require.NoError(t, err)
		most, all := []int{0, 1, 2, 3}, []int{0, 1, 2, 3, 4}
		c.Sealed, c.Mark, c.Within = true, 90*time.Second, time.Minute
		c.Ops = append(c.Ops,
			Op{At: 10 * time.Second, Kind: Key, Nodes: most, Mode: install, Text: "new"},
			Op{At: 20 * time.Second, Kind: Key, Nodes: most, Mode: use, Text: "new"},
			Op{At: 30 * time.Second, Until: 31 * time.Second, Kind: Crash, Nodes: []int{1}},
			Op{At: mend, Kind: Key, Nodes: []int{4}, Mode: install, Text: "new"},
			Op{At: mend + 1, Kind: Key, Nodes: []int{4}, Mode: use, Text: "new"},
			Op{At: 90 * time.Second, Kind: Key, Nodes: all, Mode: remove},
		)
		r, err := Simulate(c, Harness{})
		require.NoError(t, err)
		require.Empty(t, r.Violations)
		return r
	}
	prompt, late := run(10*time.Second), run(80*time.Second)
	require.Zero(t, prompt.FalsePositives)
	require.Positive(t, late.FalsePositives)
	require.True(t, prompt.Converged && late.Converged, "%v %v", prompt.Disagree, late.Disagree)
}
