package native

import "sync/atomic"

// Stats counts what a host carried and what it refused. Counters only grow.
type Stats struct {
	DatagramsIn, DatagramsOut uint64
	BytesIn, BytesOut         uint64 // of datagrams
	LinksIn, LinksOut         uint64 // accepted, dialed
	LookupsRefused            uint64 // over Config.LookupsMax
	DatagramsDropped          uint64 // received, over Config.QueueMax
	DatagramsUnsent           uint64 // the network took them not, or over Config.BacklogMax
	DatagramsForeign          uint64 // from outside Config.Allow
	ConnsForeign              uint64 // from outside Config.Allow
	ConnsRefused              uint64 // over Config.AcceptMax
	ConnsBad                  uint64 // no TLS, a wrong certificate, an unknown first byte, or none in time
	StoresFailed              uint64
}

// counters are Stats in the making.
type counters struct {
	datagramsIn, datagramsOut, bytesIn, bytesOut, linksIn, linksOut, lookupsRefused atomic.Uint64
	datagramsDropped, datagramsUnsent, datagramsForeign, connsForeign, connsRefused atomic.Uint64
	connsBad, storesFailed                                                          atomic.Uint64
}

// Stats returns the host's counters. Any goroutine may ask.
func (h *Host) Stats() Stats {
	c := &h.counters
	return Stats{
		DatagramsIn: c.datagramsIn.Load(), DatagramsOut: c.datagramsOut.Load(),
		BytesIn: c.bytesIn.Load(), BytesOut: c.bytesOut.Load(),
		LinksIn: c.linksIn.Load(), LinksOut: c.linksOut.Load(),
		LookupsRefused:   c.lookupsRefused.Load(),
		DatagramsDropped: c.datagramsDropped.Load(), DatagramsUnsent: c.datagramsUnsent.Load(),
		DatagramsForeign: c.datagramsForeign.Load(),
		ConnsForeign:     c.connsForeign.Load(), ConnsRefused: c.connsRefused.Load(), ConnsBad: c.connsBad.Load(),
		StoresFailed: c.storesFailed.Load(),
	}
}

// countRefused gives add the counters of refused input.
func (s Stats) countRefused(add func(name string, n uint64)) {
	add("lookups_refused", s.LookupsRefused)
	add("datagrams_dropped", s.DatagramsDropped)
	add("datagrams_unsent", s.DatagramsUnsent)
	add("datagrams_foreign", s.DatagramsForeign)
	add("conns_foreign", s.ConnsForeign)
	add("conns_refused", s.ConnsRefused)
	add("conns_bad", s.ConnsBad)
	add("stores_failed", s.StoresFailed)
}
