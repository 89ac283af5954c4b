package swim

import "github.com/nekton-go/nekton/core"

// A Machine is one member. See the package comment.
type Machine struct {
	cfg Config
}

// New returns a member that starts with its node's first InputWake.
func New(c Config) (*Machine, error) { return &Machine{cfg: c}, nil }

// Handle implements core.Machine.
func (m *Machine) Handle(t *core.Turn, in *core.Input) {}

// Deadline implements core.Machine.
func (m *Machine) Deadline() core.Instant { return core.Never }
