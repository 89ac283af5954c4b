package cbor

// Names returns how many names d remembers.
func (d *Dialect) Names() int { return len(d.names.known) }
