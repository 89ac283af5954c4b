package agent

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestKeyFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys")
	a, b := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 16)
	require.NoError(t, writeKeys(file, primaryFirst([][]byte{a, b}, b)))
	keys, err := ReadKeys(file)
	require.NoError(t, err)
	require.Equal(t, [][]byte{b, a}, keys)
	stat, err := os.Stat(file)
	require.NoError(t, err)
	require.Zero(t, stat.Mode()&0o077, "nobody else may read it")

	gone := filepath.Join(t.TempDir(), "nowhere", "keys")
	require.ErrorContains(t, writeKeys(gone, keys), "replace the key file")
	require.NoError(t, os.WriteFile(file, make([]byte, keyFileMax+1), 0o600))
	_, err = ReadKeys(file)
	require.ErrorContains(t, err, "larger than")
}

func FuzzParseKeys(f *testing.F) {
	f.Add([]byte("# one\n\nAAAAAAAAAAAAAAAAAAAAAA==\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		keys, err := ParseKeys(text)
		if err == nil {
			require.NotEmpty(t, keys)
		}
		for _, k := range keys {
			require.NoError(t, checkKey(k))
		}
	})
}
