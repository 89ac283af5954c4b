package cbor

import "github.com/fxamacker/cbor/v2"

// Diagnose renders a datagram, or one message, in the diagnostic notation of RFC 8949 §8, for people.
// Of malformed bytes it renders what it can and says what is wrong with the rest. It is slow.
func Diagnose(b []byte) string {
	text := ""
	for len(b) > 0 {
		item, rest, err := cbor.DiagnoseFirst(b)
		if text != "" {
			text += ", "
		}
		text += item
		if err != nil {
			return text + "/ malformed: " + err.Error() + " /"
		}
		b = rest
	}
	return text
}
