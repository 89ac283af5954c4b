package main

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestVersion(t *testing.T) {
	out := nekton(t, "version")
	require.Contains(t, out, runtime.Version())
	require.Contains(t, out, "membership protocol 1 to 5\n")
	require.Contains(t, out, "wasm ABI 1\n")
}
