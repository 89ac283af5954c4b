package main

import (
	"errors"

	"github.com/nekton-go/nekton/codec/abi"
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/stack"
	"github.com/nekton-go/nekton/core/swim"
)

// Proto is the greeter's place among the machines of a node.
const Proto = stack.FirstFree

// A Greeter is an application's own machine: it greets every member that joins, and tells the application
// who greeted us. It works natively and in a guest, and cannot tell which. It has no timers and no messages of
// its own: it asks membership, below it, to carry the greetings.
type Greeter struct {
	greeting []byte
	greets   bool   // membership has told who we are
	self     string // so that we do not greet ourselves
	asked    uint64 // commands sent down
}

// NewGreeter returns a machine that greets with the given words.
func NewGreeter(greeting []byte) *Greeter { return &Greeter{greeting: greeting} }

// Greeted says that another member greeted us. It is for the application.
type Greeted struct{ Words string }

// AppendText implements core.Event.
func (g *Greeted) AppendText(b []byte) ([]byte, error) { return append(b, "greeted: "+g.Words...), nil }

// Handle implements core.Machine. Events come up from the machines below.
func (m *Greeter) Handle(t *core.Turn, in *core.Input) {
	switch e := in.Event.(type) {
	case *swim.Ready:
		m.greets, m.self = true, e.Self.Name
	case *swim.Joined:
		if m.greets && e.Member.Name != m.self {
			m.asked++
			t.Call(swim.SendUser{ID: uint64(Proto)<<56 | m.asked, To: e.Member.Name, Data: m.greeting})
		}
	case *swim.UserReceived:
		t.Emit(&Greeted{Words: string(e.Data)})
	}
}

// Deadline implements core.Machine.
func (m *Greeter) Deadline() core.Instant { return core.Never }

// Mount puts a Greeter above membership: what the guest serves.
func Mount(c *abi.NodeConfig) ([]core.Mount, error) {
	if len(c.Custom) == 0 {
		return nil, errors.New("greeter: NodeConfig.Custom must be the greeting")
	}
	return []core.Mount{{Proto: Proto, Machine: NewGreeter(c.Custom)}}, nil
}

// Register lets this machine's events cross from the guest to the host as themselves.
func Register(c *abi.Catalog) { abi.Event[Greeted](c, "greeter.greeted") }
