package sim

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDiskFaultsHappen runs swarms with one fault of disks each, and no other: it must happen, and do no harm.
func TestDiskFaultsHappen(t *testing.T) {
	for _, only := range diskCatalogue {
		total := Faults{}
		for seed := range uint64(4) {
			c, err := Swarm(seed, "storm")
			require.NoError(t, err)
			c.Ops = slices.DeleteFunc(c.Ops, func(op Op) bool { return op.Fault != "" && op.Fault != only.name })
			r, err := Simulate(c, Harness{})
			require.NoError(t, err)
			require.True(t, r.OK, "%s, seed %d: %v", only.name, seed, r.Violations)
			total = addDisks(total, r.Faults)
		}
		happened, then := map[string][2]uint64{
			"disk-slow":    {total.DiskWritesSlow, total.RecordsLost},
			"disk-full":    {total.DiskWritesRefused, total.StoresFailed},
			"disk-error":   {total.DiskSyncsFailed, total.BootsFailed},
			"disk-torn":    {total.DiskWritesTorn, total.JournalsMended},
			"disk-reorder": {total.DiskPiecesLost, total.JournalsMended},
			"disk-lose":    {total.DiskSyncsIgnored, total.Restarts},
			"disk-rot":     {total.DiskBitsFlipped, total.JournalsMended},
			"disk-stale":   {total.DisksStale, total.Restarts},
		}[only.name], "%s: %+v"
		require.NotZero(t, happened[0], then, only.name, total)
		require.NotZero(t, happened[1], then, only.name, total)
	}
}

func addDisks(f, g Faults) Faults {
	f.Restarts += g.Restarts
	f.RecordsLost += g.RecordsLost
	f.DiskWritesSlow += g.DiskWritesSlow
	f.DiskWritesRefused += g.DiskWritesRefused
	f.DiskWritesTorn += g.DiskWritesTorn
	f.DiskPiecesLost += g.DiskPiecesLost
	f.DiskSyncsFailed += g.DiskSyncsFailed
	f.DiskSyncsIgnored += g.DiskSyncsIgnored
	f.DiskBitsFlipped += g.DiskBitsFlipped
	f.DisksStale += g.DisksStale
	f.StoresFailed += g.StoresFailed
	f.JournalsMended += g.JournalsMended
	f.BootsFailed += g.BootsFailed
	return f
}
