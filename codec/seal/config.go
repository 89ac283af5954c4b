package seal

import (
	"fmt"

	"github.com/nekton-go/nekton/core"
)

// Config configures a Node. The zero value of a bound means its default.
type Config struct {
	// Label names the cluster. Nodes with different labels do not hear each other. It is no secret: a hash
	// of it travels in the clear. At most 255 bytes.
	Label string
	// Keys are the secrets shared by the cluster, each 16, 24 or 32 bytes (AES-128, 192, 256), the primary
	// first: it seals what leaves; all of them open what arrives. None: labels only, nothing is encrypted.
	Keys [][]byte
	// Session must be 16 fresh random bytes each time the process starts. It keys everything this node
	// seals: reusing one breaks the encryption of both runs. Required; all zeros are refused.
	Session [SessionSize]byte

	// AcceptPlain lets in what is not sealed, and SendPlain leaves everything unsealed: the two steps of
	// moving a running cluster to encryption. See the package comment.
	AcceptPlain, SendPlain bool

	KeysMax     int // keys installed at one time; 16
	SessionsMax int // senders whose replay window is remembered, least recently heard forgotten first; 4,096
	Window      int // how many datagrams or links may overtake another, rounded up to 64; 1,024
	LinksMax    int // links accepted from peers at one time; 1,024
}

const (
	// SessionSize is the size of Config.Session in bytes.
	SessionSize = 16
	labelMax    = 255
)

// Overhead is how many bytes sealing adds to each datagram of a node with config c. Subtract it from
// the MTU of the inner node. A node that starts without keys and may have some installed later should
// leave room for them.
func Overhead(c Config) int {
	if len(c.Keys) == 0 {
		return labelHeaderSize
	}
	return headerSize + tagSize
}

// check fills in defaults and refuses what no node can have.
func (c *Config) check() error {
	if len(c.Label) > labelMax {
		return fmt.Errorf("seal: label of %d bytes; use at most %d: %w", len(c.Label), labelMax, core.FaultTooLarge)
	}
	if c.Session == [SessionSize]byte{} {
		return fmt.Errorf("seal: session is all zeros; fill it with fresh random bytes: %w", core.FaultInvalid)
	}
	for _, bound := range []struct {
		value     *int
		otherwise int
	}{{&c.KeysMax, 16}, {&c.SessionsMax, 4096}, {&c.Window, 1024}, {&c.LinksMax, 1024}} {
		if *bound.value < 0 {
			return fmt.Errorf("seal: a bound is negative; leave it zero for its default: %w", core.FaultInvalid)
		}
		if *bound.value == 0 {
			*bound.value = bound.otherwise
		}
	}
	if len(c.Keys) > c.KeysMax {
		return fmt.Errorf("seal: %d keys; install at most %d: %w", len(c.Keys), c.KeysMax, core.FaultTooLarge)
	}
	return nil
}
