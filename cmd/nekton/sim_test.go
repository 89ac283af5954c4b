package main

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/stack"
	"github.com/nekton-go/nekton/internal/mutant"
	"github.com/nekton-go/nekton/sim"
	"github.com/nekton-go/nekton/sim/check"
	"github.com/nekton-go/nekton/sim/repro"
)

func TestSimRunJSON(t *testing.T) {
	flags := []string{"sim", "run", "-scenario", "crash", "-nodes", "8", "-for", "60s", "-seed", "7", "-json"}
	var r map[string]any
	require.NoError(t, json.Unmarshal([]byte(nekton(t, flags...)), &r))
	for _, key := range []string{
		"seed", "scenario", "nodes", "virtual_ms", "wall_ms", "steps", "trace_hash", "ok", "violations", "false_positives",
		"first_detection_ms", "full_dissemination_ms", "converged_ms", "packets_per_node_s", "bytes_per_node_s",
	} {
		require.Contains(t, r, key)
	}
	require.Equal(t, true, r["ok"])
	require.EqualValues(t, 7, r["seed"])
	require.EqualValues(t, 60_000, r["virtual_ms"])

	var again map[string]any
	require.NoError(t, json.Unmarshal([]byte(nekton(t, flags...)), &again))
	require.Equal(t, r["trace_hash"], again["trace_hash"])
	require.Contains(t, nekton(t, flags[:len(flags)-1]...), "crash detected after")
}

// TestSimRunSaysWhatItDrew: before the run, so that whoever waits for it knows what for.
func TestSimRunSaysWhatItDrew(t *testing.T) {
	var stdout, stderr bytes.Buffer
	require.Equal(t, exitOK, run(t.Context(), []string{"sim", "run", "-swarm", "lite", "-seed", "3"}, nil, &stdout, &stderr))
	require.Regexp(t, `^swarm lite: \d+ nodes for 10m0s; faults `, stderr.String())
}

// TestSimRunFailsAsJSON: the object is for programs, and people are told beside it.
func TestSimRunFailsAsJSON(t *testing.T) {
	dir := t.TempDir()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{"sim", "run", "testdata/two.json", "-json", "-out", dir}, nil, &stdout, &stderr)
	require.Equal(t, exitUnsafe, code)
	var r map[string]any
	require.NoError(t, json.Unmarshal(stdout.Bytes(), &r))
	require.EqualValues(t, exitUnsafe, r["exit_code"])
	require.Equal(t, true, r["deterministic"])
	require.Equal(t, filepath.Join(dir, "S5a-1.simrepro"), r["bundle"])
	require.FileExists(t, filepath.Join(dir, "S5a-1.simrepro"))
	require.Contains(t, stderr.String(), "FAIL S5a no-self-doubt")
}

func TestVerdict(t *testing.T) {
	unsafe := []check.Violation{{Oracle: "S2", What: "what"}}
	late := []check.Violation{{Oracle: "L1", What: "what"}}
	for _, test := range []struct {
		result sim.Result
		code   int
	}{
		{sim.Result{OK: true, Converged: true}, exitOK},
		{sim.Result{Converged: true, Violations: unsafe}, exitUnsafe},
		{sim.Result{Violations: append(late, unsafe...)}, exitUnsafe},
		{sim.Result{Violations: late}, exitNotLive},
		{sim.Result{OK: true, Apart: "n0 know nobody"}, exitApart},
		{sim.Result{Apart: "n0 know nobody", Violations: unsafe}, exitUnsafe},
		{sim.Result{Disagree: []string{"n1 of n2"}}, exitNotLive},
	} {
		var exit *exitError
		if err := verdict(&test.result); test.code == exitOK {
			require.NoError(t, err)
		} else {
			require.ErrorAs(t, err, &exit)
			require.Equal(t, test.code, exit.code)
			require.NoError(t, exit.err, "the result has been printed")
		}
	}
}

// TestSimRunInterrupted does not wait for the run.
func TestSimRunInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	code := run(ctx, []string{"sim", "run", "-scenario", "calm", "-nodes", "2"}, nil, &stdout, &stderr)
	require.Equal(t, exitInterrupted, code)
	require.Equal(t, "nekton: interrupted\n", stderr.String())
}

// TestReplayPastTheEnd shows how far the run came.
func TestReplayPastTheEnd(t *testing.T) {
	file := filepath.Join(t.TempDir(), "calm.simrepro")
	nekton(t, "sim", "run", "-scenario", "calm", "-nodes", "2", "-save", file)
	out := nekton(t, "sim", "replay", file, "-until", "1000000")
	require.Regexp(t, `\nthe run ended before, at 1m0s, after step \d+: no rule had been broken\n$`, out)
	require.GreaterOrEqual(t, strings.Count(out, "\n#"), lastSteps-1)
}

