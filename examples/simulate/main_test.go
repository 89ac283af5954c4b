package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/sim/simtest"
)

// TestRegister is all it takes to simulate an application.
func TestRegister(t *testing.T) {
	simtest.Run(t, simtest.Test{Harness: harness(true), Case: workload})
}

// TestFindsThePlantedBug runs the program: it must find the bug and leave only two members who put at once.
func TestFindsThePlantedBug(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run(&out))
	t.Log(out.String())
	require.Contains(t, out.String(), "R2 registers-agree")
	require.Regexp(t, `(?m)^   t=\S+ +call n0 n1 "value \d+"$`, out.String())
	require.NotContains(t, out.String(), "start n2\n")
	require.Contains(t, out.String(), "the small case: ok\n")
	require.Contains(t, out.String(), "all 30 seeds: ok\n")
}
