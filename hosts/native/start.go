package native

import (
	"context"
	"errors"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/runtime"
)

// NodeConfig is all that one member of a cluster needs. Only Swim.Name is required.
type NodeConfig struct {
	Swim swim.Config // start from swim.LAN(), WAN() or Local(); Addr is the host's if it is not set
	Host Config

	// Label keeps clusters apart that could hear each other; Keys, of 16, 24 or 32 bytes, seal all
	// traffic with AES, and the first one is used to send. See package seal.
	Label       string
	Keys        [][]byte
	AcceptPlain bool // while a cluster is being moved to keys: accept what is not sealed

	MTU     int            // largest datagram on the wire, in bytes; default 1,400
	Above   []core.Mount   // machines of your own; see stack.Config
	Cluster runtime.Config // the handle; Logger is Host.Logger if it is not set
}

// Start runs a member on real sockets, disks and clocks, and returns once it is alive (see runtime.Start).
// ctx bounds the start alone. Errors say what to change: a name, an address in use, a journal that is
// locked, keys of the wrong size.
func Start(ctx context.Context, c NodeConfig) (*runtime.Cluster, error) {
	return nil, errors.New("not yet")
}
