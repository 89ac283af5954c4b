package main

import (
	"encoding/json"
	"io"
	"strconv"
	"unicode/utf8"
)

// output remembers that something could not be written, which most who print do not ask.
type output struct {
	w   io.Writer
	err error // the first
}

// Write implements io.Writer.
func (o *output) Write(b []byte) (int, error) {
	n, err := o.w.Write(b)
	if o.err == nil {
		o.err = err
	}
	return n, err
}

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
