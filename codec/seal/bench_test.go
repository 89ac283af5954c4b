package seal_test

import (
	"testing"

	"github.com/nekton-go/nekton/codec/seal"
	"github.com/nekton-go/nekton/core"
)

// BenchmarkNewSender is the price of a header that was never seen, with a hint that fits: what a hostile
// datagram can cost at most.
func BenchmarkNewSender(b *testing.B) {
	_, n := pair(b, key32)
	a := newNode(b, seal.Config{Label: "reef", Keys: [][]byte{key32}, Session: session(9)})
	forged := a.send("hello")
	forged[len(forged)-1] ^= 1
	b.ReportAllocs()
	for b.Loop() {
		n.Step(1, core.Input{Kind: core.InputDatagram, Data: forged})
	}
}
