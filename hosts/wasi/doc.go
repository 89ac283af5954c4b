// Package wasi runs nodes inside WebAssembly guests, under wazero. Such a node has the three verbs of
// core.Node, so whatever drives a native node drives it too, and does so with the same effects, byte for byte:
//
//	module, err := wasi.Open(ctx, guest, wasi.Config{})     // compile, once
//	pool := module.NewPool(wasi.PoolConfig{})
//	node, err := pool.NewNode(ctx, abi.NodeConfig{Swim: c}) // a core.Verbs
//
// A guest is built with package wasm; wasm/guest is the standard one.
//
// # What a guest can do
//
// Compute, within bounds. It has no files, sockets, arguments or environment; its clocks stand still at
// the time of the step; its random bytes come from Config.Seed; a guest that sleeps fails. So a
// step depends on nothing but the inputs so far, whatever the machine and whichever the engine.
//
// # When a guest fails
//
// A panic, any other trap, more work than Config.StepBudget, more memory than Config.MemoryPages, an answer
// that makes no sense: each ends the instance, with all its nodes, and nothing else. Their verbs go on to be
// safe to call: Step does nothing, Next has nothing, Deadline is never. Err says why, Config.OnTrap hears of it,
// and Pool.Restart makes a node anew, which its host then starts from the journal like after a crash.
//
// The budget is counted in rounds of loops, calls and bytes copied, not in seconds, so that it cuts a run at the same
// instruction every time. A guest does some 200 million rounds a second when compiled.
//
// # Cost
//
// A step crosses the boundary once and allocates nothing on the host, where it costs a tenth of a microsecond. The
// rest is what Go compiled to WebAssembly costs beyond Go compiled to machine code: BenchmarkGuestStep shows both.
// Most of that are checks that an address is in memory. Open rewrites a guest to need fewer of them, and less of what
// else is slow when compiled; see rewrite.go.
package wasi
