package main

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestBenchMeasures takes every figure, of small clusters: figures of this machine prove nothing but that they
// are taken.
func TestBenchMeasures(t *testing.T) {
	b := simBench{
		ctx: t.Context(), windows: 2, pending: 1000, small: 4, medium: 8, large: 16,
		settle: time.Second, work: 400 * time.Second,
	}
	require.NoError(t, b.run())
	text, err := json.Marshal(&b.figures)
	require.NoError(t, err)
	var figures map[string]float64
	require.NoError(t, json.Unmarshal(text, &figures))
	require.Len(t, figures, 6)
	for _, key := range []string{
		"engine_events_per_s", "core_events_per_s", "nodes_1000_x", "nodes_10000_x", "bytes_per_node_10000", "oracles_cost_x",
	} {
		require.Positive(t, figures[key], key)
	}
	var out bytes.Buffer
	require.NoError(t, b.print(&out))
	require.Contains(t, out.String(), "times faster than real time")
}

func TestBenchInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	require.Equal(t, exitInterrupted, run(ctx, []string{"sim", "bench"}, nil, &stdout, &stderr))
	require.Empty(t, stdout.String())
}
