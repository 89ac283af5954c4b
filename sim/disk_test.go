package sim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/codec/journal"
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/internal/mutant"
	"github.com/nekton-go/nekton/sim/check"
)

// trial writes a journal to a disk until the power fails, after so many operations or at the end (-1), and recovers
// it; and a copy, on which the power fails again on the way. It returns what the checks say, and how many operations
// it took to write.
func trial(seed uint64, power int, bug mutant.ID) (broken []check.Violation, calls int, counts Faults) {
	rng := rand.New(rand.NewPCG(seed, 1))
	d := newDisk(seed, 0, &counts)
	j, _, err := journal.OpenMutant(&d, bug)
	if err != nil {
		return nil, 0, counts
	}
	before := d.calls
	d.power = power
	crash := diskFaults{tears: seed%3 == 1, reorders: seed%3 == 2}
	var asked []check.Stored
	for n := range 1 + rng.IntN(12) {
		d.diskFaults = crash
		d.full = rng.IntN(8) == 0
		d.errors = []int{0, 0, 0, 500_000}[rng.IntN(4)]
		d.lies = seed%2 == 0 && rng.IntN(4) == 0
		var batch []journal.Store
		for k := range 1 + rng.IntN(3) {
			data := fmt.Appendf(nil, "%d.%d %x", n, k, make([]byte, rng.IntN(20)))
			batch = append(batch, journal.Store{
				Proto: core.Proto(1 + rng.IntN(2)), Snapshot: rng.IntN(4) == 0, Data: data,
			})
		}
		_ = j.Commit(batch)
		for _, s := range batch {
			asked = append(asked, check.Stored{
				Proto: s.Proto, Snapshot: s.Snapshot, Data: s.Data, Durable: s.Err == nil,
			})
		}
	}
	calls = int(d.calls - before)
	d.crash()
	d.diskFaults = crash
	s := storage{disk: d}
	again, err := s.again(bug)
	_, found, more := journal.OpenMutant(&s, bug)
	c := check.New(check.Config{Nodes: 1})
	if err != nil || more != nil {
		c.Log().Add(check.Violation{What: fmt.Sprint(err, more)})
	}
	c.Recovered(1, 0, check.Recovery{Asked: asked, Doubtful: s.broke, Got: found.Inputs, Again: again})
	return c.Log().Violations(), calls, counts
}

// TestPowerFailsAtEveryPoint writes journals at random to disks with every fault, and cuts the power at every
// point.
func TestPowerFailsAtEveryPoint(t *testing.T) {
	var total Faults
	for seed := range uint64(100) {
		broken, calls, _ := trial(seed, -1, mutant.None)
		require.Empty(t, broken, "seed %d", seed)
		for power := range calls {
			broken, _, counts := trial(seed, power, mutant.None)
			require.Empty(t, broken, "seed %d, power %d", seed, power)
			total.DiskWritesRefused += counts.DiskWritesRefused
			total.DiskWritesTorn += counts.DiskWritesTorn
			total.DiskPiecesLost += counts.DiskPiecesLost
			total.DiskSyncsFailed += counts.DiskSyncsFailed
			total.DiskSyncsIgnored += counts.DiskSyncsIgnored
		}
	}
	require.NotZero(t, total.DiskWritesRefused)
	require.NotZero(t, total.DiskWritesTorn)
	require.NotZero(t, total.DiskPiecesLost)
	require.NotZero(t, total.DiskSyncsFailed)
	require.NotZero(t, total.DiskSyncsIgnored)
}

// TestJournalMutantsAreNoticed by the oracle that each is for.
func TestJournalMutantsAreNoticed(t *testing.T) {
	notices := func(m mutant.Mutant) bool {
		for seed := range uint64(1000) {
			broken, _, _ := trial(seed, int(seed%40), m.ID)
			if slices.ContainsFunc(broken, func(v check.Violation) bool { return v.Oracle == m.Oracle }) {
				return true
			}
		}
		return false
	}
	for _, m := range mutant.All() {
		if m.Oracle[0] == 'J' {
			require.True(t, notices(m), m.Name)
		}
	}
}

