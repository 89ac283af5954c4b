package sim

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/internal/script"
	"github.com/nekton-go/nekton/sim/check"
)

// TestWorldScripts shows what the network, links, processes and journals do, with nodes that only report.
func TestWorldScripts(t *testing.T) {
	script.Walk(t, filepath.Join("testdata", "world"), func(t *testing.T) script.Handler {
		return toys{NewStage(Harness{NewNode: newToy})}.do
	})
}

// TestClusterScripts shows whole clusters.
func TestClusterScripts(t *testing.T) {
	script.Walk(t, filepath.Join("testdata", "cluster"), func(t *testing.T) script.Handler {
		return NewStage(Harness{}).Do
	})
}

// toys is a Stage whose nodes are ordered about.
type toys struct{ *Stage }

func (s toys) do(args []string) (string, error) {
	e, ok, err := s.order(args)
	if ok {
		s.w.command(check.Index(args[1]), order{e})
		return "", err
	}
	out, err := s.Do(args)
	var kept strings.Builder
	for line := range strings.Lines(out) {
		if !strings.HasSuffix(line, " obeyed\n") {
			kept.WriteString(line)
		}
	}
	return kept.String(), err
}

// order reads what a toy should do.
func (s toys) order(args []string) (e core.Effect, ok bool, err error) {
	rest := strings.Join(args[min(2, len(args)):], " ")
	switch args[0] {
	case "send":
		return toySend(check.Index(args[2]), strings.Join(args[3:], " ")), true, nil
	case "dial":
		e = core.Effect{Kind: core.EffectDial, To: nowhere}
		if k := check.Index(args[2]); k >= 0 {
			e.To = address(k)
		}
		return e, true, nil
	case "write":
		return core.Effect{Kind: core.EffectWrite, Data: []byte(rest)}, true, nil
	case "close":
		return core.Effect{Kind: core.EffectClose}, true, nil
	case "resolve":
		return core.Effect{Kind: core.EffectResolve, Name: rest}, true, nil
	case "append":
		return core.Effect{Kind: core.EffectAppend, Proto: 200, Data: []byte(rest)}, true, nil
	case "compact":
		return core.Effect{Kind: core.EffectCompact, Proto: 200, Data: []byte(rest)}, true, nil
	case "wake":
		d, err := time.ParseDuration(rest)
		return core.Effect{Token: core.Token(d)}, true, err
	}
	return e, false, nil
}

// TestStageRefuses pins what makes no sense, and that the message helps.
func TestStageRefuses(t *testing.T) {
	s := NewStage(Harness{})
	do := func(line string) error {
		_, err := s.Do(strings.Fields(line))
		return err
	}
	require.EqualError(t, do("run 1s"), "begin with: nodes N")
	for line, want := range map[string]string{
		"nodes": "something is missing at the end", "nodes many": `"many" is no whole number`,
		"nodes 0": "0 nodes, seed 0; use 1 to ", "nodes 2 1 x": `what is "x"?`, "nodes 2 -1": "no negative seed",
	} {
		require.ErrorContains(t, do(line), want, line)
	}
	require.NoError(t, do("nodes 2"))
	for line, want := range map[string]string{
		"run": "something is missing", "run soon": `"soon" is no duration`, "run -1s": "no duration",
		"run 1s now": `what is "now"?`, "trace all": `"all": use one of everything, events, quiet`,
		"dance": `unknown command "dance"`, "views please": `what is "please"?`, "clock n2": "Members are n0 to n1",
		"crash": "say which members", "crash n2": `what is "n2"? Members are n0 to n1`, "loss x ppm": "no whole number",
		"pause n0 for": "something is missing", "cut n0 - n1 for 0s x": `what is "x"?`, "crash n0 lost for -1s": "no duration",
	} {
		require.ErrorContains(t, do(line), want, line)
	}
	require.NoError(t, do("run 1s"))
	require.Equal(t, fmt.Sprint(time.Second), s.w.now.String())
}
