package seal

import (
	"crypto/sha256"
	"encoding/binary"
)

// The first byte of a datagram, and of each direction of a link. No CBOR item and no message of
// HashiCorp's starts with one of these.
const (
	versionLabel    byte = 0xe1 // a label, and what follows in the clear
	versionDatagram byte = 0xe2 // a sealed datagram
	versionLink     byte = 0xe3 // records follow
)

// A header is
//
//	version | label tag | key hint | session | number
//	      1 |         4 |        2 |      16 |      8    bytes
//
// with big-endian numbers: the datagram's counter, or the link's. After versionLabel it ends with the tag.
const (
	labelHeaderSize = 1 + 4
	headerSize      = labelHeaderSize + 2 + SessionSize + 8
	tagSize         = 16 // of AES-GCM
	nonceSize       = 12
)

type header struct {
	version byte
	label   labelTag
	hint    hint
	session [SessionSize]byte
	number  uint64
}

// A labelTag is the front of the label's hash: it turns away other clusters cheaply. That a sealed
// packet has the right label follows from its key.
type labelTag [4]byte

func tagOf(label string) labelTag {
	sum := sha256.Sum256([]byte(label))
	return labelTag(sum[:])
}

func (h *header) append(b []byte) []byte {
	b = append(append(b, h.version), h.label[:]...)
	b = append(append(b, h.hint[:]...), h.session[:]...)
	return binary.BigEndian.AppendUint64(b, h.number)
}

// parse reads a header from b, which is headerSize bytes or longer.
func (h *header) parse(b []byte) {
	h.version = b[0]
	copy(h.label[:], b[1:])
	copy(h.hint[:], b[labelHeaderSize:])
	copy(h.session[:], b[labelHeaderSize+2:])
	h.number = binary.BigEndian.Uint64(b[headerSize-8:])
}

// A nonce counts: every derived key seals under numbers that never repeat.
type nonce [nonceSize]byte

func (n *nonce) set(number uint64) []byte {
	binary.BigEndian.PutUint64(n[nonceSize-8:], number)
	return n[:]
}
