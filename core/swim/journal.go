package swim

import (
	"encoding/binary"
	"net/netip"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/internal/mutant"
)

// The journal of a member holds the highest incarnation it may have announced, and where it last saw
// some of the others, so that it finds them again even if its seeds are gone.
//
//	record    'I' u32          incarnations up to this one are reserved
//	snapshot  'S' u32 {u8 len, len bytes of netip.AddrPort's binary form}…
const (
	journalReserve  = 'I'
	journalSnapshot = 'S'
)

// restore reads one record or snapshot. What makes no sense is ignored: the rest still counts.
func (m *Machine) restore(b []byte) {
	if len(b) < 5 || b[0] != journalReserve && b[0] != journalSnapshot || m.cfg.Mutant == mutant.ForgetJournal {
		return
	}
	m.reserved = max(m.reserved, min(binary.BigEndian.Uint32(b[1:]), incarnationMax))
	if b[0] != journalSnapshot {
		return
	}
	m.remembered = m.remembered[:0]
	for b = b[5:]; len(b) > 0; {
		size := int(b[0])
		if len(b) < 1+size {
			return
		}
		var addr netip.AddrPort
		sound := addr.UnmarshalBinary(b[1:1+size]) == nil && addr.IsValid() && addr.Port() != 0
		if sound && len(m.remembered) < m.cfg.SeedsMax {
			m.remembered = append(m.remembered, addr)
		}
		b = b[1+size:]
	}
}

// snapshot journals a few alive members' addresses if any have changed since the last.
func (m *Machine) snapshot(t *core.Turn) {
	if m.cfg.Fidelity == Memberlist || m.snapshotAt == m.changes || m.reserving != 0 {
		return
	}
	picked := m.pick(t, snapshotPeers, m.aliveOther)
	if len(picked) == 0 {
		return // to remember those we lost is better than nobody
	}
	m.snapshotAt = m.changes
	b := binary.BigEndian.AppendUint32(append(m.scratch[:0], journalSnapshot), m.reserved)
	for _, id := range picked {
		size := len(b)
		b, _ = m.table.Identity(id).Addr.AppendBinary(append(b, 0)) // which never fails
		b[size] = byte(len(b) - size - 1)
	}
	m.scratch = b
	t.Compact(b)
}

// snapshotPeers is how many addresses a snapshot holds.
const snapshotPeers = 16
