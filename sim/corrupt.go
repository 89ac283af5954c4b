package sim

import (
	"encoding/binary"
	"math/bits"

	"github.com/nekton-go/nekton/internal/mix"
)

// What happens to bytes that are damaged and still arrive, as between machines whose checksums are no good.
// The default dialect has no checksum of its own: it relies on those of UDP and TCP, and whoever trusts neither
// seals. So by default corruption is a loss that is counted apart; see Corrupt.
const (
	flip     = "flip"     // one bit
	set      = "set"      // one byte
	truncate = "truncate" // anywhere
	extend   = "extend"   // by up to 64 random bytes
	splice   = "splice"   // goes on as another packet does
	version  = "version"  // one of the first two bytes, which say what follows
	anyhow   = "any"      // one of these
)

var damages = []string{flip, set, truncate, extend, splice, version, anyhow}

// damage changes data in place, or its end, and returns it. random decides everything.
func (t *tap) damage(data []byte, mode string, random uint64) []byte {
	if mode == anyhow {
		mode = damages[below(mix.Uint64(random+1), int64(len(damages)-1))]
	}
	if len(data) == 0 {
		mode = extend
	}
	at := int(below(random, int64(len(data))))
	random = mix.Uint64(random)
	switch mode {
	case flip:
		data[at] ^= 1 << (random % 8)
	case set:
		data[at] = byte(random)
	case version:
		data[at%2%len(data)] = byte(random)
	case truncate:
		data = data[:at]
	case splice:
		if other := t.pick(random).data; len(other) > 0 {
			data = append(data[:at], other[below(mix.Uint64(random), int64(len(other))):]...)
		}
	default:
		data = garbage(data, 1+int(random%64), random)
	}
	return data
}

// garbage appends size random bytes.
func garbage(data []byte, size int, random uint64) []byte {
	for ; size > 0; size -= 8 {
		random = mix.Uint64(random + 1)
		data = binary.LittleEndian.AppendUint64(data, random)
		data = data[:len(data)+min(0, size-8)]
	}
	return data
}

// tap remembers datagrams, for who has a use for them: the last 8, 8 of every 8th, 8 of every 64th, and so
// on, so that some are old.
type tap struct {
	users int // nothing is remembered while there are none
	kept  [64]heard
	n     uint64
	words []byte // scratch
}

type heard struct {
	from int
	data []byte
}

func (t *tap) hear(from int, data []byte) {
	if t.users == 0 {
		return
	}
	t.n++
	rank := min(bits.TrailingZeros64(t.n)/3, 7)
	h := &t.kept[8*rank+int(t.n>>(3*rank)%8)]
	h.from, h.data = from, append(h.data[:0], data...)
}

// pick returns one remembered datagram. Its data is empty if there is none.
func (t *tap) pick(random uint64) *heard {
	for range t.kept {
		if h := &t.kept[random%64]; len(h.data) > 0 {
			return h
		}
		random++
	}
	return &t.kept[0]
}
