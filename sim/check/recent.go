package check

import (
	"fmt"

	"github.com/nekton-go/nekton/core"
)

// recent are the last changes in a member's view: enough to say, of a breach, since when a row was as it was.
type recent struct {
	updates [recentMax]update
	next    int
}

const recentMax = 32

type update struct {
	subject int32
	step    uint64
	at      core.Instant
	in      inputNote
}

func (r *recent) add(l *Log, s int) {
	r.updates[r.next%recentMax] = update{int32(s), l.step, l.at, l.in}
	r.next++
}

// last describes the newest change of a row.
func (r *recent) last(s int) string {
	for k := r.next - 1; k >= 0 && k >= r.next-recentMax; k-- {
		if h := &r.updates[k%recentMax]; h.subject == int32(s) {
			return fmt.Sprintf("since %v, step %d, from %v", h.at, h.step, h.in)
		}
	}
	return ""
}
