package abi

import (
	"encoding/binary"

	"github.com/nekton-go/nekton/core"
)

const outputHeader = 16

// BeginOutput appends the header of an output whose effects follow; EndOutput completes it.
func BeginOutput(dst []byte) []byte {
	var head [outputHeader]byte
	return append(dst, head[:]...)
}

// EndOutput writes into the output b how many effects it holds and the node's deadline.
func EndOutput(b []byte, effects int, deadline core.Instant) {
	binary.LittleEndian.PutUint64(b, uint64(deadline))
	binary.LittleEndian.PutUint32(b[8:], uint32(effects))
}

// ReadOutput returns the deadline, how many effects there are, and the records of the effects.
func ReadOutput(b []byte) (deadline core.Instant, effects int, records []byte, err error) {
	if len(b) < outputHeader {
		return 0, 0, nil, malformed("output of %d bytes", len(b))
	}
	count := binary.LittleEndian.Uint32(b[8:])
	if int64(count)*effectHeader > int64(len(b)-outputHeader) {
		return 0, 0, nil, malformed("output of %d bytes claims %d effects", len(b), count)
	}
	return core.Instant(binary.LittleEndian.Uint64(b)), int(count), b[outputHeader:], nil
}

// AppendMade appends the answer to nekton_new: the node, or 0 and why not.
func AppendMade(dst []byte, node uint32, why string) []byte {
	return append(binary.LittleEndian.AppendUint32(dst, node), why...)
}

// ReadMade is the inverse of AppendMade.
func ReadMade(b []byte) (node uint32, why string, err error) {
	if len(b) < 4 {
		return 0, "", malformed("answer of %d bytes to %s", len(b), ExportNew)
	}
	return binary.LittleEndian.Uint32(b), string(b[4:]), nil
}
