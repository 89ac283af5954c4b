package main

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
)

// Two of these hosts find each other over real sockets.
func TestTwoHostsMeet(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	events := make(chan core.Event, 64)
	ended := make(chan error, 2)
	tell := func(e core.Event) {
		select {
		case events <- e:
		case <-ctx.Done():
		}
	}
	member := func(name, join string) {
		go func() { ended <- run(ctx, name, "127.0.0.1:0", join, tell) }()
	}
	member("a", "")
	a := await[*swim.Ready](ctx, t, events)
	member("b", a.Self.Addr.String())
	seen := map[string]bool{}
	for len(seen) < 2 {
		seen[await[*swim.Joined](ctx, t, events).Member.Name] = true
	}
	require.Equal(t, map[string]bool{"a": true, "b": true}, seen)
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
	require.ErrorIs(t, <-ended, context.Canceled)
}

// await returns the next event of one type.
func await[E core.Event](ctx context.Context, t *testing.T, events <-chan core.Event) E {
	t.Helper()
	for {
		select {
		case e := <-events:
			if e, ok := e.(E); ok {
				return e
			}
		case <-ctx.Done():
			t.Fatal("the event did not come in time")
		}
	}
}
