// Package golden is the format of golden interaction scripts: files of commands, each followed by what it
// printed.
//
//	# Two nodes lose each other when every packet is dropped.
//	nodes 2
//	loss 1
//
//	run 2s
//	----
//	1.05s n0 suspects n1
//	1.05s n1 suspects n0
//
// A line is a command, a comment (#) or empty. A command's output stands below it, between a line of
// four dashes and the next empty line; a command that prints nothing has neither. An empty line of
// output is shown as a single dot. Comments and empty lines stay where they are.
package golden

import (
	"fmt"
	"strings"
)

const separator = "----"

// A Handler runs one command, split at white space, and returns what it printed. An error says that the
// script itself is wrong. What the code under test refuses is not an error but output.
type Handler func(args []string) (output string, err error)

// Unknown is the error for a command, or the variant of a command, that a Handler does not know.
func Unknown(args []string) error {
	return fmt.Errorf("unknown command %q", strings.Join(args, " "))
}

// A Script is a file as a list of entries.
type Script []entry

// An entry is one line that is not output, with the output that followed it.
type entry struct {
	line   int // in the file, from 1
	text   string
	output []string
}

// args is the command of an entry; empty for comments and empty lines.
func (e *entry) args() []string {
	if strings.HasPrefix(strings.TrimSpace(e.text), "#") {
		return nil
	}
	return strings.Fields(e.text)
}

// Parse reads a file. Every text is a script.
func Parse(source string) Script {
	var s Script
	lines := strings.Split(strings.TrimRight(source, "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		if lines[i] != separator || len(s) == 0 {
			s = append(s, entry{line: i + 1, text: strings.TrimRight(lines[i], " \t\r")})
			continue
		}
		for i++; i < len(lines) && lines[i] != ""; i++ {
			s[len(s)-1].output = append(s[len(s)-1].output, lines[i])
		}
		i-- // the empty line is an entry of its own
	}
	return s
}

// Run replaces every output by what handle prints now, and describes each one that changed. Its error names
// the line that handle refused.
func (s Script) Run(handle Handler) (changes []string, err error) {
	for i := range s {
		e := &s[i]
		args := e.args()
		if len(args) == 0 {
			continue
		}
		printed, err := handle(args)
		if err != nil {
			return nil, fmt.Errorf("%d: %w", e.line, err)
		}
		got := outputLines(printed)
		if d := diff(e.output, got); d != "" {
			changes = append(changes, fmt.Sprintf("%d: output of %q changed (- want, + got)\n%s", e.line, e.text, d))
		}
		e.output = got
	}
	return changes, nil
}

func outputLines(printed string) []string {
	printed = strings.TrimRight(printed, "\n")
	if printed == "" {
		return nil
	}
	lines := strings.Split(printed, "\n")
	for i, l := range lines {
		if lines[i] = strings.TrimRight(l, " \t\r"); lines[i] == "" {
			lines[i] = "."
		}
	}
	return lines
}

// String is the file that Parse reads as s.
func (s Script) String() string {
	var b strings.Builder
	for i, e := range s {
		fmt.Fprintln(&b, e.text)
		if len(e.output) == 0 {
			continue
		}
		fmt.Fprintln(&b, separator)
		for _, l := range e.output {
			fmt.Fprintln(&b, l)
		}
		if i+1 < len(s) && s[i+1].text != "" {
			fmt.Fprintln(&b)
		}
	}
	return b.String()
}
