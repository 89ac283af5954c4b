package abi_test

import (
	"fmt"
	"net/netip"

	"github.com/nekton-go/nekton/codec/abi"
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
)

// What a host writes into a guest for a datagram.
func ExampleCatalog_AppendInput() {
	record, err := abi.NewCatalog().AppendInput(nil, &core.Input{
		Kind: core.InputDatagram, From: netip.MustParseAddrPort("10.0.0.1:7946"), Data: []byte("hi"),
	})
	fmt.Println(len(record), err)
	fmt.Printf("%x from %x port %x: %s\n", record[:4], record[20:24], record[4:6], record[72:])
	// Output:
	// 74 <nil>
	// 01000004 from 0a000001 port 0a1f: hi
}

// What a host reads back when the node has news.
func ExampleCatalog_ReadEffect() {
	catalog := abi.NewCatalog()
	record, _ := catalog.AppendEffect(nil, &core.Effect{Kind: core.EffectEmit, Event: &swim.Reaped{Name: "b"}})
	var e core.Effect
	rest, err := catalog.ReadEffect(record, &e)
	text, _ := e.Event.AppendText(nil)
	fmt.Println(string(text), len(rest), err)
	// Output: reaped b 0 <nil>
}
