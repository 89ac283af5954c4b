package demo

import (
	"fmt"
	"strings"
	"time"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
)

// evidence tells why a member was declared dead, in the words of the first member that declared it of its own
// accord, and best of one whose own probe had failed.
func (p *play) evidence(victim string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var told *finding
	for i, f := range p.failed {
		if f.failed.Member.Name != victim || f.failed.Evidence.Accuser != f.by {
			continue
		}
		if told == nil || told.failed.Evidence.ProbeSent == 0 && f.failed.Evidence.ProbeSent != 0 {
			told = &p.failed[i]
		}
	}
	if told == nil {
		return nil
	}
	return explain(told.by, &told.failed.Evidence)
}

func explain(by string, e *swim.Evidence) (lines []string) {
	if e.ProbeSent != 0 {
		line := by + " probed it: no answer"
		if n := len(e.Helpers); n > 0 {
			line += fmt.Sprintf("; asked %s to try: no answer either, and %d of %d said so",
				strings.Join(e.Helpers, " "), e.Nacks, n)
		}
		if e.StreamPing != core.FaultNone {
			line += fmt.Sprintf("; dialed it: %v", e.StreamPing)
		}
		lines = append(lines, line)
	}
	return append(lines, fmt.Sprintf(
		"suspected by %s; it had %v to refute and did not (%v at least, %v without a second opinion)",
		strings.Join(e.Suspects, ", "), e.Timeout.Round(time.Millisecond), e.Min, e.Max))
}
