package runtime

import (
	"context"
	"log/slog"
	"time"

	"github.com/nekton-go/nekton/codec/seal"
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
)

// garbage logs counters of refused input at a bounded rate: while a counter grows, one line per name and
// period. It belongs to the loop.
type garbage struct {
	logger *slog.Logger
	every  time.Duration
	counts func(add func(name string, n uint64))
	next   core.Instant
	logged map[string]uint64
}

func (g *garbage) report(now core.Instant) {
	if now < g.next || g.counts == nil {
		return
	}
	g.next = now.Add(g.every)
	if g.logged == nil {
		g.logged = map[string]uint64{}
	}
	g.counts(func(name string, n uint64) {
		if before := g.logged[name]; n > before {
			g.logged[name] = n
			g.logger.Warn("refused input", "what", name, "new", n-before, "total", n)
		}
	})
}

// CountNode gives add the counters of s that count refused input.
func CountNode(s core.Stats, add func(name string, n uint64)) {
	add("datagrams_bad", s.DatagramsBad)
	add("unroutable", s.Unroutable)
	add("sends_too_large", s.SendsTooLarge)
	add("links_refused", s.LinksRefused)
	add("links_idle", s.LinksIdle)
	add("links_bad", s.LinksBad)
}

// CountSeal gives add the counters of s that count refused input.
func CountSeal(s seal.Stats, add func(name string, n uint64)) {
	add("seal_bad_label", s.BadLabel)
	add("seal_bad", s.BadSeal)
	add("seal_replayed", s.Replayed)
	add("seal_malformed", s.Malformed)
	add("seal_links_refused", s.LinksRefused)
}

// Counts returns the counters of refused input, by name.
func (c *Cluster) Counts(ctx context.Context) (map[string]uint64, error) {
	counts := map[string]uint64{}
	err := c.onLoop(ctx, func() {
		if c.config.Counts != nil {
			c.config.Counts(func(name string, n uint64) { counts[name] = n })
		}
	})
	if err != nil {
		return nil, err
	}
	return counts, nil
}

// logEvent tells the log what happened to membership.
func logEvent(log *slog.Logger, e core.Event) {
	switch e := e.(type) {
	case *swim.Ready:
		log.Info("member ready", member(e.Self)...)
	case *swim.Joined:
		log.Info("member joined", member(e.Member)...)
	case *swim.Updated:
		log.Info("member updated", member(e.Member)...)
	case *swim.Suspected:
		log.Warn("member suspected", append(member(e.Member), "from", e.From)...)
	case *swim.Refuted:
		log.Info("member refuted", member(e.Member)...)
	case *swim.Failed:
		evidence, _ := e.Evidence.AppendText(nil)
		log.Warn("member failed", append(member(e.Member), "evidence", string(evidence))...)
	case *swim.Departed:
		log.Info("member left", member(e.Member)...)
	case *swim.Reaped:
		log.Info("member forgotten", "name", e.Name)
	case *swim.Conflict:
		log.Error("two members claim one name", "name", e.Name, "existing", e.Existing, "other", e.Other)
	case *swim.HealthChanged:
		log.Debug("own health changed", "score", e.Score, "was", e.Was)
	}
}

func member(m swim.Member) []any {
	return []any{"name", m.Name, "addr", m.Addr, "incarnation", m.Incarnation}
}
