// Package abi is how a node inside a WebAssembly guest and the host around it talk: every core.Input
// and core.Effect as a flat record in the guest's memory. The two sides are package wasm (in the guest)
// and package hosts/wasi; a host in another language needs nothing but this page.
//
// # Calls
//
// A guest exports its memory, _initialize, and these functions. It imports nothing but what the Go
// runtime asks of wasi_snapshot_preview1.
//
//	nekton_abi() u32                            Version, asked first
//	nekton_inbuf(n u32) u32                     where to write the next record, which takes n bytes
//	nekton_new(n u32) u64                       makes a node of the node config in the input buffer
//	nekton_step(node u32, now i64, n u32) u64   one Step, all of Next, and Deadline
//	nekton_stats(node u32) u64                  the node's counters
//	nekton_free(node u32)                       forgets the node
//
// n is the size of the record that the host wrote into the input buffer. The buffer that nekton_inbuf(0)
// names holds InputBuffer bytes and stays where it is; for a longer record ask for a buffer each time.
// Beyond InputMax there is none, and the answer is 0. A u64 result is a span, address<<32 | size, of the
// guest's memory: the guest's answer, valid until the next call. A span of 0 means that there is no such
// node.
//
// One crossing per step is the point of nekton_step: it drains the node before it returns.
//
// # Records
//
// Numbers are little-endian. An address is three fields of a header: its family (0 none, 4 or 6), its
// 16 bytes (IPv4 in the last four), its port; and the IPv6 zone, whose length is in the header and whose
// text follows it.
//
//	input  (to nekton_step)                   effect  (of an output)
//	 0  u8   Kind                              0  u8   Kind
//	 1  u8   Fault                             1  u8   Proto
//	 2  u8   Proto                             2  u8   To: family
//	 3  u8   From: family                      3  u8   To: length of the zone
//	 4  u16  From: port                        4  u16  To: port
//	 6  u8   From: length of the zone          6  u16  zero
//	 7  u8   zero                              8  16   To: address
//	 8  16   From: address                    24  u64  Link
//	24  u64  Link                             32  u64  Token
//	32  u64  Token                            40  u32  length of the body
//	40  i64  Size                             44  u32  zero
//	48  i64  At                               48  To: zone, body
//	56  i64  Wall
//	64  u32  number of Addrs
//	68  u32  length of the body
//	72  From: zone, Addrs, body
//
//	output (of nekton_step)                   made (of nekton_new)
//	 0  i64  deadline                          0  u32  the node, or 0
//	 8  u32  number of effects                 4  why there is none, in words
//	12  u32  zero
//	16  effects
//
// Each of Addrs is family, length of the zone, port (u16), 16 bytes of address, zone. The body of an
// input is its Data, or its Command; the body of an effect is its Data, its Name or its Event.
//
// # Commands, events, configs
//
// What is rare is CBOR. A command is the array [name, id, body], an event [name, body], a completion
// [name, body, id, fault], where name is what a Catalog calls the type and body is a map of its exported
// fields. An event that the guest's catalog does not know is ["", text]: it arrives as a Text. So does an
// event that the host's catalog does not know. A completion that cannot cross arrives as a core.Done, so
// that every command still ends. A node config and the counters are maps of the fields of NodeConfig
// and core.Stats.
//
// # Bad input
//
// No reader panics, whatever the bytes, or holds more memory than they justify. Each reports an error that
// wraps core.FaultInvalid.
package abi

// Version of everything on this page. A host refuses a guest that answers another.
const Version = 1

// Bounds of the boundary.
const (
	InputBuffer = 64 << 10  // bytes of the input buffer that stays in place
	InputMax    = 256 << 20 // bytes of one input record
	ZoneMax     = 255       // bytes of an IPv6 zone
)

// Names of the functions that a guest exports.
const (
	ExportABI   = "nekton_abi"
	ExportInbuf = "nekton_inbuf"
	ExportNew   = "nekton_new"
	ExportStep  = "nekton_step"
	ExportStats = "nekton_stats"
	ExportFree  = "nekton_free"
)

// A Span is a stretch of the guest's memory: address<<32 | size.
type Span uint64

// SpanOf returns the span of size bytes at address.
func SpanOf(address, size uint32) Span { return Span(uint64(address)<<32 | uint64(size)) }

// Address is where it begins.
func (s Span) Address() uint32 { return uint32(s >> 32) }

// Size is how many bytes it has.
func (s Span) Size() uint32 { return uint32(s) }
