// Command unruly is a guest that does, on order, what a guest must not: its orders are journal records.
package main

import (
	"os"
	"time"

	"github.com/nekton-go/nekton/codec/abi"
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/stack"
	"github.com/nekton-go/nekton/wasm"
)

func init() {
	wasm.Serve(func(c *abi.NodeConfig) ([]core.Mount, error) {
		return []core.Mount{{Proto: stack.FirstFree, Machine: new(machine)}}, nil
	})
}

func main() {}

type machine struct {
	hoard [][]byte
	kept  []*[8]*int
}

func (m *machine) Deadline() core.Instant { return core.Never }

func (m *machine) Handle(t *core.Turn, in *core.Input) {
	if in.Kind != core.InputReplay {
		return
	}
	switch order := string(in.Data); order {
	case "panic":
		panic("as ordered")
	case "exit":
		os.Exit(3)
	case "loop":
		for {
		}
	case "fill":
		for b := make([]byte, 8<<20); ; {
			clear(b)
		}
	case "recurse":
		t.Append([]byte{byte(fibonacci(90))})
	case "sleep":
		time.Sleep(time.Hour)
	case "wait":
		<-make(chan int)
	case "hoard":
		for {
			m.hoard = append(m.hoard, make([]byte, 1<<20))
		}
	case "keep":
		for range 3000 {
			m.kept = append(m.kept, &[8]*int{})
		}
	case "some":
		for range 100 {
			m.hoard = [][]byte{make([]byte, 10_000)}
		}
	case "garbage":
		for range 100_000 {
			m.hoard = [][]byte{make([]byte, 10_000)} // a gigabyte in all, of which nothing is kept
		}
	default: // say it back
		t.Append(in.Data)
	}
}

func fibonacci(n int) int {
	if n < 2 {
		return n
	}
	return fibonacci(n-1) + fibonacci(n-2)
}
