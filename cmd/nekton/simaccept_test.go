package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/sim/accept"
)

// TestSimAccept: what the quick suites measure is for the tests of package accept. Here are the forms it takes.
func TestSimAccept(t *testing.T) {
	report := accept.Report{
		Gates: []accept.Gate{
			{Name: "as it should be", Expected: 2, Low: 1.9, High: 2.1, Measured: 2.05, OK: true},
			{Name: "not so", Expected: 2, Low: 1.9, High: 2.1, Measured: 2.2},
		},
		Tables: []accept.Table{{Title: "Figures", Rows: [][]string{{"n", "sent"}, {"32", "2.000"}}}},
	}
	var out bytes.Buffer
	require.NoError(t, printReport(&out, &report))
	require.Equal(t, `Figures
n   sent
32  2.000

     gate             expected  from  to   measured
ok   as it should be  2         1.9   2.1  2.05
OFF  not so           2         1.9   2.1  2.2

1 of 2 gates passed
`, out.String())

	var exit *exitError
	require.NoError(t, judge(&bytes.Buffer{}, &accept.Report{Gates: report.Gates[:1]}, true))
	out.Reset()
	require.ErrorAs(t, judge(&out, &report, true), &exit)
	require.Equal(t, exitSlow, exit.code)
	require.NoError(t, exit.err, "the report has been printed")
	var gates []map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &gates))
	require.Equal(t, map[string]any{
		"name": "not so", "expected": 2.0, "low": 1.9, "high": 2.1, "measured": 2.2, "ok": false,
	}, gates[1])
}

// TestMakeRuns makes every run once, whatever becomes of the others, and waits for none when it is interrupted.
func TestMakeRuns(t *testing.T) {
	made := make([]int, 20)
	var runs []accept.Run
	for i := range made {
		runs = append(runs, accept.Run{Make: func() error {
			if made[i]++; i%10 == 3 {
				return errors.New("bad luck")
			}
			return nil
		}})
	}
	require.EqualError(t, makeRuns(t.Context(), runs), "bad luck\nbad luck")
	for i := range made {
		require.Equal(t, 1, made[i])
	}
	require.NoError(t, makeRuns(t.Context(), nil))

	ctx, cancel := context.WithCancel(t.Context())
	release := make(chan struct{})
	defer close(release)
	stuck := accept.Run{Make: func() error { cancel(); <-release; return nil }}
	require.ErrorIs(t, makeRuns(ctx, []accept.Run{stuck}), context.Canceled)
}