// lives has processes write a journal to one disk, one after the other, and crash.
func lives(seed uint64, counts *Faults) []check.Violation {
	rng := rand.New(rand.NewPCG(seed, 2))
	s := storage{disk: newDisk(seed, 0, counts)}
	c := check.New(check.Config{Nodes: 1})
	for life := range 8 {
		s.diskFaults = diskFaults{
			tears: rng.IntN(4) == 0, reorders: rng.IntN(4) == 0, lies: rng.IntN(2) == 0,
			rot: []int{0, 0, 2000, million}[rng.IntN(4)],
		}
		if rng.IntN(8) == 0 {
			s.stale = &backup{s.image(), slices.Clone(s.asked), s.broke || s.lied}
		} else if s.stale != nil && rng.IntN(2) == 0 {
			s.replace(s.stale)
		}
		s.recoveries++
		s.decay()
		again, err := s.again(mutant.None)
		j, found, more := journal.Open(&s)
		if err != nil || more != nil { // bits of a header flipped, and it is that of another version
			return c.Log().Violations()
		}
		c.Recovered(core.Instant(life), 0, check.Recovery{
			Asked: s.asked, Doubtful: s.broke, Got: found.Inputs, Again: again,
		})
		s.begin(j, found)
		for n := range rng.IntN(6) {
			s.lies = s.lies && rng.IntN(4) > 0
			s.errors = []int{0, 0, 0, 300_000}[rng.IntN(4)]
			s.ask(journal.Store{
				Proto: core.Proto(1 + rng.IntN(2)), Snapshot: rng.IntN(4) == 0, Data: fmt.Appendf(nil, "%d.%d", life, n),
			})
			if rng.IntN(4) > 0 {
				_ = s.commit()
			}
		}
		s.errors = 0
		s.stop()
	}
	return c.Log().Violations()
}

// TestLives has what was mended come back as it was, where the disk lied, and bits flip to and fro.
func TestLives(t *testing.T) {
	var total Faults
	for seed := range uint64(1000) {
		require.Empty(t, lives(seed, &total), "seed %d", seed)
	}
	require.NotZero(t, total.DiskBitsFlipped)
	require.NotZero(t, total.DiskPiecesLost)
	require.NotZero(t, total.DiskSyncsFailed)
	require.NotZero(t, total.DiskSyncsIgnored)
}

func FuzzDisk(f *testing.F) {
	for seed := range uint64(12) {
		f.Add(seed, int(5*seed))
	}
	f.Fuzz(func(t *testing.T, seed uint64, power int) {
		broken, _, _ := trial(seed, max(power, -1), mutant.None)
		require.Empty(t, broken)
	})
}

// TestDisk pins what a disk promises, one thing at a time.
func TestDisk(t *testing.T) {
	fresh := func() disk {
		d := newDisk(1, 0, new(Faults))
		require.NoError(t, d.Create("a"))
		require.NoError(t, d.Append("a", []byte("one")))
		require.NoError(t, d.Sync("a"))
		require.NoError(t, d.SyncDir())
		return d
	}
	read := func(d *disk, name string) string {
		data, err := d.Read(name)
		if err != nil {
			return err.Error()
		}
		return string(data)
	}

	d := fresh()
	require.NoError(t, d.Append("a", []byte(" two")))
	require.Equal(t, "one two", read(&d, "a"), "what is written can be read at once")
	d.crash()
	require.Equal(t, "one", read(&d, "a"), "what is not synced is lost")

	require.NoError(t, d.Create("b"))
	require.NoError(t, d.Append("b", []byte("new")))
	require.NoError(t, d.Sync("b"))
	require.NoError(t, d.Rename("b", "a"))
	require.Equal(t, "new", read(&d, "a"))
	require.Equal(t, errNoFile.Error(), read(&d, "b"))
	lost := d.twin()
	require.Equal(t, "one", read(&lost, "a"), "a rename needs a sync of the directory")
	require.NoError(t, d.SyncDir())
	d.crash()
	require.Equal(t, "new", read(&d, "a"))

	require.NoError(t, d.Truncate("a", 1))
	require.NoError(t, d.Remove("a"))
	names, err := d.List()
	require.NoError(t, err)
	require.Empty(t, names)
	d.crash()
	require.Equal(t, "new", read(&d, "a"))

	d = fresh()
	d.errors = million
	require.NoError(t, d.Append("a", []byte(" two")))
	require.ErrorIs(t, d.Sync("a"), errSync)
	d.errors = 0
	require.NoError(t, d.Sync("a"))
	require.Equal(t, "one", read(&d, "a"), "a later sync does not bring back what an earlier one dropped")

	d = fresh()
	before := d.image()
	d.full = true
	require.ErrorIs(t, d.Append("a", []byte(" two")), errFull)
	require.Contains(t, "one two", read(&d, "a"))
	d.restore(before)
	require.Equal(t, "one", read(&d, "a"))

	d = fresh()
	d.lies = true
	require.NoError(t, d.Append("a", []byte(" two")))
	require.NoError(t, d.Sync("a"))
	require.True(t, d.lied)
	d.crash()
	require.Equal(t, "one", read(&d, "a"))
	require.False(t, d.lied)

	d.power = 1
	require.NoError(t, d.Append("a", []byte(" two")))
	require.ErrorIs(t, d.Sync("a"), errPower)
	d.crash()
	require.Equal(t, "one", read(&d, "a"))
	d.rot = million
	d.broke = false
	d.decay()
	require.True(t, d.broke)
	require.EqualValues(t, 24, d.counts.DiskBitsFlipped)
	require.NotEqual(t, "one", read(&d, "a"))
	d.decay()
	require.Equal(t, "one", read(&d, "a"))
}
