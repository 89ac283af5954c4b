package swim

import (
	"time"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/internal/mutant"
)

// Local health (Lifeguard §IV-A): a member that misses answers it should have got suspects itself
// first, and gives the others more time. The score is 0 when all is well and Config.HealthMax at worst.

// feel moves the score, and says so if it moved.
func (m *Machine) feel(t *core.Turn, delta int) {
	was := m.health
	m.health = min(max(was+delta, 0), m.cfg.HealthMax+m.bug(mutant.BoundlessHealth))
	if m.health != was {
		t.Emit(&HealthChanged{Score: m.health, Was: was})
	}
}

// patience stretches a timeout by the score.
func (m *Machine) patience(d time.Duration) time.Duration {
	return d * time.Duration(m.health*(1-m.bug(mutant.IgnoreHealth))+1)
}
