package wasi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nekton-go/nekton/codec/abi"
	"github.com/nekton-go/nekton/core"
)

// PoolConfig configures a Pool. The zero value of a field means its default.
type PoolConfig struct {
	// PerInstance is how many nodes share one instance, and its fate; default 1. A simulator wants hundreds:
	// an instance without nodes takes some 4 MiB, a node in it tens of KiB.
	PerInstance int
	// RestartsMax is how many times a node may be restarted within RestartWindow; default 5, in 1 minute. A
	// node that fails more often fails for a reason that starting it again does not mend.
	RestartsMax   int
	RestartWindow time.Duration
}

// A Pool spreads nodes over instances of one module, and makes nodes anew whose instance failed. It is
// driven from one goroutine, as are all nodes of one instance.
type Pool struct {
	module    *Module
	config    PoolConfig
	instances []*Instance
}

// ErrRestarts is wrapped by the error of Restart for a node that keeps failing.
var ErrRestarts = errors.New("the guest node keeps failing")

// NewPool returns a pool without instances.
func (m *Module) NewPool(c PoolConfig) *Pool {
	if c.PerInstance == 0 {
		c.PerInstance = 1
	}
	if c.RestartsMax == 0 {
		c.RestartsMax = 5
	}
	if c.RestartWindow == 0 {
		c.RestartWindow = time.Minute
	}
	return &Pool{module: m, config: c}
}

// NewNode makes a node in the first instance that has room, or in a new one. Errors are those of
// Module.NewInstance and Instance.NewNode.
func (p *Pool) NewNode(ctx context.Context, c abi.NodeConfig) (*Node, error) {
	p.instances = slices.DeleteFunc(p.instances, func(i *Instance) bool { return i.err != nil })
	for _, i := range p.instances {
		if i.nodes < p.config.PerInstance {
			return i.NewNode(c)
		}
	}
	i, err := p.module.NewInstance(ctx)
	if err != nil {
		return nil, err
	}
	p.instances = append(p.instances, i)
	return i.NewNode(c)
}

// Restart returns a node of n's config in place of n, whose Err is not nil. What n knew is gone, as after
// a crash of the whole host, and the caller does what it does then: it hangs up n's links, completes
// the commands n had not completed, and starts the new node from the journal, as package core says.
//
// An error that wraps ErrRestarts means that n has failed too often and nothing was made.
func (p *Pool) Restart(ctx context.Context, now core.Instant, n *Node) (*Node, error) {
	if n.Err() == nil {
		panic("wasi: Restart of a node that works")
	}
	recent := slices.DeleteFunc(slices.Clone(n.restarts), func(at core.Instant) bool {
		return now.Sub(at) >= p.config.RestartWindow
	})
	if len(recent) >= p.config.RestartsMax {
		return nil, fmt.Errorf("wasi: %w: restarted %d times in %v: %w",
			ErrRestarts, len(recent), p.config.RestartWindow, n.Err())
	}
	again, err := p.NewNode(ctx, n.config)
	if err != nil {
		return nil, err
	}
	again.restarts = append(recent, now)
	return again, nil
}

// Instances are those that work.
func (p *Pool) Instances() []*Instance {
	return slices.DeleteFunc(slices.Clone(p.instances), func(i *Instance) bool { return i.err != nil })
}

// Close ends all instances.
func (p *Pool) Close(ctx context.Context) (err error) {
	for _, i := range p.instances {
		err = errors.Join(err, i.Close(ctx))
	}
	p.instances = nil
	return err
}
