package sim

import (
	"time"

	"github.com/nekton-go/nekton/core"
)

// uplink sends a packet over its sender's uplink, which carries Size bytes in Every. It waits for
// those before it; where the wait would be longer than Extra, there is no room for it.
func (r *rule) uplink(now core.Instant, p *path) {
	if p.size == 0 {
		return
	}
	free := &r.free[p.from]
	waits := max(free.Sub(now), 0)
	if waits > r.Extra {
		p.full = true
		return
	}
	takes := time.Duration(int64(p.size) * int64(r.Every) / int64(r.Size))
	*free = now.Add(waits + takes)
	p.queued += waits + takes
}
