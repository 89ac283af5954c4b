package native

import (
	"context"
	"crypto/rand"
	"errors"
	"hash/fnv"
	"os"
	"time"

	"github.com/nekton-go/nekton/codec/cbor"
	"github.com/nekton-go/nekton/codec/seal"
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/stack"
	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/runtime"
)

// mtu is what a datagram may be large on the wire unless NodeConfig says otherwise.
const mtu = 1400

// NodeConfig is all that one member of a cluster needs. Only Swim.Name is required.
type NodeConfig struct {
	Swim swim.Config // start from swim.LAN(), WAN() or Local(); Addr is the host's if it is not set
	Host Config

	// Label keeps clusters apart that could hear each other; Keys, of 16, 24 or 32 bytes, seal all
	// traffic with AES, and the first one is used to send. See package seal.
	Label string
	Keys  [][]byte
	// Two steps of moving a running cluster to keys: accept what is not sealed; send nothing sealed yet.
	AcceptPlain, SendPlain bool

	MTU     int            // largest datagram on the wire, in bytes; default 1,400
	Above   []core.Mount   // machines of your own; see stack.Config
	Cluster runtime.Config // the handle; Logger is Host.Logger if it is not set
}

// Start runs a member on real sockets, disks and clocks, and returns once it is alive (see runtime.Start).
// ctx bounds the start alone. Errors say what to change: a name, an address in use, a journal that is
// locked, keys of the wrong size.
func Start(ctx context.Context, c NodeConfig) (*runtime.Cluster, error) {
	host, err := Listen(c.Host)
	if err != nil {
		return nil, err
	}
	if !c.Swim.Addr.IsValid() {
		c.Swim.Addr = host.Advertised()
	}
	if c.Cluster.Logger == nil {
		c.Cluster.Logger = c.Host.Logger
	}
	node, err := assemble(&c, host)
	if err != nil {
		return nil, errors.Join(err, host.Close())
	}
	return runtime.Start(ctx, node, host, c.Cluster)
}

// machinePhase is the same for every member on this machine, and as good as random between machines.
func machinePhase() time.Duration {
	name, _ := os.Hostname() // without one, all such machines share a phase
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))
	return 1 + time.Duration(h.Sum64()%uint64(time.Hour))
}

// assemble builds the node, and teaches c.Cluster to read its counters.
func assemble(c *NodeConfig, host *Host) (core.Verbs, error) {
	if c.Swim.Phase == 0 {
		c.Swim.Phase = machinePhase()
	}
	config := stack.Config{
		Swim: c.Swim, Dialect: cbor.New(cbor.Config{}), MTU: defaulted(c.MTU, mtu), Above: c.Above,
	}
	_, _ = rand.Read(config.Seed[:]) // never fails
	sealing := seal.Config{Label: c.Label, Keys: c.Keys, AcceptPlain: c.AcceptPlain, SendPlain: c.SendPlain}
	sealed := c.Label != "" || len(c.Keys) > 0
	if sealed {
		_, _ = rand.Read(sealing.Session[:])
		config.MTU -= seal.Overhead(sealing)
	}
	node, err := stack.New(config)
	if err != nil {
		return nil, err
	}
	counters := []func(add func(string, uint64)){
		func(add func(string, uint64)) { runtime.CountNode(node.Stats(), add) },
		func(add func(string, uint64)) { host.Stats().countRefused(add) },
	}
	if c.Cluster.Counts != nil {
		counters = append(counters, c.Cluster.Counts)
	}
	verbs := core.Verbs(node)
	if sealed {
		outer, err := seal.New(node, sealing)
		if err != nil {
			return nil, err
		}
		counters = append(counters, func(add func(string, uint64)) { runtime.CountSeal(outer.Stats(), add) })
		verbs = outer
	}
	c.Cluster.Counts = func(add func(name string, n uint64)) {
		for _, count := range counters {
			count(add)
		}
	}
	return verbs, nil
}
