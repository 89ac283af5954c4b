package wasm

import (
	"errors"
	"fmt"

	"github.com/nekton-go/nekton/codec/abi"
	"github.com/nekton-go/nekton/codec/cbor"
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/stack"
)

// A Mounter returns the machines of a new node, to be mounted above membership, bottom first; their
// protocols lie between stack.FirstFree and 255. It may change what is code in the config: Swim.Admit.
// An error refuses the node, and its text is what the host reports.
type Mounter func(c *abi.NodeConfig) ([]core.Mount, error)

// outputKeep is how large an output buffer may stay between steps. A larger one is for one step.
const outputKeep = 1 << 20

// nodeWork is how many bytes of records making a node counts for: about what it allocates.
const nodeWork = 64 << 10

// guest is a driver of many nodes behind the functions that package codec/abi describes.
type guest struct {
	mount   Mounter
	catalog *abi.Catalog
	dialect core.Dialect
	scratch core.Scratch
	heap    *heap

	nodes []*core.Node // node n is nodes[n-1]
	freed []uint32     // numbers to use again
	input core.Input   // a field so that it does not escape
	in    []byte       // abi.InputBuffer bytes that stay in place
	large []byte       // for one record that does not fit in
	out   []byte
}

// served is what the exported functions serve.
var served = newGuest(nil)

// Serve decides which machines the nodes of this guest have above membership, and which commands and
// events of theirs can cross to the host (see abi.Catalog). Call it from init. A nil mount mounts none.
func Serve(mount Mounter, register ...func(*abi.Catalog)) { served = newGuest(mount, register...) }

func newGuest(mount Mounter, register ...func(*abi.Catalog)) *guest {
	return &guest{
		mount:   mount,
		catalog: abi.NewCatalog(register...),
		dialect: cbor.New(cbor.Config{}),
		heap:    newHeap(),
		in:      make([]byte, abi.InputBuffer),
	}
}

// inbuf returns the buffer for the next record, of n bytes; nil if that is beyond abi.InputMax.
func (g *guest) inbuf(n uint32) []byte {
	switch {
	case n <= abi.InputBuffer:
		return g.in
	case n > abi.InputMax:
		return nil
	}
	if int(n) > len(g.large) {
		g.large = make([]byte, n)
	}
	return g.large
}

// record is what the host wrote into the buffer it was given for n bytes.
func (g *guest) record(n uint32) []byte {
	if n <= abi.InputBuffer {
		return g.in[:n]
	}
	return g.large[:n] // out of range is a host that did not ask for the buffer: it traps
}

// create makes a node of the config in the input buffer and returns an abi made record.
func (g *guest) create(n uint32) []byte {
	node, err := g.assemble(n)
	g.large = nil
	g.heap.stepped(nodeWork)
	if err != nil {
		return abi.AppendMade(g.begin(), 0, err.Error())
	}
	if last := len(g.freed) - 1; last >= 0 {
		number := g.freed[last]
		g.freed, g.nodes[number-1] = g.freed[:last], node
		return abi.AppendMade(g.begin(), number, "")
	}
	g.nodes = append(g.nodes, node)
	return abi.AppendMade(g.begin(), uint32(len(g.nodes)), "")
}

func (g *guest) assemble(n uint32) (*core.Node, error) {
	c, err := abi.ReadNodeConfig(g.record(n))
	if err != nil {
		return nil, err
	}
	config := stack.Config{Seed: c.Seed, MTU: c.MTU, Dialect: g.dialect, Scratch: &g.scratch, Check: c.Check}
	if g.mount != nil {
		if config.Above, err = g.mount(&c); err != nil {
			return nil, err
		}
	} else if len(c.Custom) > 0 {
		return nil, errors.New("this guest has no machines of its own, and no use for NodeConfig.Custom")
	}
	config.Swim = c.Swim
	return stack.New(config)
}

// node returns the node of that number, or nil.
func (g *guest) node(number uint32) *core.Node {
	if number == 0 || int(number) > len(g.nodes) {
		return nil
	}
	return g.nodes[number-1]
}

func (g *guest) free(number uint32) {
	if g.node(number) != nil {
		g.nodes[number-1] = nil
		g.freed = append(g.freed, number)
	}
}

// step reads an input of n bytes, steps the node, drains it and returns an abi output record; nil if
// there is no such node. A record that is no input at all is a broken host, and panics.
func (g *guest) step(number uint32, now core.Instant, n uint32) []byte {
	node := g.node(number)
	if node == nil {
		return nil
	}
	g.out = abi.BeginOutput(g.begin())
	effects := 0
	if err := g.catalog.ReadInput(g.record(n), &g.input); err == nil {
		node.Step(now, g.input)
	} else {
		g.put(refuse(err))
		effects++
	}
	for e, ok := node.Next(); ok; e, ok = node.Next() {
		g.put(&e)
		effects++
	}
	abi.EndOutput(g.out, effects, node.Deadline())
	g.input.Data, g.input.Command, g.large = nil, nil, nil
	g.heap.stepped(int(n) + len(g.out))
	return g.out
}

// refuse ends a command that cannot be read. Anything else that cannot be read is a broken host.
func refuse(err error) *core.Effect {
	if unread, ok := errors.AsType[*abi.CommandError](err); ok {
		return &core.Effect{Kind: core.EffectEmit, Event: &unread.Done}
	}
	panic(fmt.Sprintf("wasm: the host sent no input: %v", err))
}

func (g *guest) put(e *core.Effect) {
	var err error
	if g.out, err = g.catalog.AppendEffect(g.out, e); err != nil {
		panic(err) // an address that no netip parser makes
	}
}

// stats returns the counters of a node as CBOR; nil if there is no such node.
func (g *guest) stats(number uint32) []byte {
	node := g.node(number)
	if node == nil {
		return nil
	}
	return abi.AppendStats(g.begin(), node.Stats())
}

// begin returns the empty output buffer.
func (g *guest) begin() []byte {
	if cap(g.out) > outputKeep {
		g.out = nil
	}
	return g.out[:0]
}
