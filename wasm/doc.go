// Package wasm makes a node out of a WebAssembly guest. A guest of your own, with your own machines above
// membership, is this main package:
//
//	func init() {
//		wasm.Serve(func(c *abi.NodeConfig) ([]core.Mount, error) {
//			return []core.Mount{{Proto: stack.FirstFree, Machine: greeter.New(c.Custom)}}, nil
//		})
//	}
//
//	func main() {}
//
// built as a reactor:
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o my.wasm ./my/guest
//
// A reactor's main never runs; its init does. The guest without machines of its own is wasm/guest.
// Package hosts/wasi runs either; so does anything that runs WASI and reads package codec/abi, where
// the exported functions and their records are described.
//
// One guest holds many nodes. They share one dialect and one scratch memory, because a guest has one
// thread: nekton_step drains its node before it returns.
//
// Nothing in a guest reads a clock, sleeps or waits. A panic, like any trap, ends the guest with all its
// nodes; the host finds out, and starts another.
package wasm
