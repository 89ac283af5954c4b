package journal

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/core"
)

// memory is a Dir that keeps everything, until the power fails or it breaks.
type memory struct {
	files  map[string][]byte
	budget int  // operations until nothing works any more; -1: no end
	half   bool // the first write that does not work writes half of itself
}

var errPower = errors.New("no power")

func newMemory() *memory { return &memory{files: map[string][]byte{}, budget: -1} }

func (m *memory) spend() error {
	if m.budget == 0 {
		return errPower
	}
	m.budget--
	return nil
}

func (m *memory) List() (names []string, err error) {
	for name := range m.files {
		names = append(names, name)
	}
	return names, m.spend()
}

func (m *memory) Read(name string) ([]byte, error) {
	return slices.Clone(m.files[name]), m.spend()
}

func (m *memory) Create(name string) error {
	err := m.spend()
	if err == nil {
		m.files[name] = []byte{}
	}
	return err
}

func (m *memory) Append(name string, b []byte) error {
	err := m.spend()
	if err != nil && m.half {
		m.half, b = false, b[:len(b)/2]
	} else if err != nil {
		return err
	}
	m.files[name] = append(m.files[name], b...)
	return err
}

func (m *memory) Truncate(name string, size int64) error {
	err := m.spend()
	if err == nil {
		m.files[name] = m.files[name][:size]
	}
	return err
}

func (m *memory) Rename(from, to string) error {
	err := m.spend()
	if err == nil {
		m.files[to] = m.files[from]
		delete(m.files, from)
	}
	return err
}

func (m *memory) Remove(name string) error {
	err := m.spend()
	if err == nil {
		delete(m.files, name)
	}
	return err
}

func (m *memory) Sync(string) error { return m.spend() }
func (m *memory) SyncDir() error    { return m.spend() }

func (m *memory) damaged() (names []string) {
	for name := range m.files {
		if strings.HasSuffix(name, damagedSuffix) {
			names = append(names, name)
		}
	}
	return names
}

func mustOpen(t *testing.T, m *memory) (*Journal, Past) {
	t.Helper()
	m.budget = -1
	j, past, err := Open(m)
	require.NoError(t, err)
	return j, past
}

func texts(inputs []core.Input) []string {
	all := []string{}
	for _, in := range inputs {
		kind := map[core.InputKind]string{core.InputRestore: "snapshot", core.InputReplay: "record"}[in.Kind]
		all = append(all, fmt.Sprintf("%d %s %s", in.Proto, kind, in.Data))
	}
	return all
}

func put(p core.Proto, data string) Store { return Store{Proto: p, Data: []byte(data)} }
func snap(p core.Proto, data string) Store {
	return Store{Proto: p, Data: []byte(data), Snapshot: true}
}

func TestJournalRemembers(t *testing.T) {
	m := newMemory()
	j, past := mustOpen(t, m)
	require.Empty(t, past)
	require.NoError(t, j.Commit([]Store{put(1, "a"), put(40, "x"), put(1, "b")}))
	require.NoError(t, j.Commit([]Store{put(1, "c"), snap(1, "abc"), put(1, "d")}))
	want := []string{"1 snapshot abc", "1 record d", "40 record x"}
	j, past = mustOpen(t, m)
	require.Equal(t, want, texts(past.Inputs))
	require.Empty(t, past.Repairs)
	require.NoError(t, j.Commit([]Store{put(1, "e")}))
	_, past = mustOpen(t, m)
	require.Equal(t, slices.Insert(want, 2, "1 record e"), texts(past.Inputs))
	require.Len(t, m.files, 2)
}

