package script

import (
	"fmt"
	"strings"
)

const separator = "----"

// A script is a file as a list of entries.
type script []entry

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

func parse(source string) script {
	var s script
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

// run replaces every output by what handle prints now, and describes each one that changed.
func (s script) run(handle Handler) (changes []string, err error) {
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

// String is the file that parses to s.
func (s script) String() string {
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
