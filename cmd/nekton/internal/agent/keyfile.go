package agent

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// keyFileMax bounds a key file, in bytes.
const keyFileMax = 64 << 10

// ReadKeys reads a key file: one key per line, of 16, 24 or 32 bytes in base64, the primary one first.
// Blank lines and lines that begin with # are skipped.
func ReadKeys(file string) ([][]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the key file: %w", err)
	}
	if len(text) > keyFileMax {
		return nil, fmt.Errorf("key file %s is larger than %d bytes", file, keyFileMax)
	}
	keys, err := ParseKeys(text)
	if err != nil {
		return nil, fmt.Errorf("key file %s: %w", file, err)
	}
	return keys, nil
}

// ParseKeys reads the text of a key file.
func ParseKeys(text []byte) ([][]byte, error) {
	var keys [][]byte
	number := 0
	for line := range bytes.Lines(text) {
		number++
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		key, err := base64.StdEncoding.DecodeString(string(line))
		if err != nil {
			return nil, fmt.Errorf("line %d is not base64; make a key with: nekton keygen", number)
		}
		if err := checkKey(key); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, errors.New("it holds no key; make one with: nekton keygen")
	}
	return keys, nil
}

func checkKey(key []byte) error {
	if !slices.Contains([]int{16, 24, 32}, len(key)) {
		return fmt.Errorf("a key of %d bytes; want 16, 24 or 32", len(key))
	}
	return nil
}

// writeKeys replaces a key file, all or nothing.
func writeKeys(file string, keys [][]byte) error {
	var text []byte
	for _, k := range keys {
		text = append(base64.StdEncoding.AppendEncode(text, k), '\n')
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".keys-*") // readable by its owner alone
	if err != nil {
		return fmt.Errorf("replace the key file: %w", err)
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		os.Remove(f.Name())
		return fmt.Errorf("replace the key file: %w", err)
	}
	return nil
}
