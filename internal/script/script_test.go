package script

import (
	"strings"
	"testing"
)

// echo prints its arguments, one per line; "\" stands for an empty one.
func echo(args []string) (string, error) {
	switch args[0] {
	case "echo":
		return strings.ReplaceAll(strings.Join(args[1:], "\n"), `\`, ""), nil
	case "quiet":
		return "", nil
	}
	return "", Unknown(args)
}

func TestWalk(t *testing.T) {
	Walk(t, "testdata", func(*testing.T) Handler { return echo })
}
