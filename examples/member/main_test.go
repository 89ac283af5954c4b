package main

import (
	"bufio"
	"context"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Two members meet; one says goodbye, and the other says so.
func TestMembersMeetAndPart(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	a, err := start(ctx, "a", "127.0.0.1:0", "")
	require.NoError(t, err)
	defer a.Close()
	lines, out := io.Pipe()
	go func() {
		_ = watch(ctx, a, out)
		out.Close()
	}()
	seen := bufio.NewScanner(lines)
	next := func() string {
		require.True(t, seen.Scan(), "no more lines: %v", seen.Err())
		return seen.Text()
	}
	require.Equal(t, "members: 1", next())

	visit, goHome := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- run(visit, "b", "127.0.0.1:0", a.Self().Addr.String(), io.Discard) }()
	require.Equal(t, "joined: b", next())
	goHome()
	require.Equal(t, "left: b", next())
	require.NoError(t, <-ended)
}