// TestEveryTruncation cuts a file at every length: whole records survive, and the next one follows them.
func TestEveryTruncation(t *testing.T) {
	file := AppendRecord([]byte(Header), true, []byte("first"))
	ends := []int{len(Header), len(file)}
	for _, r := range []string{"second", "third"} {
		file = AppendRecord(file, false, []byte(r))
		ends = append(ends, len(file))
	}
	all := []string{"1 snapshot first", "1 record second", "1 record third"}
	for cut := range len(file) + 1 {
		for _, filler := range []int{0, 1, 100} { // zeros, as of a file that was made longer before it was written
			m := newMemory()
			m.files["proto-1.journal"] = append(slices.Clone(file[:cut]), make([]byte, filler)...)
			survive := max(0, slices.IndexFunc(append(ends, 1<<30), func(end int) bool { return end > cut })-1)
			j, past := mustOpen(t, m)
			require.Equal(t, all[:survive], texts(past.Inputs), "cut at %d", cut)
			if clean := slices.Contains(ends, cut) && filler == 0; clean {
				require.Empty(t, past.Repairs, "cut at %d", cut)
			} else {
				require.Len(t, past.Repairs, 1, "cut at %d", cut)
				require.Equal(t, core.Proto(1), past.Repairs[0].Proto)
			}
			require.NoError(t, j.Commit([]Store{put(1, "next")}))
			_, past = mustOpen(t, m)
			require.Equal(t, append(slices.Clone(all[:survive]), "1 record next"), texts(past.Inputs), "cut at %d", cut)
		}
	}
}

// TestEveryFlippedBit: what is before the record it hits survives, the damaged file is kept, and what is
// stored afterwards is found again.
func TestEveryFlippedBit(t *testing.T) {
	file := AppendRecord([]byte(Header), true, []byte("first"))
	ends := []int{len(Header), len(file)}
	file = AppendRecord(file, false, []byte("2nd"))
	ends = append(ends, len(file))
	file = AppendRecord(file, false, []byte("third"))
	all := []string{"1 snapshot first", "1 record 2nd"}
	for bit := range len(file) * 8 {
		m := newMemory()
		bad := slices.Clone(file)
		bad[bit/8] ^= 1 << (bit % 8)
		m.files["proto-1.journal"] = slices.Clone(bad)
		if bit/8 >= len(family) && bit/8 < len(Header) { // the version
			_, _, err := Open(m)
			require.ErrorIs(t, err, ErrForeign)
			require.Equal(t, bad, m.files["proto-1.journal"])
			continue
		}
		survive := max(0, slices.IndexFunc(append(ends, 1<<30), func(end int) bool { return end > bit/8 })-1)
		j, past := mustOpen(t, m)
		require.Equal(t, all[:survive], texts(past.Inputs), "bit %d", bit)
		require.Len(t, m.damaged(), 1, "bit %d", bit)
		require.Equal(t, m.damaged()[0], past.Repairs[0].Aside)
		require.Equal(t, bad, m.files[m.damaged()[0]])
		require.NoError(t, j.Commit([]Store{put(1, "next")}))
		_, past = mustOpen(t, m)
		require.Equal(t, append(slices.Clone(all[:survive]), "1 record next"), texts(past.Inputs), "bit %d", bit)
		require.Empty(t, past.Repairs, "bit %d", bit)
	}
}

// TestTrouble: after a record that was not stored, nothing is until a snapshot is.
func TestTrouble(t *testing.T) {
	m := newMemory()
	j, _ := mustOpen(t, m)
	full := Store{Proto: 1, Err: errors.New("refused")}
	batch := []Store{put(1, "a"), full, put(1, "b"), put(2, "another machine's")}
	require.NoError(t, j.Commit(batch))
	require.ErrorContains(t, batch[2].Err, "refused")
	require.NoError(t, batch[3].Err)
	batch = []Store{put(1, "c"), snap(1, "abc"), put(1, "d")}
	require.NoError(t, j.Commit(batch))
	require.ErrorContains(t, batch[0].Err, "refused")
	require.NoError(t, batch[1].Err)
	require.NoError(t, batch[2].Err)

	m.budget, m.half = 0, true
	batch = []Store{put(1, "eeee")}
	require.ErrorIs(t, j.Commit(batch), errPower)
	require.ErrorIs(t, batch[0].Err, errPower)
	m.budget = -1
	batch = []Store{put(1, "f")}
	require.NoError(t, j.Commit(batch), "the file is out of use, and that is known")
	require.ErrorIs(t, batch[0].Err, errPower)
	require.NoError(t, j.Commit([]Store{snap(1, "abcdef"), put(1, "g")}))
	_, past := mustOpen(t, m)
	require.Equal(t, []string{"1 snapshot abcdef", "1 record g", "2 record another machine's"}, texts(past.Inputs))
}

