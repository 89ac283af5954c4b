// Command guest is a WebAssembly guest with a machine of its own, a Greeter, above membership. See
// main_test.go for the program that runs it. It is built as a reactor:
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o greeter.wasm ./examples/guest
package main

import "github.com/nekton-go/nekton/wasm"

func init() { wasm.Serve(Mount, Register) }

func main() {}
