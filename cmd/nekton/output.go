package main

import (
	"encoding/json"
	"io"
	"strconv"
	"unicode/utf8"
)

// printJSON writes v as one line.
func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false) // arrows stay readable
	return e.Encode(v)
}

// readable shows bytes of the application to people.
func readable(b []byte) string {
	if !utf8.Valid(b) {
		return strconv.Itoa(len(b)) + " bytes"
	}
	quoted := strconv.Quote(string(b))
	return quoted[1 : len(quoted)-1]
}
