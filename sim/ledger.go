package sim

// Ledger accounts for every datagram of a run: what set out is what came to some end, or is still on its way.
type Ledger struct {
	Sent, Duplicated, Injected uint64 // by nodes, by the network, by strangers

	Delivered    uint64 // to a process
	Cut          uint64
	Lost         uint64 // by chance
	Corrupted    uint64 // a checksum failed
	TooLarge     uint64
	CrowdedOut   uint64
	InboxDropped uint64
	Stray        uint64 // nobody lives there
	Unheard      uint64 // no process ran there
	InFlight     uint64 // on the way, or waiting for a process to look; counted one by one
}

// Missing is how many datagrams there are too few; it is negative if there are too many.
func (l *Ledger) Missing() int64 {
	ended := l.Delivered + l.Cut + l.Lost + l.Corrupted + l.TooLarge + l.CrowdedOut + l.InboxDropped +
		l.Stray + l.Unheard + l.InFlight
	return int64(l.Sent + l.Duplicated + l.Injected - ended)
}

func (w *world) ledger() Ledger {
	f := &w.faults
	l := Ledger{
		Sent: w.packets, Duplicated: f.PacketsDuplicated, Injected: w.net.injected, Delivered: w.net.delivered,
		Cut: f.PacketsCut, Lost: f.PacketsLost + f.PacketsFaded + f.PacketsBurst, Corrupted: f.PacketsCorrupted,
		TooLarge: f.PacketsTooLarge, CrowdedOut: f.PacketsCrowdedOut, InboxDropped: f.InboxDropped,
		Stray: f.Stray, Unheard: f.Unheard,
	}
	for i := range w.events {
		if w.events[i].kind == evDatagram {
			l.InFlight++
		}
	}
	return l
}
