package native

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/codec/journal"
	"github.com/nekton-go/nekton/core"
)

// A shelf is a journal under test, with what it reports.
type shelf struct {
	*recorder
	t       *testing.T
	past    []string
	log     bytes.Buffer
	reports chan report
	ended   chan struct{}
}

type report struct {
	token core.Token
	err   error
}

func openShelf(t *testing.T, dir string, max int) *shelf {
	t.Helper()
	s := &shelf{t: t, reports: make(chan report, 1000), ended: make(chan struct{})}
	log := slog.New(slog.NewTextHandler(&s.log, nil))
	j, past, err := openRecorder(dir, log, max, func(tok core.Token, err error) { s.reports <- report{tok, err} })
	require.NoError(t, err)
	s.recorder, s.past = j, texts(past)
	go func() { j.run(); close(s.ended) }() // ends by end
	return s
}

func texts(past []core.Input) (all []string) {
	for _, in := range past {
		kind := map[core.InputKind]string{core.InputRestore: "snapshot", core.InputReplay: "record"}[in.Kind]
		all = append(all, fmt.Sprintf("%d %s %s", in.Proto, kind, in.Data))
	}
	return all
}

func (s *shelf) put(kind core.EffectKind, p core.Proto, data string) {
	s.store(core.Effect{Kind: kind, Proto: p, Token: 1, Data: []byte(data)})
}

// append stores and waits.
func (s *shelf) append(p core.Proto, data ...string) {
	s.t.Helper()
	for _, d := range data {
		s.put(core.EffectAppend, p, d)
	}
	for range data {
		require.NoError(s.t, (<-s.reports).err)
	}
}

func (s *shelf) finish() {
	s.t.Helper()
	s.end()
	<-s.ended
	require.NoError(s.t, s.close())
}

func TestJournalRemembers(t *testing.T) {
	dir := t.TempDir()
	s := openShelf(t, dir, 1<<20)
	require.Empty(t, s.past)
	s.append(1, "a", "b")
	s.append(40, "x")
	s.put(core.EffectAppend, 1, "c")
	s.put(core.EffectCompact, 1, "abc")
	s.put(core.EffectAppend, 1, "d")
	s.finish() // writes what is queued

	s = openShelf(t, dir, 1<<20)
	want := []string{"1 snapshot abc", "1 record d", "40 record x"}
	require.Equal(t, want, s.past)
	s.append(1, "e")
	s.finish()
	s = openShelf(t, dir, 1<<20)
	require.Equal(t, slices.Insert(want, 2, "1 record e"), s.past)
	require.Empty(t, s.log.String())
	s.finish()
}

func TestJournalMakesItsDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "of", "its", "own")
	s := openShelf(t, dir, 1<<20)
	s.append(1, "a")
	s.finish()
	_, _, err := openRecorder(filepath.Join(dir, "proto-1.journal"), slog.Default(), 1<<20, nil)
	require.ErrorContains(t, err, "create the journal's directory")
}

func TestJournalIsLocked(t *testing.T) {
	dir := t.TempDir()
	s := openShelf(t, dir, 1<<20)
	_, _, err := openRecorder(dir, slog.Default(), 1<<20, nil)
	require.ErrorContains(t, err, "in use by another node")
	s.finish()
	openShelf(t, dir, 1<<20).finish()
}

// TestJournalSurvivesTruncation cuts the file at every length: whole records survive, and the next
// record follows them.
func TestJournalSurvivesTruncation(t *testing.T) {
	whole := []byte(journal.Header)
	ends := []int{len(whole)}
	for _, r := range []string{"first", "second", "third"} {
		whole = journal.AppendRecord(whole, false, []byte(r))
		ends = append(ends, len(whole))
	}
	all := []string{"1 record first", "1 record second", "1 record third"}
	for cut := range len(whole) + 1 {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "proto-1.journal"), whole[:cut], 0o600))
		survive := max(0, slices.IndexFunc(append(ends, 1<<30), func(end int) bool { return end > cut })-1)
		s := openShelf(t, dir, 1<<20)
		require.Equal(t, all[:survive], append([]string{}, s.past...), "cut at %d", cut)
		require.Equal(t, !slices.Contains(ends, cut), strings.Contains(s.log.String(), "cut short"), "cut at %d", cut)
		s.append(1, "next")
		s.finish()
		s = openShelf(t, dir, 1<<20)
		require.Equal(t, append(slices.Clone(all[:survive]), "1 record next"), s.past, "cut at %d", cut)
		s.finish()
		require.Empty(t, asides(t, dir))
	}
}

