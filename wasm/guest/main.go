// Command guest is the standard guest: membership, and nothing above it. It is built as a reactor:
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o bin/nekton.wasm ./wasm/guest
package main

import "github.com/nekton-go/nekton/wasm"

func init() { wasm.Serve(nil) }

func main() {}
