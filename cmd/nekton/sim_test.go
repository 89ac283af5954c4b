package main

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/sim"
	"github.com/nekton-go/nekton/sim/check"
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

func TestVerdict(t *testing.T) {
	unsafe := []check.Violation{{Oracle: "S2", What: "what"}}
	for _, test := range []struct {
		result sim.Result
		code   int
		says   string
	}{
		{sim.Result{OK: true, Converged: true}, exitOK, "ok"},
		{sim.Result{Converged: true, Violations: unsafe}, exitUnsafe, "SAFETY: "},
		{sim.Result{Violations: unsafe}, exitUnsafe, "SAFETY: "},
		{sim.Result{Disagree: []string{"n1 of n2"}}, exitUnsettled, "NOT CONVERGED: n1 of n2"},
	} {
		var exit *exitError
		if err := verdict(&test.result); test.code == exitOK {
			require.NoError(t, err)
		} else {
			require.ErrorAs(t, err, &exit)
			require.Equal(t, test.code, exit.code)
			require.NoError(t, exit.err, "the result has been printed")
		}
		var out bytes.Buffer
		require.NoError(t, printResult(&out, &test.result, false))
		require.Contains(t, out.String(), test.says)
	}
}

// TestSimRunInterrupted does not wait for the run, which knows no context.
func TestSimRunInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	code := run(ctx, []string{"sim", "run", "-scenario", "calm", "-nodes", "2"}, nil, &stdout, &stderr)
	require.Equal(t, exitInterrupted, code)
	require.Equal(t, "nekton: interrupted\n", stderr.String())
}
