// Package cbor is the default dialect: how nodes of this module speak to each other in bytes.
//
//	node, err := stack.New(stack.Config{Dialect: cbor.New(cbor.Config{}), ...})
//
// A message is one CBOR array, its type number first and its fields after that:
//
//	[1, 7, "kelp", h'', ""]        ping 7 to kelp
//	[2, 7, h'']                    ack 7
//	[6, "kelp", 3, "coral"]        coral suspects kelp as of incarnation 3
//
// A datagram is a CBOR sequence (RFC 8742): messages one after another, with nothing between or around
// them. On a link every message is preceded by its length, four bytes, big-endian. docs/PROTOCOL.md lists
// every message with its bytes; [Diagnose] prints captured ones.
//
// # Deterministic, and strict about it
//
// There is one encoding of each message: the core deterministic one of RFC 8949 §4.2.1. The reader
// refuses every other, so what was read and encoded again is the same bytes. Fields are positional and
// a known type has exactly the fields listed: a message that needs another field becomes a new type.
//
// Types nobody here knows are skipped if they are well-formed, so that newer nodes can say more than
// older ones understand. Anything else malformed ends the datagram or the link; messages before it count.
//
// # Costs
//
// The messages of failure detection and gossip are written and read without allocating. Byte strings
// are lent from the datagram, names come from a table of names seen before (Config.NamesMax), and messages
// from scratch that the next read overwrites. So one Dialect serves one driver at a time.
//
// # Adding a protocol
//
// Each protocol has a file with its words (swim.go), a range of type numbers in types.go, and a case in
// Dialect.append and Dialect.read.
package cbor
