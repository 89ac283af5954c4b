package wasi_test

import (
	"context"
	"log"
	"net/netip"
	"os"

	"github.com/nekton-go/nekton/codec/abi"
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/hosts/wasi"
)

// A guest node is driven like any other, until Err says that it is no more.
func ExampleOpen() {
	ctx := context.Background()
	guest, err := os.ReadFile("bin/nekton.wasm")
	if err != nil {
		log.Fatal(err)
	}
	module, err := wasi.Open(ctx, guest, wasi.Config{CacheDir: "/var/cache/nekton"})
	if err != nil {
		log.Fatal(err)
	}
	defer module.Close(ctx)

	pool := module.NewPool(wasi.PoolConfig{})
	c := abi.NodeConfig{Seed: [32]byte{1}, Swim: swim.LAN()} // a real seed is random
	c.Swim.Name, c.Swim.Addr = "a", netip.MustParseAddrPort("10.0.0.1:7946")
	node, err := pool.NewNode(ctx, c)
	if err != nil {
		log.Fatal(err)
	}
	for now := core.Instant(1); now != core.Never; now = node.Deadline() { // a host that does nothing but wait
		node.Step(now, core.Input{Kind: core.InputWake})
		for e, ok := node.Next(); ok; e, ok = node.Next() {
			log.Print(e.Kind, e.To, e.Data)
		}
	}
	log.Print(node.Err()) // and pool.Restart, and the journal
}
