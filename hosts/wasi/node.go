package wasi

import (
	"context"
	"fmt"

	"github.com/nekton-go/nekton/codec/abi"
	"github.com/nekton-go/nekton/core"
)

// A Node is a node inside an instance, with the three verbs of core.Node. Its effects are valid until the
// next Step of any node of the instance, and must be drained before that.
//
// A node whose instance has failed is inert: Step does nothing, Next has nothing, Deadline is never, and
// Err says why. It never panics for anything the guest did.
type Node struct {
	instance *Instance
	config   abi.NodeConfig
	restarts []core.Instant // see Pool
	number   uint32
	deadline core.Instant
	effects  int          // of the last step, not yet seen
	records  []byte       // theirs, in the guest's memory
	own      *core.Effect // an effect of the host's making: the end of a command that could not cross
	input    core.Input   // a field so that it does not escape
	effect   core.Effect  // likewise
}

var _ core.Verbs = (*Node)(nil)

// NewNode makes a node in the instance. An error that is not a *TrapError is the guest's or the config's,
// and leaves the instance as it was.
func (i *Instance) NewNode(c abi.NodeConfig) (*Node, error) {
	record, err := abi.AppendNodeConfig(nil, &c)
	if err != nil {
		return nil, err
	}
	if !i.drained {
		panic("wasi: NewNode called before Next was drained")
	}
	if err := i.write(record); err != nil {
		return nil, err
	}
	result, err := i.call(abi.ExportNew, uint64(len(record)))
	if err != nil {
		return nil, err
	}
	answer, err := i.read(abi.Span(result))
	if err != nil {
		return nil, err
	}
	number, why, err := abi.ReadMade(answer)
	if err != nil {
		return nil, i.fail(err)
	}
	if number == 0 {
		return nil, fmt.Errorf("wasi: the guest refuses the node: %s", why)
	}
	i.nodes++
	return &Node{instance: i, config: c, number: number, deadline: core.Never}, nil
}

// Step implements core.Verbs. Like core.Node it panics when the host is broken: when effects of the
// instance have not been drained, or for an input that hosts do not send.
func (n *Node) Step(now core.Instant, in core.Input) {
	i := n.instance
	if !i.drained {
		panic("wasi: Step called before Next was drained")
	}
	if in.Kind > core.InputCommand {
		panic(fmt.Sprintf("wasi: input kind %d is not for hosts to send", in.Kind))
	}
	if i.err != nil || n.number == 0 {
		n.deadline = core.Never
		return
	}
	i.now = max(i.now, now)
	n.input = in
	size, ok := n.send()
	n.input = core.Input{}
	if !ok {
		return
	}
	i.refill()
	i.stack = [3]uint64{uint64(n.number), uint64(now), uint64(size)}
	if err := i.step.CallWithStack(context.Background(), i.stack[:]); err != nil {
		n.fail(err)
		return
	}
	output, err := i.read(abi.Span(i.stack[0]))
	if err != nil {
		n.fail(err)
		return
	}
	if n.deadline, n.effects, n.records, err = abi.ReadOutput(output); err != nil {
		n.fail(err)
		return
	}
	i.drained = n.effects == 0
}

// send writes n.input into the guest's memory and returns the size of its record. If it cannot cross, it
// reports false, and a command is completed here.
func (n *Node) send() (size int, ok bool) {
	i := n.instance
	buffer, ok := i.memory.Read(i.inbuf, abi.InputBuffer)
	if !ok {
		n.fail(fmt.Errorf("its input buffer at %#x is not in its memory", i.inbuf))
		return 0, false
	}
	record, err := i.module.config.Catalog.AppendInput(buffer[:0], &n.input)
	switch {
	case err != nil && n.input.Kind == core.InputCommand:
		n.own = &core.Effect{Kind: core.EffectEmit, Event: &core.Done{
			ID: n.input.Command.CommandID(), Fault: core.FaultInvalid, Detail: err.Error(),
		}}
		i.drained = false
		return 0, false
	case err != nil:
		panic(fmt.Sprintf("wasi: %v", err)) // beyond abi.InputMax: the host did not bound what it read
	case len(record) > abi.InputBuffer: // so it is not in the buffer
		if err := i.write(record); err != nil {
			n.fail(err)
			return 0, false
		}
	}
	return len(record), true
}

// Next implements core.Verbs.
func (n *Node) Next() (core.Effect, bool) {
	i := n.instance
	if n.own != nil {
		e := *n.own
		n.own, i.drained = nil, true
		return e, true
	}
	if n.effects == 0 {
		return core.Effect{}, false
	}
	rest, err := i.module.config.Catalog.ReadEffect(n.records, &n.effect)
	if err != nil {
		n.fail(err)
		return core.Effect{}, false
	}
	n.records = rest
	n.effects--
	i.drained = n.effects == 0
	return n.effect, true
}

// Deadline implements core.Verbs.
func (n *Node) Deadline() core.Instant {
	if n.instance.err != nil {
		return core.Never
	}
	return n.deadline
}

// Err is why the node is inert, or nil.
func (n *Node) Err() error { return n.instance.err }

// Instance is where the node lives.
func (n *Node) Instance() *Instance { return n.instance }

// Stats returns the node's counters; none once it is inert.
func (n *Node) Stats() core.Stats {
	if n.number == 0 || !n.instance.drained {
		return core.Stats{}
	}
	result, err := n.instance.call(abi.ExportStats, uint64(n.number))
	if err != nil {
		return core.Stats{}
	}
	answer, err := n.instance.read(abi.Span(result))
	if err != nil {
		return core.Stats{}
	}
	s, err := abi.ReadStats(answer)
	if err != nil {
		n.fail(err)
	}
	return s
}

// Free forgets the node, so that the instance can hold another in its place.
func (n *Node) Free() {
	if n.number != 0 {
		_, _ = n.instance.call(abi.ExportFree, uint64(n.number)) // a failed instance has no nodes to free
		n.number = 0
		n.instance.nodes--
	}
}

// fail ends the instance and whatever of this step was still to be seen.
func (n *Node) fail(cause error) {
	n.instance.fail(cause)
	n.instance.drained = true
	n.effects, n.records, n.deadline = 0, nil, core.Never
}
