package journal

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"

	"github.com/nekton-go/nekton/internal/mutant"
)

// Header is how a file begins.
const Header = "nekton journal 1\n"

const (
	family     = "nekton journal " // how files of all versions begin
	fixed      = 13                // bytes of a record besides its data
	sumsLength = 12

	kindSnapshot = 'S'
	kindRecord   = 'R'
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// record is one record as it was found.
type record struct {
	snapshot bool
	data     []byte
}

// AppendRecord appends one record, or snapshot, to b as it stands in a file.
func AppendRecord(b []byte, snapshot bool, data []byte) []byte {
	kind := byte(kindRecord)
	if snapshot {
		kind = kindSnapshot
	}
	sum := crc32.Update(crc32.Checksum([]byte{kind}, castagnoli), castagnoli, data)
	start := len(b)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(data)))
	b = binary.LittleEndian.AppendUint32(b, sum)
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli))
	return append(append(b, kind), data...)
}

// condition is the shape a file is found in.
type condition int

const (
	whole   condition = iota
	torn              // the end of what was written last is missing, or zeros
	damaged           // bytes have changed
	foreign           // another version's
)

// parseFile returns the good records of a file, which share its memory, and how many bytes they and the
// header take.
func parseFile(data []byte, bug mutant.ID) (records []record, good int, found condition) {
	if !bytes.HasPrefix(data, []byte(Header)) {
		switch {
		case bytes.HasPrefix([]byte(Header), bytes.TrimRight(data, "\x00")):
			return nil, 0, torn
		case bytes.HasPrefix(data, []byte(family)):
			return nil, 0, foreign
		}
		return nil, 0, damaged
	}
	good = len(Header)
	for good < len(data) {
		r, size, found := parseRecord(data[good:], bug)
		if found != whole {
			return records, good, found
		}
		if r.snapshot {
			records = records[:0]
		}
		records = append(records, r)
		good += size
	}
	return records, good, whole
}

// parseRecord reads the record at the front of b, which is not empty.
func parseRecord(b []byte, bug mutant.ID) (r record, size int, found condition) {
	switch {
	case zeros(b), len(b) < sumsLength:
		return r, 0, torn
	case crc32.Checksum(b[:8], castagnoli) != binary.LittleEndian.Uint32(b[8:]):
		return r, 0, damaged
	}
	length := uint64(binary.LittleEndian.Uint32(b))
	if uint64(len(b)) < fixed+length {
		return r, 0, torn
	}
	size = fixed + int(length)
	sum := crc32.Checksum(b[sumsLength:size], castagnoli)
	if sum != binary.LittleEndian.Uint32(b[4:]) && bug != mutant.TrustData {
		return r, 0, damaged
	}
	kind := b[sumsLength]
	if kind != kindSnapshot && kind != kindRecord {
		return r, 0, damaged
	}
	return record{kind == kindSnapshot, b[fixed:size]}, size, whole
}

func zeros(b []byte) bool { return len(bytes.TrimLeft(b, "\x00")) == 0 }