// TestJournalSurvivesFlippedBits flips each bit of a record in the middle: what is before it survives, and
// the damaged file is kept.
func TestJournalSurvivesFlippedBits(t *testing.T) {
	start := journal.AppendRecord([]byte(journal.Header), true, []byte("first"))
	whole := journal.AppendRecord(start, false, []byte("2nd"))
	end := len(whole)
	whole = journal.AppendRecord(whole, false, []byte("third"))
	for bit := len(start) * 8; bit < end*8; bit++ {
		dir := t.TempDir()
		bad := slices.Clone(whole)
		bad[bit/8] ^= 1 << (bit % 8)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "proto-1.journal"), bad, 0o600))
		s := openShelf(t, dir, 1<<20)
		require.Equal(t, []string{"1 snapshot first"}, s.past, "bit %d", bit)
		require.Contains(t, s.log.String(), "damaged")
		s.append(1, "next")
		s.finish()
		kept := asides(t, dir)
		require.Len(t, kept, 1)
		data, err := os.ReadFile(kept[0])
		require.NoError(t, err)
		require.Equal(t, bad, data)
		s = openShelf(t, dir, 1<<20)
		require.Equal(t, []string{"1 snapshot first", "1 record next"}, s.past, "bit %d", bit)
		s.finish()
	}
}

func asides(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.damaged"))
	require.NoError(t, err)
	return names
}

func TestJournalOfAnotherVersionIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "proto-1.journal")
	require.NoError(t, os.WriteFile(path, []byte("nekton journal 2\nwhatever"), 0o600))
	_, _, err := openRecorder(dir, slog.Default(), 1<<20, nil)
	require.ErrorContains(t, err, "another version")
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "nekton journal 2\nwhatever", string(data))
}

// TestJournalReportsTrouble: after a record that was not stored, nothing is until a snapshot is.
func TestJournalReportsTrouble(t *testing.T) {
	dir := t.TempDir()
	s := openShelf(t, dir, 100)
	s.append(1, "a")
	s.put(core.EffectAppend, 1, strings.Repeat("x", 101))
	require.ErrorIs(t, (<-s.reports).err, errStoresMax)
	s.put(core.EffectAppend, 1, "b")
	require.Error(t, (<-s.reports).err)
	s.append(2, "another machine's")
	s.put(core.EffectCompact, 1, "ab")
	require.NoError(t, (<-s.reports).err)
	s.append(1, "c")

	require.NoError(t, os.RemoveAll(dir))
	s.put(core.EffectCompact, 1, "abc")
	require.Error(t, (<-s.reports).err)
	require.Contains(t, s.log.String(), "out of use")
	s.put(core.EffectAppend, 1, "d")
	require.Error(t, (<-s.reports).err)
	require.NoError(t, os.Mkdir(dir, 0o700))
	s.put(core.EffectCompact, 1, "abcd")
	require.NoError(t, (<-s.reports).err)
	s.finish()
	s = openShelf(t, dir, 100)
	require.Equal(t, []string{"1 snapshot abcd"}, s.past)
	s.finish()
}

// TestJournalCrashDuringReplace: a file that was being written is removed.
func TestJournalCrashDuringReplace(t *testing.T) {
	dir := t.TempDir()
	s := openShelf(t, dir, 1<<20)
	s.append(1, "a")
	s.finish()
	temp := filepath.Join(dir, "proto-1.journal.tmp")
	require.NoError(t, os.WriteFile(temp, []byte("half"), 0o600))
	s = openShelf(t, dir, 1<<20)
	require.Equal(t, []string{"1 record a"}, s.past)
	s.finish()
	require.NoFileExists(t, temp)
}
