package sim

import (
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/sim/check"
)

// measure is what a run finds out besides breaches.
type measure struct {
	victim      int // whose failure is timed, or -1
	firstFailed core.Instant
	lastFailed  core.Instant
	witnesses   int // live members that declared the victim failed

	falsePositives, ofWell, amongWell int // see Result
}

// Faults counts what the schedule did to the run, so that a test can tell a fault that was survived
// from one that never happened.
type Faults struct {
	PacketsCut        uint64 `json:"packets_cut"`
	PacketsLost       uint64 `json:"packets_lost"`
	PacketsDuplicated uint64 `json:"packets_duplicated"`
	PacketsReordered  uint64 `json:"packets_reordered"`
	PacketsCorrupted  uint64 `json:"packets_corrupted"`   // a checksum failed
	PacketsDamaged    uint64 `json:"packets_damaged"`     // and delivered
	PacketsFaded      uint64 `json:"packets_faded"`       // lost to a path that was fading
	PacketsBurst      uint64 `json:"packets_burst"`       // lost in a burst
	PacketsTooLarge   uint64 `json:"packets_too_large"`   // for the path's MTU
	PacketsQueued     uint64 `json:"packets_queued"`      // that waited for bandwidth
	PacketsCrowdedOut uint64 `json:"packets_crowded_out"` // that found the queue full
	PacketsSlowed     uint64 `json:"packets_slowed"`      // by a latency
	PacketsHeld       uint64 `json:"packets_held"`        // by a clog
	Stray             uint64 `json:"stray"`               // datagrams to where nobody lives
	Unheard           uint64 `json:"unheard"`             // datagrams to a member whose process was gone
	Attacks           uint64 `json:"attacks"`             // datagrams and links of strangers

	DialRetries     uint64 `json:"dial_retries"`
	DialTimeouts    uint64 `json:"dial_timeouts"`
	DialsRefused    uint64 `json:"dials_refused"`
	DialsStray      uint64 `json:"dials_stray"`    // to where nobody lives
	DialsRejected   uint64 `json:"dials_rejected"` // though the process ran
	ChunksResent    uint64 `json:"chunks_resent"`
	ChunksCorrupted uint64 `json:"chunks_corrupted"` // a checksum failed; resent
	ChunksDamaged   uint64 `json:"chunks_damaged"`   // and delivered
	ChunksStalled   uint64 `json:"chunks_stalled"`
	LinksTorn       uint64 `json:"links_torn"`   // reset in the middle
	EndsUnheard     uint64 `json:"ends_unheard"` // links that ended at one side only
	LinksReset      uint64 `json:"links_reset"`
	LinksTimedOut   uint64 `json:"links_timed_out"`
	ReadsCut        uint64 `json:"reads_cut"` // writes that arrived in several reads

	Exiles        uint64 `json:"exiles"` // members cut off for good
	Crashes       uint64 `json:"crashes"`
	Restarts      uint64 `json:"restarts"`
	Pauses        uint64 `json:"pauses"`
	CrashesWithin uint64 `json:"crashes_within"` // a step
	Moves         uint64 `json:"moves"`          // of members to other addresses
	KeysChanged   uint64 `json:"keys_changed"`   // of machines
	Retunes       uint64 `json:"retunes"`        // processes that started with another configuration
	EffectsLate   uint64 `json:"effects_late"`   // sends and the like that left late
	InputsSlow    uint64 `json:"inputs_slow"`    // that a slow receiver heard of later
	TimersLate    uint64 `json:"timers_late"`
	ClocksChanged uint64 `json:"clocks_changed"` // times that a clock began to go otherwise
	WallsChanged  uint64 `json:"walls_changed"`  // likewise a wall clock
	Starvations   uint64 `json:"starvations"`    // times that a process was starved
	InputsLate    uint64 `json:"inputs_late"`    // seen only after a while
	InboxDropped  uint64 `json:"inbox_dropped"`  // datagrams that a process was too late for
	JournalsLost  uint64 `json:"journals_lost"`
	RecordsLost   uint64 `json:"records_lost"` // not durable at a crash

	DiskWritesSlow    uint64 `json:"disk_writes_slow"`
	DiskWritesRefused uint64 `json:"disk_writes_refused"` // for want of space
	DiskWritesTorn    uint64 `json:"disk_writes_torn"`    // survived a crash in part
	DiskPiecesLost    uint64 `json:"disk_pieces_lost"`    // of writes of which others may have survived
	DiskSyncsFailed   uint64 `json:"disk_syncs_failed"`
	DiskSyncsIgnored  uint64 `json:"disk_syncs_ignored"`
	DiskReadsFailed   uint64 `json:"disk_reads_failed"`
	DiskBitsFlipped   uint64 `json:"disk_bits_flipped"`
	DisksStale        uint64 `json:"disks_stale"`
	StoresFailed      uint64 `json:"stores_failed"`   // as nodes were told
	JournalsMended    uint64 `json:"journals_mended"` // files that recovery cut something off
	BootsFailed       uint64 `json:"boots_failed"`    // for want of a journal that can be read
}

// observe takes note of an event that member i emitted.
func (w *world) observe(i int, ev core.Event) {
	failed, ok := ev.(*swim.Failed)
	if !ok {
		return
	}
	s := check.Index(failed.Member.Name)
	if s < 0 || s >= len(w.nodes) {
		return // the checker has complained
	}
	m, p := &w.measure, &w.nodes[s]
	switch {
	case s == m.victim && !p.running:
		if m.witnesses == 0 {
			m.firstFailed = w.now
		}
		m.witnesses++
		m.lastFailed = w.now
	case p.running && w.net.open(w.now, i, s):
		m.falsePositives++
		if p.unwell {
			return
		}
		m.ofWell++
		if !w.nodes[i].unwell {
			m.amongWell++
		}
	}
}
