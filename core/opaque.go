package core

import "fmt"

// Opaque is a Message of a machine that brings its own encoding: to everybody else its data is just
// bytes. Every dialect that can carry such a thing carries this one, so that a machine of yours needs no
// dialect of yours.
type Opaque struct {
	Protocol Proto // the machine it is for; above those of this module, see stack.FirstFree
	Data     []byte
}

// Proto implements Message.
func (m *Opaque) Proto() Proto { return m.Protocol }

// AppendText implements Message.
func (m *Opaque) AppendText(b []byte) ([]byte, error) {
	return fmt.Appendf(b, "opaque %d %q", m.Protocol, m.Data), nil
}
