package core

// A Dialect is everything between messages and bytes: how each message is encoded, how several share
// a datagram, and how they follow each other on a link. Encryption and labels are not its business:
// they are a decorator around the whole node, with the node's three verbs.
//
// A Dialect keeps scratch memory, so one value serves one driver at a time; nodes that share a driver
// may share it. Its readers never panic, whatever the bytes, and never hold more memory than the bytes
// they were given justify. codec/codectest checks all of this for any implementation.
type Dialect interface {
	// AppendMessage appends the encoding of m, as one part of a datagram. On error dst comes back
	// as it was: FaultInvalid if this dialect has no words for m, FaultTooLarge if a field exceeds a bound.
	AppendMessage(dst []byte, m Message) ([]byte, error)
	// Overhead is how many bytes a datagram of n parts needs on top of the parts themselves.
	// It never falls as n grows.
	Overhead(n int) int
	// AppendDatagram joins encoded parts into one datagram. parts is not empty.
	AppendDatagram(dst []byte, parts [][]byte) []byte
	// ReadDatagram calls each with every message in b, in order. After an error, what came before the
	// malformed part has been delivered and nothing after it will be. Messages are borrowed: each must
	// not retain them.
	ReadDatagram(b []byte, each func(Message)) error

	// AppendFrame appends m as it travels on a link. Errors are those of AppendMessage.
	AppendFrame(dst []byte, m Message) ([]byte, error)
	// NewFrameReader returns the reader for one direction of one link.
	NewFrameReader() FrameReader
}

// A FrameReader cuts the bytes of a link into messages.
type FrameReader interface {
	// ReadFrames calls each with every whole message at the front of b, in order, and returns how many
	// bytes those took. The caller presents the rest again, followed by more. An error ends the link.
	ReadFrames(b []byte, each func(Message)) (n int, err error)
}
