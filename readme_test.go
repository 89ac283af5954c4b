package nekton_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every piece of Go in README.md stands, line by line, in a program or example that compiles and runs.
func TestReadmeCodeIsReal(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	var sources []string
	for _, pattern := range []string{"examples/*/*.go", "sim/example_test.go", "hosts/native/example_test.go"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, f := range files {
			b, err := os.ReadFile(f)
			require.NoError(t, err)
			sources = append(sources, string(b))
		}
	}
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(readme), -1)
	require.NotEmpty(t, blocks)
	for _, block := range blocks {
		require.True(t, stands(block[1], sources), "no example has these lines, in this order:\n%s", block[1])
	}
}

// stands reports whether one source has all lines of a block, in order; others may stand between them.
func stands(block string, sources []string) bool {
	for _, source := range sources {
		rest, all := source, true
		for line := range strings.Lines(strings.TrimSpace(block)) {
			_, after, ok := strings.Cut(rest, strings.TrimSpace(line)+"\n")
			rest, all = after, all && ok
		}
		if all {
			return true
		}
	}
	return false
}
