package native

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
)

// A journal file is a header and records. A record is
//
//	length  uint32, little-endian, of data
//	sum     uint32, CRC-32C of kind and data
//	check   uint32, CRC-32C of the eight bytes above
//	kind    byte
//	data
//
// The second sum tells a record that was cut short, whose length can be believed, from a damaged one.
const (
	fileHeader  = "nekton journal 1\n"
	fileFamily  = "nekton journal "
	recordFixed = 13

	kindSnapshot = 'S' // first in a file, if at all
	kindRecord   = 'R'
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

type record struct {
	kind byte
	data []byte
}

// appendRecord appends a record to b.
func appendRecord(b []byte, kind byte, data []byte) []byte {
	sum := crc32.Update(crc32.Checksum([]byte{kind}, castagnoli), castagnoli, data)
	start := len(b)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(data)))
	b = binary.LittleEndian.AppendUint32(b, sum)
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli))
	return append(append(b, kind), data...)
}

// A condition is the shape a file is found in.
type condition int

const (
	whole   condition = iota
	torn              // the end of what was written last is missing, or zeros
	damaged           // bytes have changed
	foreign           // another version's
)

// parseFile returns the good records of a file, which share its memory, and how many bytes they and the
// header take.
func parseFile(data []byte) (records []record, good int, found condition) {
	if !bytes.HasPrefix(data, []byte(fileHeader)) {
		switch {
		case bytes.HasPrefix([]byte(fileHeader), data), zeros(data):
			return nil, 0, torn
		case bytes.HasPrefix(data, []byte(fileFamily)):
			return nil, 0, foreign
		}
		return nil, 0, damaged
	}
	good = len(fileHeader)
	for good < len(data) {
		r, size, found := parseRecord(data[good:])
		if found != whole {
			return records, good, found
		}
		if r.kind == kindSnapshot {
			records = records[:0]
		}
		records = append(records, r)
		good += size
	}
	return records, good, whole
}

// parseRecord reads the record at the front of b, which is not empty.
func parseRecord(b []byte) (r record, size int, found condition) {
	switch {
	case zeros(b), len(b) < 12:
		return r, 0, torn
	case crc32.Checksum(b[:8], castagnoli) != binary.LittleEndian.Uint32(b[8:]):
		return r, 0, damaged
	}
	length := uint64(binary.LittleEndian.Uint32(b))
	if uint64(len(b)) < recordFixed+length {
		return r, 0, torn
	}
	size = recordFixed + int(length)
	if crc32.Checksum(b[12:size], castagnoli) != binary.LittleEndian.Uint32(b[4:]) {
		return r, 0, damaged
	}
	r = record{b[12], b[recordFixed:size]}
	if r.kind != kindSnapshot && r.kind != kindRecord {
		return r, 0, damaged
	}
	return r, size, whole
}

func zeros(b []byte) bool { return len(bytes.TrimLeft(b, "\x00")) == 0 }
