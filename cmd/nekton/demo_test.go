package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// buildGuest builds nekton.wasm as make build does.
func buildGuest(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), guestName)
	build := exec.CommandContext(t.Context(), "go", "build", "-buildmode=c-shared", "-o", file, "../../wasm/guest")
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return file
}

func TestWithGuest(t *testing.T) {
	t.Parallel()
	guest := buildGuest(t)
	t.Run("demo", func(t *testing.T) { testDemo(t, guest) })
	t.Run("sim", func(t *testing.T) { testSimGuest(t, guest) })
	t.Run("verify", func(t *testing.T) { testVerify(t, guest) })
}

// testDemo sees every step of the demo observed, and the figures on the last line.
func testDemo(t *testing.T, guest string) {
	out := strings.TrimSpace(nekton(t, "demo", "-native", "2", "-wasm", "2", "-wasm-file", guest, "-json"))
	for _, step := range []string{"converged", "detected", "apart", "healed", "left"} {
		require.Contains(t, out, step)
	}
	require.Contains(t, out, "probed it: no answer")
	var figures map[string]any
	require.NoError(t, json.Unmarshal([]byte(out[strings.LastIndex(out, "\n")+1:]), &figures))
	require.Len(t, figures, 7)
	require.Equal(t, true, figures["ok"])
	require.EqualValues(t, 2, figures["nodes_native"])
	require.EqualValues(t, 2, figures["nodes_wasm"])
	for _, step := range []string{"converged_ms", "detected_ms", "healed_ms", "left_ms"} {
		require.GreaterOrEqual(t, figures[step], 0.0)
	}
}

// testSimGuest runs one seed natively, as compiled WebAssembly and interpreted: nobody can tell the runs apart.
func testSimGuest(t *testing.T, guest string) {
	hash := func(more ...string) any {
		var r map[string]any
		flags := append([]string{"sim", "run", "-scenario", "restart", "-nodes", "4", "-for", "45s", "-json"}, more...)
		require.NoError(t, json.Unmarshal([]byte(nekton(t, flags...)), &r))
		return r["trace_hash"]
	}
	native := hash()
	require.Equal(t, native, hash("-guest", "wasm", "-wasm-file", guest))
	require.Equal(t, native, hash("-guest", "wasm", "-wasm-file", guest, "-interpreter"))
	require.NotEqual(t, native, hash("-seed", "2"))
}

// TestDemoCutShort never reaches a step, and says so.
func TestDemoCutShort(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	code := run(ctx, []string{"demo", "-native", "4", "-wasm", "0", "-json"}, nil, &stdout, &stderr)
	require.Equal(t, exitInterrupted, code)
	lines := strings.Split(strings.TrimSpace(stdout.String()), "\n")
	require.JSONEq(t, `{"converged_ms": -1, "detected_ms": -1, "healed_ms": -1, "left_ms": -1,
		"nodes_native": 4, "nodes_wasm": 0, "ok": false}`, lines[len(lines)-1])
}

// testVerify compares this process, another one, guests, and what somebody printed who has one seed wrong.
func testVerify(t *testing.T, guest string) {
	seeds := []string{"sim", "verify", "-seeds", "0:2", "-swarm", "lite"}
	lines := strings.SplitAfter(nekton(t, append(seeds, "-print")...), "\n")
	require.Len(t, lines, 3)
	lines[1] = strings.Replace(lines[0], `"seed":0`, `"seed":1`, 1)
	file := filepath.Join(t.TempDir(), "elsewhere.jsonl")
	require.NoError(t, os.WriteFile(file, []byte(strings.Join(lines, "")), 0o600))

	var stdout, stderr bytes.Buffer
	more := []string{"-interpreted", "1", "-wasm-file", guest, "-against", file}
	code := run(t.Context(), append(seeds, more...), nil, &stdout, &stderr)
	require.Equal(t, exitDiffers, code, "%s", &stderr)
	require.Regexp(t, `^native, GOGC=off +2 seeds, \d+ steps
native, GOGC=10 +2 seeds, 2 equal
native, another process +2 seeds, 2 equal
wasm, compiled +2 seeds, 2 equal
wasm, interpreted +1 seed, 1 equal
.*elsewhere.jsonl seed 1 DIFFERS: equal up to step \d+, not by step \d+
.*elsewhere.jsonl 2 seeds, 1 equal
$`, stdout.String())

	diff := nekton(t, "sim", "diff", "1", "-swarm", "lite", "-wasm-file", guest)
	require.Regexp(t, `\nB: .*, wasm nodes: .*\nthe same\n$`, diff)
}
