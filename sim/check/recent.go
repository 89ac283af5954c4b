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

// lately reports whether a row was among the last few that changed, not long ago: what was to be said of it has
// not been said to all yet.
func (r *recent) lately(s int, since core.Instant) bool {
	for k := r.next - 1; k >= 0 && k >= r.next-4; k-- {
		if h := &r.updates[k%recentMax]; h.subject == int32(s) {
			return h.at > since
		}
	}
	return false
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
