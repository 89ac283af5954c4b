package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/nekton-go/nekton/sim/repro"
)

const (
	bundleExt  = ".simrepro"
	bundlesDir = "simrepro"
)

// manifest describes this program.
var manifest = sync.OnceValue(func() repro.Manifest {
	m := repro.Manifest{
		Format: repro.Format, Tool: "nekton " + version(), Go: runtime.Version(),
		Platform: runtime.GOOS + "/" + runtime.GOARCH, Core: repro.Fingerprint(),
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "GOAMD64" {
				m.GOAMD64 = s.Value
			}
		}
	}
	return m
})

// readBundle reads a bundle. Every error is misuse, and says what to do.
func readBundle(file string) (*repro.Bundle, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, misuse(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, misuse(err)
	}
	b, err := repro.Read(f, info.Size())
	switch {
	case errors.Is(err, repro.ErrForeign) && b.Manifest == manifest():
		return nil, misuse(fmt.Errorf("%s: %w, although it made it: it was damaged or changed since", file, err))
	case errors.Is(err, repro.ErrForeign):
		return nil, misuse(fmt.Errorf("%s was made by %s, and this is nekton %s: %w; use the version that made it",
			file, b.Manifest.Tool, version(), err))
	case err != nil:
		return nil, misuse(fmt.Errorf("%s: %w", file, err))
	}
	return b, nil
}

// writeBundle writes a whole file, or none.
func writeBundle(file string, b *repro.Bundle) error {
	var text bytes.Buffer
	if err := b.Write(&text); err != nil {
		return err
	}
	return writeFile(file, text.Bytes())
}

// keepBundle writes a bundle into a directory, under a name of its own, and returns its path. A bundle that is
// there already stays as it is.
func keepBundle(dir string, b *repro.Bundle) (file string, err error) {
	var text bytes.Buffer
	if err := b.Write(&text); err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	name := bundleName(b)
	for k := 1; ; k++ {
		file = filepath.Join(dir, name)
		if k > 1 {
			file = strings.TrimSuffix(file, bundleExt) + "-" + strconv.Itoa(k) + bundleExt
		}
		there, err := os.ReadFile(file)
		switch {
		case errors.Is(err, os.ErrNotExist):
			return file, writeFile(file, text.Bytes())
		case err != nil:
			return "", err
		case bytes.Equal(there, text.Bytes()):
			return file, nil
		}
	}
}

// bundleName is what the bundle of a failure is called. Applications name their oracles as they like.
func bundleName(b *repro.Bundle) string {
	oracle := strings.Trim(notInNames.ReplaceAllString(b.Expect.Violation.Oracle, "-"), "-")
	if oracle == "" {
		oracle = "failure"
	}
	return fmt.Sprintf("%s-%d%s", oracle, b.Case.Seed, bundleExt)
}

var notInNames = regexp.MustCompile(`[^A-Za-z0-9]+`)

// writeFile replaces a file at once, and only once everything is on disk. What is no file, such as a device, is
// written to.
func writeFile(file string, text []byte) error {
	if info, err := os.Stat(file); err == nil && !info.Mode().IsRegular() {
		return os.WriteFile(file, text, 0o666)
	}
	next := filepath.Join(filepath.Dir(file), "."+filepath.Base(file)+"."+strconv.Itoa(os.Getpid()))
	f, err := os.OpenFile(next, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(next, file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(next))
	}
	return nil
}

// program is how this program was called, for others to call it.
func program() string {
	if strings.Contains(os.Args[0], "go-build") {
		return "go run ./cmd/nekton" // gone when this ends
	}
	return quoted(os.Args[0])
}

// commandLine is what a shell must be told.
func commandLine(args ...string) string {
	words := []string{program()}
	for _, arg := range args {
		words = append(words, quoted(arg))
	}
	return strings.Join(words, " ")
}

// typed is a command with its flags, as somebody may have typed them.
func typed(c *cobra.Command, args []string) []string {
	words := append(strings.Fields(c.CommandPath())[1:], args...)
	c.Flags().Visit(func(f *pflag.Flag) {
		words = append(words, "-"+f.Name)
		if list, ok := f.Value.(pflag.SliceValue); ok {
			words = append(words, strings.Join(list.GetSlice(), ","))
		} else if f.NoOptDefVal == "" {
			words = append(words, f.Value.String())
		}
	})
	return words
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:,=+@%-]+$`)

// quoted is a word that a shell reads as it is.
func quoted(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
