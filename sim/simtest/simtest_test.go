package simtest

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/stack"
	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/sim"
	"github.com/nekton-go/nekton/sim/check"
)

// TestSwarms is what a user of the module writes first.
func TestSwarms(t *testing.T) { Run(t, Test{Seeds: "0:5"}) }

// forgetful is a node that never tells its application when a suspect turns out to be well.
type forgetful struct{ core.Verbs }

func (f forgetful) Next() (core.Effect, bool) {
	e, ok := f.Verbs.Next()
	if _, refuted := e.Event.(*swim.Refuted); refuted {
		return f.Next()
	}
	return e, ok
}

func newForgetful(_ int, c stack.Config) (core.Verbs, error) {
	node, err := stack.New(c)
	return forgetful{node}, err
}

// TestFindings lets a bug be found: it is made small, kept, described, and found again from what was kept.
func TestFindings(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "sim")
	s := Test{Harness: sim.Harness{NewNode: newForgetful}}
	report, err := s.hunt("TestRegister", dir, 1, 50)
	require.NoError(t, err)
	require.Regexp(t, `(?s)^seed \d+ fails:
.*S11. events-.*
shrunk from \d+ members and \d+ faults to [23] and [0-4]:
  t=.*start n0
.*
kept as .*S11.-\d+\.json
reproduce: go test \S+/sim/simtest -run '\^TestRegister\$/\^S11.-\d+\$'$`, report)

	kept, err := filepath.Glob(filepath.Join(dir, "*.json"))
	require.NoError(t, err)
	require.Len(t, kept, 1)
	report, err = s.again(kept[0])
	require.NoError(t, err)
	require.Contains(t, report, "still fails:")
	mended := Test{}
	report, err = mended.again(kept[0])
	require.NoError(t, err)
	require.Empty(t, report)
}

// TestNowhereToKeep describes a finding that cannot be written down.
func TestNowhereToKeep(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	s := Test{Harness: sim.Harness{NewNode: newForgetful}}
	report, err := s.hunt("TestRegister", filepath.Join(file, "sim"), 0, 50)
	require.NoError(t, err)
	require.Contains(t, report, "cannot keep the smaller case")
	require.Regexp(t, `reproduce: go test \S+/sim/simtest -run '\^TestRegister\$' -sim.seeds=\d+:\d+$`, report)
}

// complains is an oracle with a name that is no file's, which finds one thing wrong at the end.
type complains struct{ log *check.Log }

func (complains) Input(core.Instant, int, *core.Input)   {}
func (complains) Effect(core.Instant, int, *core.Effect) {}
func (c complains) Finished(core.Instant)                { c.log.Add(check.Violation{Oracle: "a/b: c", What: "no"}) }

// TestOraclesHaveAnyName keeps a finding where Run looks for it, and names it as go test wants it.
func TestOraclesHaveAnyName(t *testing.T) {
	dir := t.TempDir()
	s := Test{Swarm: "lite", Harness: sim.Harness{
		Oracles: []sim.NewOracle{func(l *check.Log) check.Oracle { return complains{l} }},
	}}
	report, err := s.hunt("TestRegister/one[1]", dir, 0, 1)
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(dir, "a-b-c-0.json"))
	require.Contains(t, report, `-run '^TestRegister$/^one\[1\]$/^a-b-c-0$'`)
}

// TestBelow tells whether one kept case is asked for, which then runs alone.
func TestBelow(t *testing.T) {
	run := flag.Lookup("test.run").Value
	defer func(before string) { require.NoError(t, run.Set(before)) }(run.String())
	for pattern, want := range map[string]bool{"": false, "^TestA$": false, "^TestA$/^S2-7$": true} {
		require.NoError(t, run.Set(pattern))
		require.Equal(t, want, below("TestA/S2-7"), pattern)
	}
}

func TestBadCases(t *testing.T) {
	file := filepath.Join(t.TempDir(), "old.json")
	require.NoError(t, os.WriteFile(file, []byte(`{"warp":9}`), 0o600))
	_, err := new(Test).again(file)
	require.ErrorContains(t, err, "if it is from another version, delete it")
	_, err = (&Test{Swarm: "bees"}).hunt("", "", 0, 1)
	require.ErrorContains(t, err, `there is no swarm called "bees"`)
}

func TestSeeds(t *testing.T) {
	for text, want := range map[string][2]uint64{"": {0, 20}, "3:4": {3, 4}} {
		first, end, err := seeds("", text)
		require.NoError(t, err)
		require.Equal(t, want, [2]uint64{first, end})
	}
	for _, text := range []string{"7", "a:b", "4:4", "5:4", ":"} {
		_, _, err := seeds(text)
		require.ErrorIs(t, err, errSeeds)
	}
}
