package sim

import (
	"encoding/binary"
	"slices"

	"github.com/nekton-go/nekton/codec/seal"
)

const mtu = 1400 // of datagrams as they leave, in bytes

// cluster is how sealed clusters seal, but for the session.
var cluster = seal.Config{Label: "simulated", Keys: [][]byte{[]byte("0123456789abcdef")}}

// sealOf is how the next process of member i seals.
func (w *world) sealOf(i int) seal.Config {
	c := cluster
	c.Keys = w.keys(i)
	for word := range len(c.Session) / 8 {
		random := draw(w.seed, forSession, uint64(i), uint64(w.nodes[i].boot), uint64(word))
		binary.LittleEndian.PutUint64(c.Session[8*word:], random)
	}
	return c
}

// forged reports whether members may be told what no member said. Damage can be anything at all, and without
// a seal it may be believed.
func (c *Case) forged() bool {
	return !c.Sealed && slices.ContainsFunc(c.Ops, func(op Op) bool {
		return op.Kind == Corrupt && op.Mode != "" || op.Kind == Hostile && op.Mode == mutated
	})
}
