package repro

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/internal/mutant"
	"github.com/nekton-go/nekton/sim"
	"github.com/nekton-go/nekton/sim/check"
)

// failing is a run that a mutant makes fail, as a bundle.
func failing(t *testing.T) *Bundle {
	t.Helper()
	c, err := sim.Swarm(7, "lite")
	require.NoError(t, err)
	c.Swim.Mutant = mutant.Canary
	r, err := sim.Simulate(c, sim.Harness{})
	require.NoError(t, err)
	require.False(t, r.OK)
	return &Bundle{
		Manifest: Manifest{Format: Format, Tool: "nekton test", Go: "go1", Core: Fingerprint()},
		Case:     c, Expect: Outcome(&r), Failure: "it failed\n",
	}
}

func written(t *testing.T, b *Bundle) []byte {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, b.Write(&out))
	return out.Bytes()
}

// TestBundlesComeBack writes a bundle, reads it, and makes its run again.
func TestBundlesComeBack(t *testing.T) {
	b := failing(t)
	file := written(t, b)
	require.Equal(t, file, written(t, b), "equal bundles are equal bytes")
	back, err := Read(bytes.NewReader(file), int64(len(file)))
	require.NoError(t, err)
	require.Equal(t, b, back)
	r, err := sim.Simulate(back.Case, sim.Harness{})
	require.NoError(t, err)
	again := Outcome(&r)
	require.Empty(t, back.Expect.Differences(&again))
	require.Equal(t, "S5a", again.Violation.Oracle)
}

// TestBundlesAreForPeople: every entry is text, and a schedule has a line for each thing in it.
func TestBundlesAreForPeople(t *testing.T) {
	file := written(t, failing(t))
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	require.NoError(t, err)
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name)
		in, err := f.Open()
		require.NoError(t, err)
		text, err := io.ReadAll(in)
		require.NoError(t, err)
		if f.Name == "case.json" {
			require.Contains(t, string(text), "\n      \"kind\": \"join\",\n")
			require.Contains(t, string(text), `"Mutant": "canary"`)
		}
	}
	require.Equal(t, []string{"manifest.json", "case.json", "expect.json", "failure.txt"}, names)
}

// archive makes a zip of entries: name, contents, name, contents ...
func archive(t *testing.T, entries ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for i := 0; i < len(entries); i += 2 {
		w, err := z.Create(entries[i])
		require.NoError(t, err)
		_, err = io.WriteString(w, entries[i+1])
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	return out.Bytes()
}

// TestReadRefuses pins what is no bundle, what comes from elsewhere, and what is known of it all the same.
func TestReadRefuses(t *testing.T) {
	manifest, err := json.Marshal(Manifest{Format: Format, Tool: "nekton 9"})
	require.NoError(t, err)
	c, err := json.Marshal(failing(t).Case)
	require.NoError(t, err)
	whole := written(t, failing(t))
	for name, test := range map[string]struct {
		file []byte
		is   error
		want string
	}{
		"text":          {[]byte("text"), ErrNoBundle, "zip: not a valid zip file"},
		"torn":          {whole[:len(whole)/2], ErrNoBundle, "zip: not a valid zip file"},
		"flipped":       {flip(whole), ErrNoBundle, ""},
		"another zip":   {archive(t, "readme", "hello"), ErrNoBundle, "manifest.json"},
		"other format":  {archive(t, "manifest.json", `{"format":2,"tool":"nekton 9"}`), ErrForeign, "format 2, not 1"},
		"no case":       {archive(t, "manifest.json", string(manifest)), ErrForeign, "case.json"},
		"unknown field": {archive(t, "manifest.json", string(manifest), "case.json", `{"colour":"red"}`), ErrForeign, `"colour"`},
		"bad case": {archive(t, "manifest.json", string(manifest), "case.json", strings.Replace(string(c), `"nodes":`, `"nodes":-`, 1),
			"expect.json", "{}"), ErrForeign, "use 1 to"},
	} {
		b, err := Read(bytes.NewReader(test.file), int64(len(test.file)))
		require.ErrorIs(t, err, test.is, name)
		require.ErrorContains(t, err, test.want, name)
		if test.is == ErrForeign {
			require.Equal(t, "nekton 9", b.Manifest.Tool, name)
		}
	}
}

// flip changes one bit of the first entry's contents.
func flip(file []byte) []byte {
	file = bytes.Clone(file)
	file[60] ^= 1
	return file
}

// TestDifferences names what differs, and where.
func TestDifferences(t *testing.T) {
	c := failing(t).Case
	outcome := func(c sim.Case) Expect {
		r, err := sim.Simulate(c, sim.Harness{})
		require.NoError(t, err)
		return Outcome(&r)
	}
	broken := outcome(c)
	c.Swim.Mutant = mutant.None
	sound := outcome(c)
	text := strings.Join(broken.Differences(&sound), "\n")
	require.Contains(t, text, "outcome: ok, not S5a no-self-doubt")
	require.Contains(t, text, "trace hash: "+sound.TraceHash+", not "+broken.TraceHash)
	require.Regexp(t, `the runs part after step \d+ and by step \d+`, text)
}

// TestPanicsOfGuests are those of native nodes, in a longer sentence.
func TestPanicsOfGuests(t *testing.T) {
	panics := func(what string) *Expect { return &Expect{Violation: &check.Violation{Oracle: "S0", What: what}} }
	native, guest := panics("panic: oh no"), panics("panic: wasi: the guest failed: unreachable; it said: panic: oh no")
	require.Empty(t, native.Differences(guest))
	require.Empty(t, guest.Differences(native))
	require.Equal(t, []string{"observed: panic: oh, not panic: oh no"}, native.Differences(panics("panic: oh")))
}

// TestFingerprintIsStable is a change detector by design: see hashes.txt of package sim.
func TestFingerprintIsStable(t *testing.T) {
	require.Len(t, Fingerprint(), 16)
	require.Equal(t, Fingerprint(), Fingerprint())
}

func TestThousands(t *testing.T) {
	for n, want := range map[uint64]string{0: "0", 999: "999", 1000: "1,000", 48112: "48,112", 1234567: "1,234,567"} {
		require.Equal(t, want, thousands(n))
	}
}

// TestReportsListWhatMatters: of many disturbances, those that befell who is in question, and faults before pings.
func TestReportsListWhatMatters(t *testing.T) {
	c := failing(t).Case
	c.Ops = nil
	for i := range 30 {
		at := time.Duration(i+1) * time.Second
		c.Ops = append(c.Ops, sim.Op{At: at, Until: at + time.Millisecond/2, Kind: sim.Crash, Nodes: []int{i % 3}})
		c.Ops = append(c.Ops, sim.Op{At: at, Kind: sim.Leave, Nodes: []int{1}})
	}
	v := check.Violation{Oracle: "S2", Name: "no-resurrection", Observer: "n1", Subject: "n3", At: core.Instant(time.Hour)}
	text := (&Report{Case: c, Violation: v}).String()
	require.Contains(t, text, "  rule:     dead or left members are alive again at a higher incarnation only")
	require.Contains(t, text, "what disturbed it:\n  (and 48 more before: see case.json)\n")
	require.Equal(t, 10, strings.Count(text, "crash n1 until"))
	require.Equal(t, 2, strings.Count(text, "crash n0 until")+strings.Count(text, "crash n2 until"))
	require.NotContains(t, text, "leave")
	require.Contains(t, text, "  t=29s       crash n1 until 29.0005s\n")
}