// TestNotDeterministic runs nodes that panic after another number of steps in every run.
func TestNotDeterministic(t *testing.T) {
	boots := 0
	n := &simNodes{kind: "native", native: func(_ int, c stack.Config) (core.Verbs, error) {
		verbs, err := stack.New(c)
		boots++
		return &moody{verbs, 10 * boots}, err
	}}
	c, err := sim.Options{Scenario: "calm", Nodes: 2}.Case()
	require.NoError(t, err)
	first, err := n.simulate(t.Context(), c, sim.Harness{})
	require.NoError(t, err)
	found, err := n.investigate(t.Context(), c, &first)
	require.NoError(t, err)
	require.Equal(t, exitDiffers, found.code)
	require.False(t, found.deterministic())
	require.Regexp(t, `^FAIL S0 no-panic .*\(NOT DETERMINISTIC: in a second run step: \d+, not \d+; `, found.report.String())
}

// TestPanicsAreLocated: a report says where a node panicked.
func TestPanicsAreLocated(t *testing.T) {
	n := &simNodes{kind: "native", native: func(_ int, c stack.Config) (core.Verbs, error) {
		verbs, err := stack.New(c)
		return &moody{verbs, 50}, err
	}}
	c, err := sim.Options{Scenario: "calm", Nodes: 2}.Case()
	require.NoError(t, err)
	first, err := n.simulate(t.Context(), c, sim.Harness{})
	require.NoError(t, err)
	found, err := n.investigate(t.Context(), c, &first)
	require.NoError(t, err)
	require.Equal(t, exitUnsafe, found.code, "%v", &found.report)
	require.Regexp(t, `observed: n\d: panic: enough\n(.*\n)*  in: +cmd/nekton\.\(\*moody\)\.Step \(sim_test\.go:\d+\)\n`,
		found.report.String())
}

// moody is a node that panics after so many steps.
type moody struct {
	core.Verbs
	left int
}

func (m *moody) Step(now core.Instant, in core.Input) {
	if m.left--; m.left == 0 {
		panic("enough")
	}
	m.Verbs.Step(now, in)
}

// TestReplayOfOthers changes a bundle as another version, or a run that is not deterministic, would have written it.
func TestReplayOfOthers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "S5a-1.simrepro")
	replay := func(change func(b *repro.Bundle)) (code int, stdout, stderr string) {
		require.Equal(t, exitUnsafe, run(t.Context(), []string{"sim", "run", "testdata/two.json", "-save", file,
			"-out", t.TempDir()}, nil, new(bytes.Buffer), new(bytes.Buffer)))
		b, err := readBundle(file)
		require.NoError(t, err)
		change(b)
		require.NoError(t, writeBundle(file, b))
		var out, log bytes.Buffer
		code = run(t.Context(), []string{"sim", "replay", file}, nil, &out, &log)
		return code, out.String(), log.String()
	}

	code, out, _ := replay(func(b *repro.Bundle) { b.Expect.TraceHash, b.Expect.Violation.Step = "0123", 7 })
	require.Equal(t, exitDiffers, code)
	require.Regexp(t, `^NOT REPRODUCED: step: 3, not 7; trace hash: [0-9a-f]{16}, not 0123; the runs part after `, out)

	code, out, log := replay(func(b *repro.Bundle) { b.Manifest.Tool = "nekton v0.1.0" })
	require.Equal(t, exitUnsafe, code)
	require.Contains(t, out, "reproduced: the same outcome")
	require.Contains(t, log, "made by nekton v0.1.0 (core ")

	code, out, _ = replay(func(b *repro.Bundle) { b.Manifest.Core, b.Expect.Steps = "0123", 7 })
	require.Equal(t, exitUnsafe, code)
	require.Contains(t, out, "here: steps in all: ")

	code, out, _ = replay(func(b *repro.Bundle) { b.Manifest.Core, b.Case.Swim.Mutant = "0123", mutant.None })
	require.Equal(t, exitOK, code, "it is no bug here: good, says git bisect")
	require.Contains(t, out, "here: outcome: ok, not S5a no-self-doubt")

	code, _, log = replay(func(b *repro.Bundle) { b.Manifest.Tool, b.Case.Nodes = "nekton v9", 1_000_000 })
	require.Equal(t, exitMisuse, code)
	require.Contains(t, log, "was made by nekton v9, and this is nekton ")
	require.Contains(t, log, "use the version that made it")
}

// TestSweepOrder: however many workers there are, the same comes out in the same order.
func TestSweepOrder(t *testing.T) {
	sweep := func(jobs string) string {
		out := nekton(t, "sim", "sweep", "-seeds", "5:25", "-swarm", "lite", "-v", "-j", jobs)
		lines := strings.SplitAfter(out, "\n")
		require.Greater(t, len(lines), 20)
		return strings.Join(lines[:20], "")
	}
	require.Equal(t, sweep("1"), sweep("7"))
}

