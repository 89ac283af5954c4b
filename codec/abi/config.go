package abi

import (
	"fmt"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
)

// A NodeConfig is what a guest needs to make a node. The fields are those of stack.Config that are data.
type NodeConfig struct {
	Seed  [32]byte    // the only source of the node's randomness
	Swim  swim.Config // membership; Admit is code and cannot cross: the guest sets its own; nor can Table
	MTU   int         // largest datagram, in bytes, before any seal; default 1400
	Check bool        // see core.Config

	// Custom is for the function the guest gave to wasm.Serve: which machines to mount, and how.
	Custom []byte
}

// AppendNodeConfig appends c as CBOR. It reports an error, with dst as it was, if c holds a function, or a
// table with members in it.
func AppendNodeConfig(dst []byte, c *NodeConfig) ([]byte, error) {
	if c.Swim.Admit != nil {
		return dst, fmt.Errorf("abi: Swim.Admit is code and cannot cross; set it in the guest: %w", core.FaultInvalid)
	}
	if c.Swim.Table != nil && c.Swim.Table.Bound() > 0 {
		return dst, fmt.Errorf("abi: Swim.Table holds members and cannot cross: a guest has memory of its own; "+
			"let it join: %w", core.FaultInvalid)
	}
	return appendCBOR(dst, c)
}

// ReadNodeConfig is the inverse of AppendNodeConfig. Unknown fields are errors: better no node than a
// node that ignores what it was told.
func ReadNodeConfig(b []byte) (c NodeConfig, err error) {
	err = decode(b, &c)
	return c, err
}

// AppendStats appends s as CBOR.
func AppendStats(dst []byte, s core.Stats) []byte {
	dst, _ = appendCBOR(dst, s) // counters always encode
	return dst
}

// ReadStats is the inverse of AppendStats.
func ReadStats(b []byte) (s core.Stats, err error) {
	err = decode(b, &s)
	return s, err
}
