package sim

import (
	"bytes"
	"fmt"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/sim/check"
)

// work has member i do what its application wants.
func (w *world) work(i int, op *Op) {
	switch op.Kind {
	case Start:
		w.boot(i, false)
		return
	case Join:
		w.join(i, op.Peers)
		return
	case SendUser, Ping, Forget:
		for _, peer := range op.Peers {
			w.command(i, w.request(i, op, check.Name(peer)))
		}
		return
	case Key:
		if !w.sealed {
			return // there is none, and a guest is not asked what it has no words for
		}
	}
	w.command(i, w.request(i, op, ""))
}

// join has member i join by way of some peers, once it runs if it does not yet for want of its journal.
func (w *world) join(i int, peers []int) {
	if s := &w.nodes[i].storage; s.retrying {
		s.peers = peers
		return
	}
	seeds := make([]string, len(peers))
	for k, p := range peers {
		seeds[k] = check.Name(p) + port
	}
	w.command(i, swim.Join{ID: w.commandID(i), Seeds: seeds})
}

// request is one command of an operation, to or about a peer if its kind has one.
func (w *world) request(i int, op *Op, peer string) core.Command {
	if op.Kind == Call {
		return w.call(i, op)
	}
	id := w.commandID(i)
	switch op.Kind {
	case Leave:
		return swim.Leave{ID: id}
	case SetMeta:
		return swim.SetMeta{ID: id, Meta: op.payload(i, id)}
	case UserState:
		return swim.SetUserState{ID: id, Data: op.payload(i, id)}
	case SendUser:
		return swim.SendUser{ID: id, To: peer, Data: op.payload(i, id), Reliable: op.Mode == reliable}
	case Key:
		return w.rekey(i, op, id)
	case Ping:
		return swim.PingMember{ID: id, Name: peer}
	case Forget:
		return swim.Forget{ID: id, Name: peer}
	}
	panic("sim: " + op.Kind.String() + " is no command")
}

// reliable is the mode of SendUser in which what is sent goes over a link.
const reliable = "reliable"

// payload is what an operation has member i send: Text, or Size bytes that name the command.
func (o *Op) payload(i int, id uint64) []byte {
	if o.Text != "" {
		return []byte(o.Text)
	}
	word := fmt.Appendf(nil, "%s/%d ", check.Name(i), id)
	return bytes.Repeat(word, o.Size/len(word)+1)[:o.Size]
}

// chores are what applications do all the time. They are no faults, and are left out like them.
var chores = []fault{
	{"metadata", "members change their metadata", func(g *generator) []Op {
		return g.chore(Op{Kind: SetMeta, Size: g.choose(600)}) // up to what is too much
	}},
	{"user-state", "members change what they add to each push/pull", func(g *generator) []Op {
		return g.chore(Op{Kind: UserState, Size: int(g.scale(1, 5_000))})
	}},
	{"messages", "members send each other bytes of the application's", func(g *generator) []Op {
		op := Op{Kind: SendUser, Peers: g.some(1 + g.choose(g.nodes)), Size: int(g.scale(1, 20_000))}
		op.Mode = []string{"", reliable}[g.choose(2)]
		return g.chore(op)
	}},
	{"pings", "members ping others because somebody asks", func(g *generator) []Op {
		return g.chore(Op{Kind: Ping, Peers: g.some(1 + g.choose(g.nodes))})
	}},
	{"rotation", "sealed members change their key, and some miss it for a while", (*generator).rotate},
}

// chore has some members do something, up to four times.
func (g *generator) chore(op Op) (ops []Op) {
	op.Nodes = g.some(1 + g.choose(g.nodes))
	for range 1 + g.choose(4) {
		op.At = g.moment(g.from, g.to)
		ops = append(ops, op)
	}
	return ops
}