// TestSweepInterrupted sends a signal to a sweep that would go on for ever: all it learnt is there.
func TestSweepInterrupted(t *testing.T) {
	file := filepath.Join(t.TempDir(), "results.jsonl")
	cmd := exec.Command(os.Args[0], "sim", "sweep", "-seeds", "0:", "-swarm", "lite", "-json", "-v", "-out", file)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	late := time.AfterFunc(patience, func() { cmd.Process.Kill() })
	defer late.Stop()
	var lines []string
	for scanner := bufio.NewScanner(stdout); scanner.Scan(); {
		if lines = append(lines, scanner.Text()); len(lines) == 3 {
			require.NoError(t, cmd.Process.Signal(os.Interrupt))
		}
	}
	cmd.Wait()
	require.Equal(t, exitInterrupted, cmd.ProcessState.ExitCode())
	var total summary
	require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &total))
	require.Equal(t, len(lines)-1, total.Seeds)
	require.True(t, total.Canary)
	results, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, strings.Join(lines[:len(lines)-1], "\n")+"\n", string(results))
}

// TestRecordsEndTornLines appends to what somebody left behind who was killed.
func TestRecordsEndTornLines(t *testing.T) {
	file := filepath.Join(t.TempDir(), "results.jsonl")
	require.NoError(t, os.WriteFile(file, []byte("{\"seed\":1}\n{\"se"), 0o600))
	r, err := openRecords(file)
	require.NoError(t, err)
	require.NoError(t, r.add(map[string]int{"seed": 2}))
	require.NoError(t, r.close())
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "{\"seed\":1}\n{\"se\n{\"seed\":2}\n", string(text))
}

func TestSeedRanges(t *testing.T) {
	var r seedRange
	require.NoError(t, r.Set("10:21"))
	require.NoError(t, r.shardOf(""))
	require.EqualValues(t, 11, r.count())
	var seeds []uint64
	for shard := range 3 {
		require.NoError(t, r.shardOf(fmt.Sprintf("%d/3", shard)))
		for k := range r.count() {
			seeds = append(seeds, r.at(k))
		}
	}
	slices.Sort(seeds)
	require.Equal(t, []uint64{10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20}, seeds)
}

// TestExitCodesAreDocumented: the table in the documents is the one in the program.
func TestExitCodesAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/TESTING.md")
	require.NoError(t, err)
	var table strings.Builder
	for _, e := range simExits {
		fmt.Fprintf(&table, "| %d | %s |\n", e.code, e.says)
	}
	require.Contains(t, string(text), "| code | means |\n|---|---|\n"+table.String()+"\n")
}

func TestQuoted(t *testing.T) {
	for word, want := range map[string]string{
		"a/b-1.simrepro": "a/b-1.simrepro", "": "''", "it's": `'it'\''s'`, "a b": "'a b'", "$HOME": "'$HOME'", "~": "'~'",
	} {
		require.Equal(t, want, quoted(word))
	}
}

// TestWorse: of the runs of a grid, or a sweep, the worst decides, whenever it came.
func TestWorse(t *testing.T) {
	bad := []int{exitDiffers, exitUnsafe, exitNotLive, exitSlow, exitApart, exitOK}
	for i, more := range bad {
		for _, less := range bad[i:] {
			require.Equal(t, more, worse(more, less))
			require.Equal(t, more, worse(less, more))
		}
	}
}

// TestOutputThatIsLost: who cannot say that all is well must not say so by the exit code either.
func TestOutputThatIsLost(t *testing.T) {
	for _, test := range []struct {
		args []string
		code int
	}{
		{[]string{"sim", "run", "-scenario", "calm", "-nodes", "2"}, exitInfra},
		{[]string{"sim", "sweep", "-seeds", "0:1", "-swarm", "lite"}, exitInfra},
		{[]string{"sim", "replay", "testdata/missing.simrepro"}, exitMisuse}, // says nothing there
		{[]string{"sim", "sweep", "-seeds", "0:1", "-swarm", "lite", "-mutant", "canary", "-bundles="}, exitUnsafe},
	} {
		var stderr bytes.Buffer
		require.Equal(t, test.code, run(t.Context(), test.args, nil, fullDisk{}, &stderr), test.args)
		if test.code != exitMisuse {
			require.Contains(t, stderr.String(), errFull.Error(), test.args)
		}
	}
}

var errFull = errors.New("no space left")

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

// TestDamagedBundle: a bundle of this version that it cannot read is not blamed on another.
func TestDamagedBundle(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.simrepro")
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("manifest.json")
	require.NoError(t, err)
	require.NoError(t, printJSON(w, manifest()))
	require.NoError(t, z.Close())
	require.NoError(t, os.WriteFile(file, b.Bytes(), 0o600))
	_, err = readBundle(file)
	require.ErrorContains(t, err, "although it made it")
	require.NotContains(t, err.Error(), "use the version")
}
