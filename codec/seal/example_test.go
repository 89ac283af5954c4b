package seal_test

import (
	"fmt"
	"net/netip"

	"github.com/nekton-go/nekton/codec/cbor"
	"github.com/nekton-go/nekton/codec/seal"
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/stack"
	"github.com/nekton-go/nekton/core/swim"
)

// A member whose every byte is sealed. A host fills the key and the session with crypto/rand.
func Example() {
	c := seal.Config{Label: "reef", Keys: [][]byte{[]byte("thirty-two bytes are a long key.")}}
	copy(c.Session[:], "fresh every time")

	member := swim.LAN()
	member.Name, member.Addr = "kelp", netip.MustParseAddrPort("192.0.2.7:7946")
	inner, err := stack.New(stack.Config{
		Swim: member, Dialect: cbor.New(cbor.Config{}), MTU: 1400 - seal.Overhead(c),
	})
	if err != nil {
		panic(err)
	}
	node, err := seal.New(inner, c)
	if err != nil {
		panic(err)
	}

	node.Step(1, core.Input{Kind: core.InputWake})
	for _, ok := node.Next(); ok; _, ok = node.Next() {
	}
	node.Step(2, core.Input{Kind: core.InputDatagram, Data: []byte("not sealed")})
	fmt.Printf("%+v\n", node.Stats())
	// Output:
	// {Opened:0 Sealed:0 Plain:0 BadLabel:0 BadSeal:0 Replayed:0 Malformed:1 LinksRefused:0}
}

// Replacing a key: each step must have reached every node before the next one starts.
func ExampleUse() {
	old, next := []byte("sixteen byte key"), []byte("thirty-two bytes are a long key.")
	c := seal.Config{Keys: [][]byte{old}}
	copy(c.Session[:], "fresh every time")
	node, err := seal.New(newToy(), c)
	if err != nil {
		panic(err)
	}
	for _, command := range []core.Command{
		seal.Install{ID: 1, Key: next}, seal.Use{ID: 2, Key: next}, seal.Remove{ID: 3, Key: old},
	} {
		node.Step(1, core.Input{Kind: core.InputCommand, Command: command})
		for e, ok := node.Next(); ok; e, ok = node.Next() {
			text, _ := e.Event.AppendText(nil)
			fmt.Printf("%s\n", text)
		}
	}
	// Output:
	// keys ok 8b949a00ec95af13* c20d0b0a80300744
	// keys ok 8b949a00ec95af13 c20d0b0a80300744*
	// keys ok c20d0b0a80300744*
}
