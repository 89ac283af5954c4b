package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
)

// commandLines finds calls of this program in prose, blocks of commands and examples of help.
var commandLines = regexp.MustCompile("(?m)(?:^\\s*|bin/|`)nekton ((?:sim|agent|keygen|members|demo)\\b[^`\n#|&;']*)")

// TestDocumentedCommands: every call of this program that a document or a help shows names a command that there is,
// and flags that it has.
func TestDocumentedCommands(t *testing.T) {
	docs, err := filepath.Glob("../../docs/*.md")
	require.NoError(t, err)
	var texts []string
	for _, file := range append(docs, "../../README.md") {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		texts = append(texts, string(text))
	}
	each(newRoot(), func(c *cobra.Command) { texts = append(texts, c.Example) })
	calls := 0
	for _, text := range texts {
		for _, call := range commandLines.FindAllStringSubmatch(text, -1) {
			root := newRoot()
			words := doubleDashes(root, strings.Fields(call[1]))
			c, rest, err := root.Find(words)
			require.NoError(t, err, call[0])
			require.NoError(t, c.ParseFlags(rest), call[0])
			calls++
		}
	}
	require.Greater(t, calls, 40)
}

func each(c *cobra.Command, visit func(*cobra.Command)) {
	visit(c)
	for _, sub := range c.Commands() {
		each(sub, visit)
	}
}
