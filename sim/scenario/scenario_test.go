package scenario

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/sim"
)

// TestLibrary runs every file of the library: nothing may break, and what it expects must come true.
func TestLibrary(t *testing.T) {
	for _, name := range Library() {
		t.Run(name, func(t *testing.T) {
			text, err := File(name)
			require.NoError(t, err)
			runs, err := Parse(text)
			require.NoError(t, err)
			for _, run := range runs {
				require.Equal(t, name, run.Case.Name)
				r, err := sim.Simulate(run.Case, sim.Harness{})
				require.NoError(t, err)
				require.True(t, r.OK, "%s: %v %v", run.Point, r.Violations, r.Disagree)
				require.Empty(t, Unmet(run.Expects, &r))
			}
		})
	}
}

// TestGrid pins the order of the runs, and that each has its values.
func TestGrid(t *testing.T) {
	runs, err := Parse([]byte(`
nodes = 8
[[op]]
kind = "pause"
nodes = { pick = 1 }
from = "10s"
to = "12s"
[swim]
SuspicionMult = 3
[grid]
"op.0.nodes.pick" = [1, 2]
seed = [7, 8]
"swim.SuspicionMult" = [5]
`))
	require.NoError(t, err)
	var got []string
	for _, run := range runs {
		op := run.Case.Ops[len(run.Case.Ops)-1]
		require.Equal(t, sim.Pause, op.Kind)
		require.Equal(t, 12*time.Second, run.Case.Mark)
		got = append(got, fmt.Sprint(run.Point, ": ", len(op.Nodes), run.Case.Seed, run.Case.Swim.SuspicionMult))
	}
	require.Equal(t, []string{
		"op.0.nodes.pick=1 seed=7 swim.SuspicionMult=5: 1 7 5",
		"op.0.nodes.pick=1 seed=8 swim.SuspicionMult=5: 1 8 5",
		"op.0.nodes.pick=2 seed=7 swim.SuspicionMult=5: 2 7 5",
		"op.0.nodes.pick=2 seed=8 swim.SuspicionMult=5: 2 8 5",
	}, got)
}

// TestRefuses pins what is refused, and that the message helps.
func TestRefuses(t *testing.T) {
	for text, want := range map[string]string{
		`colour = "red"`:                            "nobody knows colour",
		`nodes = 0`:                                 "nodes = 0; use 1 to",
		`nodes = "many"`:                            "nodes",
		`preset = "moon"`:                           `unknown preset "moon"`,
		`seed = -1`:                                 "seed = -1; use 0 or more",
		`for = "soon"`:                              `"soon" is no duration`,
		`for = "-5s"`:                               "but its last disturbance",
		`for = "1000h"`:                             "a duration of 1000h",
		"nodes = 9\nfor = \"10ms\"":                 "its last disturbance ends at",
		`[net]` + "\nlatency=[\"1s\"]":              "net.latency: give the least and the most",
		"[net]\nshape=\"round\"":                    `a latency of shape "round"; use one of`,
		"[net]\nshape=\"even\"\nmean=\"2s\"":        "a mean latency of 2s; use 500µs to 1.5ms",
		`[swim]` + "\nProbe=1":                      "swim.Probe: swim.Config has no such field",
		`[swim]` + "\nProbeInterval=\"x\"":          `swim.ProbeInterval: "x" is no duration`,
		`[swim]` + "\nProbeInterval=\"-3s\"":        "must be shorter than ProbeInterval -3s",
		`[swim]` + "\nSuspicionMult=0.5":            "swim.SuspicionMult",
		`[swim]` + "\nSuspicionMult=1000":           "SuspicionMult is 1000; give 1 to 100",
		`[[op]]` + "\nkind=\"fly\"":                 `op.0: bad scenario file: kind: there is no kind of operation called "fly"`,
		"[[op]]\nkind=\"pause\"":                    "say which members",
		"[[op]]\nkind=\"pause\"\nnodes=\"n99\"":     `"n99" is no member; there are n0 to n15`,
		"[[op]]\nkind=\"pause\"\nnodes={pick=17}":   "pick = 17 of 16 members",
		"[[op]]\nkind=\"pause\"\nnodes={pick=0}":    "pick = 0 of 16 members; use 1 to 16",
		"[[op]]\nkind=\"pause\"\nnodes={percent=0}": "percent = 0; use 1 to 100",
		"[[op]]\nkind=\"pause\"\nnodes=5":           "which members?",
		"[[op]]\nkind=\"cut\"\npeers=\"others\"":    "others than whom?",
		"[[op]]\nkind=\"pause\"\nnodes=\"n1\"\nfrom=\"9s\"\nto=\"8s\"": "it ends before it begins",
		"[[op]]\nkind=\"pause\"\nnodes=\"n1\"\nat=\"9s\"\nto=\"8s\"":   "give at, or from and to",
		"[[op]]\nkind=\"loss\"\nppm=2000000":                           "2000000 in a million",
		"[[op]]\nkind=\"loss\"\nppn=2000":                              "nobody knows op.ppn",
		"[[expect]]\nmetric=\"joy\"\nat_most=1":                        `nobody measures "joy"`,
		"[[expect]]\nmetric=\"violations\"":                            "say at_most or at_least",
		"[grid]\n\"op.0.ppm\"=[1]":                                     "grid: op.0.ppm",
		"[grid]\nseed=1":                                               "grid: seed must be a list",
		"grid=1":                                                       "grid must be a table",
		"= 1":                                                          "bad scenario file",
	} {
		_, err := Parse([]byte(text))
		require.ErrorIs(t, err, ErrFile, text)
		require.ErrorContains(t, err, want, text)
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range Library() {
		text, err := File(name)
		require.NoError(f, err)
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		runs, err := Parse(text)
		if err != nil {
			require.ErrorIs(t, err, ErrFile)
		}
		for i := range runs {
			require.NoError(t, runs[i].Case.Validate())
		}
	})
}
