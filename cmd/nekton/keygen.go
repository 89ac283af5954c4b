package main

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"
)

func newKeygen() *cobra.Command {
	c := &cobra.Command{
		Use:   "keygen",
		Short: "Make a key for a cluster's encryption",
		Long:  "Make a random key, in base64, for the file that all agents of a cluster are given with -key-file.",
		Args:  noArgs,
	}
	size := c.Flags().Int("size", 32, "`bytes` of the key: 16, 24 or 32, for AES-128, AES-192 or AES-256")
	file := c.Flags().String("out", "", "new `file` for the key, readable by you alone; default: standard output")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if *size != 16 && *size != 24 && *size != 32 {
			return misuse(fmt.Errorf("-size %d: use 16, 24 or 32", *size))
		}
		key := make([]byte, *size)
		rand.Read(key) // never fails
		line := base64.StdEncoding.EncodeToString(key) + "\n"
		if *file == "" {
			_, err := fmt.Fprint(c.OutOrStdout(), line)
			return err
		}
		return writeNew(*file, line)
	}
	return c
}

// writeNew makes a secret file. It never replaces one: the old key may be in use.
func writeNew(file, text string) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return misuse(fmt.Errorf("%s exists already; choose another -out", file))
	}
	if err != nil {
		return misuse(err)
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}
