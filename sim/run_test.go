package sim

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/stack"
	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/sim/check"
)

func mustRun(t testing.TB, o Options) Result {
	t.Helper()
	r, err := Run(o)
	require.NoError(t, err)
	return r
}

// TestScenarios runs each scenario: no rule may break, and the views must agree in time.
func TestScenarios(t *testing.T) {
	for _, name := range Scenarios() {
		for seed := range uint64(3) {
			t.Run(fmt.Sprintf("%s/%d", name, seed), func(t *testing.T) {
				r := mustRun(t, Options{Scenario: name, Nodes: 16, Seed: seed})
				require.Empty(t, r.Violations)
				require.True(t, r.OK, "%v after %d ms", r.Disagree, r.ConvergedMS)
				if name != "flap" { // there, members are declared failed in good faith, and late
					require.Zero(t, r.FalsePositives)
				}
				if name == "crash" || name == "loss" {
					require.Positive(t, r.FirstDetectionMS)
					require.GreaterOrEqual(t, r.FullDisseminationMS, r.FirstDetectionMS)
				} else {
					require.EqualValues(t, never, r.FirstDetectionMS)
				}
			})
		}
	}
}

// TestFaultsHappen guards against scenarios that pass because nothing went wrong in them.
func TestFaultsHappen(t *testing.T) {
	faults := func(scenario string) Faults {
		return mustRun(t, Options{Scenario: scenario, Nodes: 16}).Faults
	}
	require.EqualValues(t, 1, faults("crash").Crashes)
	require.Positive(t, faults("crash").ReadsCut)
	require.Positive(t, faults("loss").PacketsLost)
	require.Positive(t, faults("loss").ChunksResent)
	require.Positive(t, faults("partition").PacketsCut)
	require.Positive(t, faults("partition").DialTimeouts)
	require.Positive(t, faults("flap").PacketsCut)
	require.EqualValues(t, 8, faults("restart").Restarts)
	require.EqualValues(t, 8, faults("restart").JournalsLost)
	require.Positive(t, faults("restart").DialsRefused)
	calm := faults("calm")
	calm.ReadsCut = 0 // the one thing that happens to everybody
	require.Zero(t, calm)
}

func TestRunsRepeat(t *testing.T) {
	hashes := map[string]string{}
	for _, name := range Scenarios() {
		for seed := range uint64(3) {
			o := Options{Scenario: name, Nodes: 8, Seed: seed}
			first, second := mustRun(t, o), mustRun(t, o)
			require.Equal(t, first, second)
			require.Len(t, first.TraceHash, 16)
			key := fmt.Sprintf("%s %d", name, seed)
			require.Empty(t, hashes[first.TraceHash], "%s has the hash of %s", key, hashes[first.TraceHash])
			hashes[first.TraceHash] = key
		}
	}
}

// TestHashIsPinned fails where a platform, or a level of GOAMD64, hashes differently.
func TestHashIsPinned(t *testing.T) {
	var h hash
	h.step(1, 2, 3, &core.Input{Kind: core.InputDatagram, Data: []byte("twelve bytes")})
	h.effect(&core.Effect{Kind: core.EffectSend, To: address(4), Data: []byte("pong")})
	require.Equal(t, "eb942161f24387c6", fmt.Sprintf("%x", h.sum))
}

// TestHashOfBytes compares what is read in leaps with what is read byte by byte.
func TestHashOfBytes(t *testing.T) {
	data := make([]byte, 50)
	for i := range data {
		data[i] = byte(i*37 + 11)
	}
	for n := range len(data) {
		var fast, slow hash
		fast.bytes(data[:n])
		for rest := data[:n]; len(rest) > 0; rest = rest[min(16, len(rest)):] {
			var padded [16]byte
			copy(padded[:], rest)
			slow.pair(binary.LittleEndian.Uint64(padded[:]), binary.LittleEndian.Uint64(padded[8:]))
		}
		require.Equal(t, slow.sum, fast.sum, "%d bytes", n)
	}
}

