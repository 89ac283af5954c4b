package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/internal/script"
)

// TestScripts runs the program as its users do. Commands of a script:
//
//	nekton ARGS        prints what the program prints, and its exit code unless it is 0
//	file NAME TEXT     writes a file
//	occupy VAR NETWORK takes a free port, for $VAR to name
//
// $dir is a fresh directory, $long a text of 300 bytes, $data is testdata. In what is printed, $wall stands for times
// that a clock measured, $hash for hashes of runs, $n for how much there was to do,
// $missing for what a short sweep did not see, and $version for what this program is.
func TestScripts(t *testing.T) {
	script.Walk(t, "testdata", func(t *testing.T) script.Handler {
		return (&scene{t: t, vars: map[string]string{
			"dir": t.TempDir(), "long": strings.Repeat("long", 75), "data": "testdata",
		}}).do
	})
}

type scene struct {
	t    *testing.T
	vars map[string]string
}

func (s *scene) do(args []string) (string, error) {
	for i := range args {
		for name, value := range s.vars {
			args[i] = strings.ReplaceAll(args[i], "$"+name, value)
		}
	}
	switch {
	case args[0] == "nekton":
		return s.nekton(args[1:]), nil
	case args[0] == "file" && len(args) >= 2:
		text := strings.ReplaceAll(strings.Join(args[2:], " "), `\n`, "\n")
		return "", os.WriteFile(filepath.Join(s.vars["dir"], args[1]), []byte(text), 0o600)
	case args[0] == "occupy" && len(args) == 3:
		return "", s.occupy(args[1], args[2])
	}
	return "", script.Unknown(args)
}

// varying is what is printed of runs that another machine, or another version, does not print likewise.
var varying = []struct {
	like  *regexp.Regexp
	shown string
}{
	{regexp.MustCompile(`\b[0-9a-f]{16}\b`), "$$hash"},
	{regexp.MustCompile(` in [0-9.]+m?s, `), " in $$wall, "},
	{regexp.MustCompile(`"wall_ms":\d+`), `"wall_ms":$$wall`},
	{regexp.MustCompile(`[0-9.]+ seeds/s`), "$$wall seeds/s"},
	{regexp.MustCompile(`"seeds_per_s":[0-9.]+`), `"seeds_per_s":$$wall`},
	{regexp.MustCompile(`\b\d+ steps, `), "$$n steps, "},
	{regexp.MustCompile(`, in \d+ runs?\b`), ", in $$n runs"},
	{regexp.MustCompile(`"steps":\d+`), `"steps":$$n`},
	{regexp.MustCompile(`traffic: [0-9.]+ packets and \d+`), "traffic: $$n packets and $$n"},
	{regexp.MustCompile(`never seen: .*`), "never seen: $$missing"},
	{regexp.MustCompile(`"coverage_missing":\[[^]]*\]`), `"coverage_missing":$$missing`},
	{regexp.MustCompile(`go run \./cmd/nekton`), "nekton"},
	{regexp.MustCompile(`nekton \(devel\)[^:(),]*`), "nekton $$version"},
}

func (s *scene) nekton(args []string) string {
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer cancel()
	var stdout, stderr bytes.Buffer
	code := run(ctx, args, strings.NewReader(""), &stdout, &stderr)
	require.NoError(s.t, ctx.Err(), "nekton %v hangs", args)
	out := strings.ReplaceAll(stdout.String()+stderr.String(), os.Args[0], "nekton")
	for _, v := range varying {
		out = v.like.ReplaceAllString(out, v.shown)
	}
	for name, value := range s.vars {
		if name != "data" {
			out = strings.ReplaceAll(out, value, "$"+name)
		}
	}
	if code != exitOK {
		out += fmt.Sprintf("exit code %d\n", code)
	}
	return out
}

func (s *scene) occupy(name, network string) error {
	switch network {
	case "tcp":
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		s.t.Cleanup(func() { l.Close() })
		s.vars[name] = l.Addr().String()
	case "udp":
		l, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		s.t.Cleanup(func() { l.Close() })
		s.vars[name] = l.LocalAddr().String()
	default:
		return fmt.Errorf("unknown network %q", network)
	}
	return nil
}
