// Package script runs golden interaction scripts as tests; their format is package golden's.
//
// A test hands [Walk] a directory and a way to make a fresh [Handler] for each script in it. To write
// a script, write the commands and run the test with -update; to review a change, read the diff.
// Commit only output that you can explain.
package script

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nekton-go/nekton/internal/golden"
)

var update = flag.Bool("update", false, "rewrite golden scripts with the output of this run")

// A Handler runs one command. An error fails the test at that line, with -update too.
type Handler = golden.Handler

// Unknown is the error for a command, or the variant of a command, that a Handler does not know.
func Unknown(args []string) error { return golden.Unknown(args) }

// Walk runs every .txt file in dir as a subtest, each with a Handler of its own.
func Walk(t *testing.T, dir string, newHandler func(t *testing.T) Handler) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts in %s (error: %v)", dir, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			replay(t, file, newHandler(t))
		})
	}
}

// replay runs one file and compares, or rewrites.
func replay(t *testing.T, file string, handle Handler) {
	t.Helper()
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s := golden.Parse(string(source))
	changes, err := s.Run(handle)
	if err != nil {
		t.Fatalf("%s:%v", file, err)
	}
	switch got := s.String(); {
	case *update && got != string(source):
		if err := os.WriteFile(file, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	case *update || got == string(source):
	case len(changes) == 0:
		t.Errorf("%s: the layout is not canonical; run the test with -update", file)
	default:
		for _, c := range changes {
			t.Errorf("%s:%s", file, c)
		}
		t.Log("if this is what you want, run the test with -update and read the diff")
	}
}