// TestTraceChangesNothing: who looks does not disturb.
func TestTraceChangesNothing(t *testing.T) {
	o := Options{Scenario: "crash", Nodes: 8}
	blind := mustRun(t, o)
	var out bytes.Buffer
	o.Trace = &out
	require.Equal(t, blind, mustRun(t, o))
	require.Contains(t, out.String(), "-- crash n")
	require.Contains(t, out.String(), "ping ")
}

// TestHashSeesEverything changes one thing at a time.
func TestHashSeesEverything(t *testing.T) {
	sums := map[uint64]bool{}
	inputs := []core.Input{
		{Kind: core.InputWake}, {Kind: core.InputWake, At: 1}, {Kind: core.InputWall, Wall: 1},
		{Kind: core.InputDatagram, Data: []byte("a")}, {Kind: core.InputDatagram, Data: []byte("a\x00")},
		{Kind: core.InputRead, Data: []byte("a")}, {Kind: core.InputRead, Link: 1, Data: []byte("a")},
		{Kind: core.InputDown}, {Kind: core.InputDown, Fault: 1}, {Kind: core.InputStored, Token: 1},
	}
	for _, in := range inputs {
		var h hash
		h.step(1, 1, 1, &in)
		sums[h.sum] = true
	}
	effects := []core.Effect{
		{Kind: core.EffectSend, To: address(1)}, {Kind: core.EffectSend, To: address(2)},
		{Kind: core.EffectSend, To: address(1), Data: []byte("a")}, {Kind: core.EffectDial, To: address(1)},
		{Kind: core.EffectDial, To: address(1), Link: 1}, {Kind: core.EffectClose, Link: 1},
		{Kind: core.EffectResolve, Name: "n0:7946"}, {Kind: core.EffectAppend, Token: 1},
		{Kind: core.EffectCompact, Token: 1}, {Kind: core.EffectEmit, Event: report("a")},
		{Kind: core.EffectEmit, Event: report("b")},
	}
	for _, e := range effects {
		var h hash
		h.effect(&e)
		sums[h.sum] = true
	}
	require.Len(t, sums, len(inputs)+len(effects))
}

func TestBadNodesEndTheRun(t *testing.T) {
	calm := func(h Harness) error {
		_, err := Run(Options{Scenario: "calm", Nodes: 2, Harness: h})
		return err
	}
	err := calm(Harness{NewNode: func(int, stack.Config) (core.Verbs, error) { return nil, core.FaultRefused }})
	require.ErrorContains(t, err, "cannot make n0: refused")
	require.NotErrorIs(t, err, ErrOptions)
	err = calm(Harness{NewNode: func(int, stack.Config) (core.Verbs, error) { return restless{}, nil }})
	require.ErrorContains(t, err, "n0 asked to be woken 1000 times at 0s and never moved its deadline")
	require.ErrorIs(t, calm(Harness{Trace: full{}}), core.FaultStorage)
}

// TestPanicIsABreach ends the run at the step in which a node panics.
func TestPanicIsABreach(t *testing.T) {
	r := mustRun(t, Options{Scenario: "calm", Nodes: 2, Harness: Harness{
		NewNode: func(i int, c stack.Config) (core.Verbs, error) {
			v, err := stack.New(c)
			return &fragile{v, 20 + 100*i}, err
		},
	}})
	require.False(t, r.OK)
	require.Len(t, r.Violations, 1)
	v := r.Violations[0]
	require.Equal(t, "S0", v.Oracle)
	require.Equal(t, "n0", v.Observer)
	require.Equal(t, "panic: out of steps", v.What)
	require.Equal(t, r.Steps, v.Step)
	require.NotEmpty(t, v.Cause)
}

// fragile is a node that panics after a number of steps.
type fragile struct {
	core.Verbs
	left int
}

func (f *fragile) Step(now core.Instant, in core.Input) {
	if f.left--; f.left == 0 {
		panic("out of steps")
	}
	f.Verbs.Step(now, in)
}

// restless is a node whose deadline has always passed.
type restless struct{}

