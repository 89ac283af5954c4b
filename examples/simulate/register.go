package main

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/stack"
	"github.com/nekton-go/nekton/core/swim"
)

// Proto is the register's place among the machines of a node.
const Proto = stack.FirstFree

// gossipEvery is how often a register tells one other member what it holds.
const gossipEvery = time.Second

// A Register is one value that all members share: whoever puts last wins. It is an application's own machine,
// mounted over membership, which tells it who there is.
type Register struct {
	// TieBreak decides between two values that were put at the same count, by the name of who put them.
	// Without it both stay: this is the bug that the example plants and finds.
	TieBreak bool

	value Value
	self  string // empty until membership is ready: then nothing is taken yet
	peers []peer // alive, in the order in which they joined
	next  core.Instant
}

type peer struct {
	name string
	addr netip.AddrPort
}

// A Value is what a register holds. A greater Count is newer.
type Value struct {
	Count  uint64
	Writer string
	Text   string
}

// String puts the value on one line.
func (v Value) String() string { return fmt.Sprintf("%q, %d by %s", v.Text, v.Count, v.Writer) }

// Put asks a register to take a value.
type Put struct {
	ID   uint64
	Text string
}

// Proto implements core.Command.
func (Put) Proto() core.Proto { return Proto }

// CommandID implements core.Command.
func (p Put) CommandID() uint64 { return p.ID }

// Holds says what a register holds from now on.
type Holds struct{ Value }

// AppendText implements core.Event.
func (h *Holds) AppendText(b []byte) ([]byte, error) {
	return append(b, "holds "+h.String()...), nil
}

// Handle implements core.Machine.
func (r *Register) Handle(t *core.Turn, in *core.Input) {
	switch in.Kind {
	case core.InputCommand:
		t.Emit(&core.Done{ID: in.Command.CommandID(), Fault: r.put(t, in.Command.(Put).Text)})
	case core.InputMessage:
		if v, ok := decode(in.Message.(*core.Opaque).Data); ok && r.self != "" && r.newer(v) {
			r.take(t, v)
		}
	case core.InputEvent:
		r.member(in.Event)
	}
	if t.Now() >= r.next {
		r.next = t.Now().Add(gossipEvery)
		r.gossip(t)
	}
}

// Deadline implements core.Machine.
func (r *Register) Deadline() core.Instant { return r.next }

func (r *Register) newer(v Value) bool {
	if r.TieBreak {
		return cmp.Or(cmp.Compare(v.Count, r.value.Count), cmp.Compare(v.Writer, r.value.Writer)) > 0
	}
	return v.Count > r.value.Count
}

// put takes a value from the application, unless the node does not know its own name yet.
func (r *Register) put(t *core.Turn, text string) core.Fault {
	if r.self == "" {
		return core.FaultBusy
	}
	r.take(t, Value{r.value.Count + 1, r.self, text})
	return core.FaultNone
}

func (r *Register) take(t *core.Turn, v Value) {
	r.value = v
	t.Emit(&Holds{v})
}

// gossip tells one other member what this one holds.
func (r *Register) gossip(t *core.Turn) {
	if len(r.peers) > 0 && r.value.Count > 0 {
		to := r.peers[t.Rand().IntN(len(r.peers))]
		t.Send(to.addr, &core.Opaque{Protocol: Proto, Data: encode(r.value)})
	}
}

// member follows who there is.
func (r *Register) member(e core.Event) {
	switch e := e.(type) {
	case *swim.Ready:
		r.self = e.Self.Name
	case *swim.Joined:
		r.peers = append(r.peers, peer{e.Member.Name, e.Member.Addr})
	case *swim.Updated:
		r.forget(e.Member.Name)
		r.peers = append(r.peers, peer{e.Member.Name, e.Member.Addr})
	case *swim.Failed:
		r.forget(e.Member.Name)
	case *swim.Departed:
		r.forget(e.Member.Name)
	}
}

func (r *Register) forget(name string) {
	for i := range r.peers {
		if r.peers[i].name == name {
			r.peers = append(r.peers[:i], r.peers[i+1:]...)
			return
		}
	}
}

// encode is the count, the length of the writer's name, the name and the text.
func encode(v Value) []byte {
	b := binary.BigEndian.AppendUint64(nil, v.Count)
	b = append(b, byte(len(v.Writer)))
	return append(append(b, v.Writer...), v.Text...)
}

func decode(b []byte) (v Value, ok bool) {
	if len(b) < 9 || len(b) < 9+int(b[8]) {
		return v, false
	}
	rest := b[9:]
	return Value{binary.BigEndian.Uint64(b), string(rest[:b[8]]), string(rest[b[8]:])}, true
}
