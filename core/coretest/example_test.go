package coretest_test

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/nekton-go/nekton/codec/cbor"
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/coretest"
	"github.com/nekton-go/nekton/core/stack"
	"github.com/nekton-go/nekton/core/swim"
)

// Two members find each other; then the script plays a third one by hand.
func Example() {
	dialect := cbor.New(cbor.Config{})
	env := coretest.New(coretest.Config{
		Dialect: dialect,
		Node: func(name string, addr netip.AddrPort, options []string) (core.Verbs, error) {
			c := swim.LAN()
			c.Name, c.Addr, c.Seeds = name, addr, options
			return stack.New(stack.Config{Swim: c, Dialect: dialect, Check: true})
		},
		Message: func(words []string) (core.Message, error) {
			return &swim.Ping{Seq: 7, Target: words[1]}, nil // the only one this script sends
		},
	})
	for line := range strings.Lines(`
		node a 10.0.0.1:7946
		node b 10.0.0.2:7946 10.0.0.1:7946
		show emit
		start a b
		run 10ms
		show send
		recv a 10.0.0.9:7946 ping a
	`) {
		if words := strings.Fields(line); len(words) > 0 {
			trace, err := env.Do(words)
			if err != nil {
				fmt.Println(err)
			}
			fmt.Print(trace)
		}
	}

	// Output:
	// 1ms a emit ready a@1 alive 10.0.0.1:7946
	// 1ms b emit ready b@1 alive 10.0.0.2:7946
	// 4ms a emit joined b@1 alive 10.0.0.2:7946
	// 5ms b emit joined a@1 alive 10.0.0.1:7946
	// 5ms b emit join done: 1 reached, ok
	// 10ms a send 10.0.0.9:7946 {ack 7} {announce b@1 alive 10.0.0.2:7946} {announce a@1 alive 10.0.0.1:7946}
}
