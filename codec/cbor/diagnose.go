package cbor

import (
	"strings"

	"github.com/fxamacker/cbor/v2"
)

// Diagnose renders a datagram, or one message, in the diagnostic notation of RFC 8949 §8, for people.
// Of malformed bytes it renders what it can, and the rest as a comment that says what is wrong. It is slow.
func Diagnose(b []byte) string {
	var items []string
	for len(b) > 0 {
		item, rest, err := cbor.DiagnoseFirst(b)
		if err != nil {
			items = append(items, "/ malformed: "+err.Error()+" /")
			break
		}
		items, b = append(items, item), rest
	}
	return strings.Join(items, ", ")
}
