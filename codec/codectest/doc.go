// Package codectest checks that a core.Dialect keeps its contract. A dialect's own test is one call:
//
//	func TestConformance(t *testing.T) {
//		codectest.Run(t, func() core.Dialect { return cbor.New(cbor.Config{}) })
//	}
//
// Dialects that cannot do all that the suite expects say so in Options:
//
//	codectest.Options{Allocates: true}.Run(t, open)
//
// The suite asks for round trips of every membership message, alone, several per datagram and on a link
// cut at every byte; for memory that stays with its owner; for errors that leave the destination alone;
// and for peace in the face of garbage: truncated, overwritten and inflated encodings must neither panic
// nor make the reader allocate more than their size justifies.
//
// [Messages] is the corpus it works with. Tests of this package run it against two dialects unlike
// any byte format: one whose datagrams are handles to shared structs, and one with nested compound
// datagrams and unframed streams, which need a reader with memory.
package codectest
