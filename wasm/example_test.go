package wasm_test

import (
	"fmt"

	"github.com/nekton-go/nekton/codec/abi"
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/stack"
	"github.com/nekton-go/nekton/wasm"
)

// counter counts what its node hears of: joins, failures and all the rest.
type counter struct{ events int }

func (c *counter) Deadline() core.Instant { return core.Never }

func (c *counter) Handle(_ *core.Turn, in *core.Input) {
	if in.Kind == core.InputEvent {
		c.events++
	}
}

// In a guest this call stands in init, beside an empty main.
func ExampleServe() {
	wasm.Serve(func(c *abi.NodeConfig) ([]core.Mount, error) {
		if len(c.Custom) > 0 {
			return nil, fmt.Errorf("a counter has nothing to configure")
		}
		return []core.Mount{{Proto: stack.FirstFree, Machine: new(counter)}}, nil
	})
	// Output:
}
