package golden

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
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

func TestRewriteKeepsEverythingButOutput(t *testing.T) {
	tests := map[string]struct{ source, want string }{
		"a new command":           {"echo a", "echo a\n----\na\n"},
		"comments and gaps":       {"# one\n\n\n# two\nquiet\n", "# one\n\n\n# two\nquiet\n"},
		"stacked":                 {"quiet\necho a\necho b\n", "quiet\necho a\n----\na\n\necho b\n----\nb\n"},
		"stale output":            {"echo a\n----\nx\ny\n\nquiet\n----\nz\n", "echo a\n----\na\n\nquiet\n"},
		"empty lines of output":   {`echo a \ b`, "echo a \\ b\n----\na\n.\nb\n"},
		"output like a command":   {"echo quiet\n----\nquiet\n", "echo quiet\n----\nquiet\n"},
		"output like a separator": {"echo ---- a\n", "echo ---- a\n----\n----\na\n"},
		"trailing space":          {"quiet  \n", "quiet\n"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := Parse(test.source)
			_, err := s.Run(echo)
			require.NoError(t, err)
			require.Equal(t, test.want, s.String())

			again := Parse(test.want)
			changes, err := again.Run(echo)
			require.NoError(t, err)
			require.Empty(t, changes, "what was written must pass")
			require.Equal(t, test.want, again.String())
		})
	}
}

func TestChangesAreShownAtTheirLine(t *testing.T) {
	s := Parse("# title\necho a b c\n----\na\nx\nc\n")
	changes, err := s.Run(echo)
	require.NoError(t, err)
	require.Equal(t, []string{"2: output of \"echo a b c\" changed (- want, + got)\n\t  a\n\t- x\n\t+ b\n\t  c\n"}, changes)
}

func TestUnknownCommandsAreErrorsAtTheirLine(t *testing.T) {
	_, err := Parse("quiet\n\nsing loud\n").Run(echo)
	require.EqualError(t, err, `3: unknown command "sing loud"`)
}
