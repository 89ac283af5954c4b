// Package core is the contract between protocol machines and the world that drives them. Nothing in
// it, or below it, reads a clock, opens a socket, starts a goroutine or draws an unseeded random number.
//
// # What you hold
//
// A [Node] is a stack of machines: membership at the bottom, what builds on it above. It never calls
// you. You drive it with three verbs:
//
//	node.Step(now, input)       // one thing happened
//	effect, ok := node.Next()   // drain what to do about it, in order
//	at := node.Deadline()       // when to wake it if nothing else happens
//
// # What you owe
//
// There is one rule: if you can see an effect, you may do it now. Whatever must wait for durability
// waits inside the node. The rest is book-keeping:
//
//   - Drain Next before the next Step. Step panics if you have not.
//   - Call everything from one goroutine, or hold a lock.
//   - Lend: the node reads Input.Data until Step returns, you read Effect.Data until the next Step.
//     Whoever needs it longer copies it.
//   - now is monotonic, not negative, and only grows. Its origin is yours to choose, and stays until the node is gone.
//     The wall clock is an input, InputWall, for machines that want it.
//   - If an input waited in a queue of yours, say so in Input.At, so that the node can tell a late
//     answer from an answer you were late to look at.
//   - Lost datagrams, duplicates and reordering are fine. Links are reliable and ordered, or they end
//     with InputDown.
//   - Promptness is for quality, not for correctness: a node that is woken late is never wrong, only late.
//
// # The loop you will write
//
// This is a whole host, without its I/O (runtime.Run is the one this module uses):
//
//	inputs := []core.Input{{Kind: core.InputWall, Wall: wallClock()}}
//	inputs = append(inputs, journal.Recover()...) // each machine's newest InputRestore, then its InputReplays
//	inputs = append(inputs, core.Input{Kind: core.InputWake}) // restoring is over; timers may run
//	for {
//		in := next(&inputs, node.Deadline()) // those first; then what happens, or InputWake at the deadline
//		node.Step(now(), in)
//		for e, ok := node.Next(); ok; e, ok = node.Next() {
//			switch e.Kind {
//			case core.EffectSend:
//				socket.WriteTo(e.Data, e.To)
//			case core.EffectDial: // answer with InputUp or InputDown, once
//				dial(e.Link, e.To)
//			case core.EffectWrite: // answer with InputFlushed{Size: len(e.Data)} when sent
//				write(e.Link, e.Data)
//			case core.EffectClose: // after what was written; say nothing more about the link
//				hangUp(e.Link)
//			case core.EffectResolve: // answer with InputResolved
//				resolve(e.Token, e.Name)
//			case core.EffectAppend, core.EffectCompact: // answer with InputStored when durable, in order
//				journal.Write(e.Proto, e.Token, e.Kind, e.Data)
//			case core.EffectEmit: // tell the application
//				application(e.Event)
//			}
//		}
//	}
//
// A host that lacks something answers with a Fault instead: no journal, FaultStorage; no links,
// FaultUnreachable. A connection that a peer opened is InputUp with a Link made by [Accepted].
//
// # Machines
//
// A [Machine] is one protocol: one method that consumes an [Input], one that says when it wants to be
// woken. While it handles an input it may use the [Turn], which only queues: nothing calls back.
// Machines compose by [Mount] order. A machine asks one below it by [Turn.Call]; what it emits goes to
// every machine above it and then to the application; both happen after its handler has returned.
// Timers are private: a machine keeps its deadlines and shows the earliest. They run after the input
// of the same step.
//
// # Bytes
//
// Machines see Go structs, hosts see bytes. A [Dialect] is all that lies between: how a message is
// encoded, how several share a datagram, how they follow each other on a link. Encryption goes around
// the node (package codec/seal) and has the same three verbs.
//
// # When things go wrong
//
// Garbage from the network is counted in [Stats] and dropped; it never panics and never changes state.
// A broken host or machine is a bug and panics. A command that cannot be served ends, like every
// command, in one [Completion]. Everything is bounded, and every bound has a name in a config.
package core
