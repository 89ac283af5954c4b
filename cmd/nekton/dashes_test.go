package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDoubleDashes(t *testing.T) {
	for in, want := range map[string]string{
		"":                                 "",
		"members -json":                    "members --json",
		"members --json":                   "members --json",
		"sim run -nodes 5 -json":           "sim run --nodes 5 --json",
		"sim run -nodes=5":                 "sim run --nodes=5",
		"agent -meta -name -name -meta":    "agent --meta -name --name -meta",
		"agent -meta":                      "agent --meta",
		"agent -tcp-only -name a":          "agent --tcp-only --name a",
		"sim run -for -1m":                 "sim run --for -1m",
		"keys install -":                   "keys install -",
		"join -h":                          "join -h",
		"join -http 127.0.0.1:1 -- -name":  "join --http 127.0.0.1:1 -- -name",
		"nothing -of -the -sort":           "nothing --of --the --sort",
		"agent --config=-x -log-level=-yy": "agent --config=-x --log-level=-yy",
	} {
		require.Equal(t, want, strings.Join(doubleDashes(newRoot(), strings.Fields(in)), " "), in)
	}
}