func (restless) Step(core.Instant, core.Input) {}
func (restless) Next() (core.Effect, bool)     { return core.Effect{}, false }
func (restless) Deadline() core.Instant        { return 0 }

// full is a disk with no room for a trace.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, core.FaultStorage }

func TestResultNames(t *testing.T) {
	b, err := json.Marshal(mustRun(t, Options{Scenario: "calm", Nodes: 2}))
	require.NoError(t, err)
	var names map[string]any
	require.NoError(t, json.Unmarshal(b, &names))
	for _, name := range []string{
		"seed", "scenario", "nodes", "virtual_ms", "wall_ms", "steps", "trace_hash", "ok", "violations",
		"false_positives", "first_detection_ms", "full_dissemination_ms", "converged_ms", "packets_per_node_s",
		"bytes_per_node_s",
	} {
		require.Contains(t, names, name)
	}
	require.Equal(t, []any{}, names["violations"])
}

// TestNoConvergenceIsNotUnsafe splits members that do not heal.
func TestNoConvergenceIsNotUnsafe(t *testing.T) {
	preset := swim.LAN()
	preset.HealInterval = 0
	r := mustRun(t, Options{Scenario: "partition", Nodes: 8, For: 10 * time.Minute, Preset: preset})
	require.False(t, r.OK)
	require.False(t, r.Converged)
	require.False(t, r.Unsafe(), "%v", r.Violations)
	require.EqualValues(t, never, r.ConvergedMS)
	require.Contains(t, r.Disagree[0], "n0 sees n4 ")
}

// TestPacketsAllocateNothing runs traffic between nodes that do not allocate themselves.
func TestPacketsAllocateNothing(t *testing.T) {
	w := emptyWorld(4, 0, Harness{Opaque: true, NewNode: func(i int, _ stack.Config) (core.Verbs, error) {
		return &pinger{to: address((i + 1) % 4)}, nil
	}})
	w.schedule(Op{Kind: Start, Nodes: []int{0, 1, 2, 3}})
	second := func() { w.run(w.now.Add(time.Second), func() bool { return false }) }
	second()
	require.Zero(t, testing.AllocsPerRun(10, second))
	require.Greater(t, w.packets, uint64(4000))
}

// complains is an oracle that finds one thing wrong at the end.
type complains struct {
	log *check.Log
	id  string
}

func (complains) Input(core.Instant, int, *core.Input)   {}
func (complains) Effect(core.Instant, int, *core.Effect) {}
func (c complains) Finished(core.Instant)                { c.log.Add(check.Violation{Oracle: c.id, What: "no"}) }

// TestComplaintsCount: no run that an oracle complains about is OK, whatever its letter and however well views agree.
func TestComplaintsCount(t *testing.T) {
	for _, id := range []string{"S99", "L99"} {
		r := mustRun(t, Options{Scenario: "calm", Nodes: 2, Harness: Harness{
			Oracles: []NewOracle{func(l *check.Log) check.Oracle { return complains{l, id} }},
		}})
		require.True(t, r.Converged)
		require.False(t, r.OK, id)
		require.Equal(t, id, r.Broken())
	}
}

// TestTruncatedCasesHaveNoEnd: where one ends, views may differ, and nobody is asked how things stand.
func TestTruncatedCasesHaveNoEnd(t *testing.T) {
	c, err := Options{Scenario: "partition", Nodes: 4}.Case()
	require.NoError(t, err)
	c.For = c.Mark
	c.Within = 0
	h := Harness{Oracles: []NewOracle{func(l *check.Log) check.Oracle { return complains{l, "S99"} }}}
	whole, err := Simulate(c, h)
	require.NoError(t, err)
	require.False(t, whole.OK)
	require.NotEmpty(t, whole.Violations)

	c.Truncated = true
	truncated, err := Simulate(c, h)
	require.NoError(t, err)
	require.False(t, truncated.Converged)
	require.Empty(t, truncated.Violations)
	require.True(t, truncated.OK)
	require.Empty(t, truncated.Broken())
	require.Equal(t, whole.TraceHash, truncated.TraceHash)
}