// TestPowerFailsAnywhere: whatever operation is the last, of writing and then of recovery, what was called
// durable is found, in order, without gaps.
func TestPowerFailsAnywhere(t *testing.T) {
	stores := []Store{put(1, "a"), put(1, "b"), snap(1, "ab"), put(1, "c"), snap(1, "abc"), put(1, "d")}
	folds := [][]string{{}, {"a"}, {"a", "b"}, {"ab"}, {"ab", "c"}, {"abc"}, {"abc", "d"}}
	for _, half := range []bool{false, true} {
		for writes := range 25 {
			for mends := range 8 {
				m := newMemory()
				j, _ := mustOpen(t, m)
				m.budget, m.half = writes, half
				durable := 0
				for k := range stores {
					batch := stores[k : k+1 : k+1]
					if s := batch[0]; j.Commit(batch) == nil && batch[0].Err == nil {
						durable = k + 1
					} else {
						batch[0] = s
						break
					}
				}
				m.budget, m.half = mends, half
				_, _, _ = Open(m)
				m.half = false
				_, past := mustOpen(t, m)
				var data []string
				for _, in := range past.Inputs {
					data = append(data, string(in.Data))
				}
				at := slices.IndexFunc(folds, func(f []string) bool { return slices.Equal(f, data) })
				require.GreaterOrEqual(t, at, durable, "%d writes, %d mends: %q", writes, mends, data)
				require.LessOrEqual(t, at, durable+1)
				_, again := mustOpen(t, m)
				require.Equal(t, past.Inputs, again.Inputs)
				require.Empty(t, again.Repairs)
			}
		}
	}
}

// FuzzRecovery: any bytes are recovered without a panic, to a run of good records from their beginning; the
// next record follows those.
func FuzzRecovery(f *testing.F) {
	seed := AppendRecord([]byte(Header), true, []byte("state"))
	f.Add(seed)
	f.Add(AppendRecord(seed, false, []byte("more"))[:len(seed)+5])
	f.Add([]byte("nekton journal 9\n"))
	f.Add([]byte("nekton jours"))
	f.Add(make([]byte, 40))
	f.Fuzz(func(t *testing.T, data []byte) {
		m := newMemory()
		m.files["proto-1.journal"] = slices.Clone(data)
		j, past, err := Open(m)
		if err != nil {
			require.ErrorIs(t, err, ErrForeign)
			require.Equal(t, data, m.files["proto-1.journal"])
			return
		}
		mended := m.files["proto-1.journal"]
		encoded := []byte(Header)
		for _, in := range past.Inputs {
			encoded = AppendRecord(encoded, in.Kind == core.InputRestore, in.Data)
		}
		require.True(t, strings.HasSuffix(string(mended), string(encoded[len(Header):])))
		if good := len(data) - lost(past); good > 0 {
			require.Equal(t, data[:good], mended)
		}
		require.NoError(t, j.Commit([]Store{put(1, "next")}))
		_, again := mustOpen(t, m)
		require.Empty(t, again.Repairs)
		require.Equal(t, append(texts(past.Inputs), "1 record next"), texts(again.Inputs))
	})
}

func lost(past Past) (bytes int) {
	for _, r := range past.Repairs {
		bytes += r.Lost
	}
	return bytes
}
