package runtime_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/runtime"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A world is a host with nothing in it but time and posts.
type world struct {
	began time.Time
	posts chan core.Input

	once   sync.Once
	closed chan struct{}
}

func newWorld() *world {
	w := &world{began: time.Now(), posts: make(chan core.Input, 64), closed: make(chan struct{})}
	w.posts <- core.Input{Kind: core.InputWake}
	return w
}

func (w *world) Now() core.Instant { return core.Instant(time.Since(w.began)) + 1 }
func (w *world) Do(core.Effect)    {}

func (w *world) Wait(ctx context.Context, deadline core.Instant, in *core.Input) error {
	timer := time.NewTimer(deadline.Sub(w.Now()))
	defer timer.Stop()
	select {
	case *in = <-w.posts:
	case <-timer.C:
		*in = core.Input{Kind: core.InputWake}
	case <-w.closed:
		return errors.New("the cable was cut")
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

func (w *world) Post(in core.Input) error {
	select {
	case <-w.closed:
		return runtime.ErrClosed
	default:
	}
	select {
	case w.posts <- in:
		return nil
	default:
		return core.FaultBusy
	}
}

func (w *world) Close() error {
	w.once.Do(func() { close(w.closed) })
	return nil
}

// A toy is a node that says what it is told to.
type toy struct{ out []core.Event }

// say is answered at once, with events and then a completion; silence is not answered at all.
type (
	say struct {
		id     uint64
		events []core.Event
		fault  core.Fault
	}
	silence struct{ id uint64 }
)

func (say) Proto() core.Proto        { return 99 }
func (c say) CommandID() uint64      { return c.id }
func (silence) Proto() core.Proto    { return 99 }
func (c silence) CommandID() uint64  { return c.id }
func (*toy) Deadline() core.Instant  { return core.Never }
func (*toy) Stats() (s core.Stats)   { s.DatagramsBad = 7; return s }
func member(name string) swim.Member { return swim.Member{Record: swim.Record{Name: name}} }
func joined(i int) *swim.Joined      { return &swim.Joined{Member: member(fmt.Sprintf("m%04d", i))} }

func (n *toy) Step(_ core.Instant, in core.Input) {
	switch c := in.Command.(type) {
	case nil:
		if len(n.out) == 0 && in.Kind == core.InputWake {
			n.out = append(n.out, &swim.Ready{Self: member("self")})
		}
	case say:
		n.out = append(n.out, c.events...)
		n.out = append(n.out, &core.Done{ID: c.id, Fault: c.fault, Detail: "as told"})
	}
}

func (n *toy) Next() (e core.Effect, ok bool) {
	if len(n.out) == 0 {
		return e, false
	}
	e = core.Effect{Kind: core.EffectEmit, Event: n.out[0]}
	n.out = n.out[1:]
	return e, true
}

func begin(t *testing.T, c runtime.Config) (*runtime.Cluster, *world) {
	t.Helper()
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	w := newWorld()
	cl, err := runtime.Start(t.Context(), &toy{}, w, c)
	require.NoError(t, err)
	t.Cleanup(func() { cl.Close() })
	return cl, w
}

// tell makes the node emit events, and returns when it has.
func tell(t *testing.T, cl *runtime.Cluster, events ...core.Event) {
	t.Helper()
	_, err := cl.Do(t.Context(), func(id uint64) core.Command { return say{id: id, events: events} })
	require.NoError(t, err)
}

func TestCommandFaults(t *testing.T) {
	cl, _ := begin(t, runtime.Config{})
	done, err := cl.Do(t.Context(), func(id uint64) core.Command { return say{id: id, fault: core.FaultRefused} })
	require.ErrorIs(t, err, core.FaultRefused)
	require.NotErrorIs(t, err, core.FaultTimeout)
	require.ErrorContains(t, err, "as told")
	require.Equal(t, core.FaultRefused, done.Outcome())
}

func TestContextReleasesTheCaller(t *testing.T) {
	cl, _ := begin(t, runtime.Config{CommandsMax: 2})
	for range 10 { // a caller that gave up holds no place
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := cl.Do(ctx, func(id uint64) core.Command { return silence{id} })
		require.ErrorIs(t, err, context.Canceled)
	}
}

func TestCommandsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cl, _ := begin(t, runtime.Config{CommandsMax: 2})
		ended := make(chan error)
		for range 2 {
			go func() { // ends by Close
				_, err := cl.Do(t.Context(), func(id uint64) core.Command { return silence{id} })
				ended <- err
			}()
		}
		synctest.Wait()
		_, err := cl.Do(t.Context(), func(id uint64) core.Command { return silence{id} })
		require.ErrorIs(t, err, core.FaultBusy)
		require.NoError(t, cl.Close())
		for range 2 {
			require.ErrorIs(t, <-ended, runtime.ErrClosed)
		}
	})
}

func TestMembersAreFolded(t *testing.T) {
	cl, _ := begin(t, runtime.Config{})
	a, b := member("a"), member("b")
	dead, suspect := b, a
	dead.State, suspect.State, a.Meta = swim.Dead, swim.Suspect, []byte("meta")
	names := func() (all []string) {
		for _, m := range cl.Members() {
			all = append(all, m.Name+" "+m.State.String())
		}
		return all
	}
	tell(t, cl, &swim.Joined{Member: b}, &swim.Joined{Member: a})
	require.Equal(t, []string{"a alive", "b alive", "self alive"}, names())
	tell(t, cl, &swim.Failed{Member: dead}, &swim.Suspected{Member: suspect})
	require.Equal(t, []string{"a suspect", "b dead", "self alive"}, names())
	tell(t, cl, &swim.Reaped{Name: "b"}, &swim.Refuted{Member: a})
	require.Equal(t, []string{"a alive", "self alive"}, names())
	require.Equal(t, "self", cl.Self().Name)

	cl.Members()[0].Meta[0] = 'X'
	got, ok := cl.Member("a")
	require.True(t, ok)
	require.Equal(t, "meta", string(got.Meta), "Members are copies")
	_, ok = cl.Member("b")
	require.False(t, ok)
}

// model follows a subscription and checks that nothing was lost without being said.
type model struct {
	members map[string]bool
	seq     uint64
	missed  uint64
}

func (m *model) apply(t *testing.T, d runtime.Delta) {
	if d.Event == nil {
		require.GreaterOrEqual(t, d.Seq, m.seq+d.Missed)
		m.members = map[string]bool{}
		for _, member := range d.Members {
			m.members[member.Name] = true
		}
		m.missed += d.Missed
	} else {
		require.Equal(t, m.seq+1, d.Seq, "deltas are numbered without gaps")
		switch e := d.Event.(type) {
		case *swim.Joined:
			m.members[e.Member.Name] = true
		case *swim.Reaped:
			delete(m.members, e.Name)
		}
	}
	m.seq = d.Seq
}

func TestSubscribersLoseNothingSilently(t *testing.T) {
	cl, _ := begin(t, runtime.Config{DeltasMax: 8})
	tell(t, cl, joined(0))
	sub := cl.Subscribe()
	defer sub.Close()
	follow := model{members: map[string]bool{}}
	take := func() {
		d, err := sub.Next(t.Context())
		require.NoError(t, err)
		follow.apply(t, d)
	}
	for i := 1; i <= 8; i++ {
		tell(t, cl, joined(i))
	}
	for range 9 { // the snapshot and eight events: no lag
		take()
	}
	require.Len(t, follow.members, 10)
	require.Zero(t, follow.missed)

	for i := 9; i <= 100; i++ {
		tell(t, cl, joined(i))
	}
	take()
	require.EqualValues(t, 92, follow.missed, "events 9 to 100")
	require.Len(t, follow.members, 102)
	tell(t, cl, &swim.Reaped{Name: "m0050"})
	take()
	require.Len(t, follow.members, 101)
}

func TestSubscribersRace(t *testing.T) {
	cl, _ := begin(t, runtime.Config{DeltasMax: 4})
	const events = 2000
	var followers sync.WaitGroup
	for range 4 {
		sub := cl.Subscribe()
		followers.Go(func() {
			defer sub.Close()
			follow := model{}
			for d, err := range sub.Deltas(t.Context()) {
				if err != nil {
					t.Error(err)
					return
				}
				follow.apply(t, d)
				if follow.members[fmt.Sprintf("m%04d", events-1)] {
					break
				}
			}
			if len(follow.members) != events+1 {
				t.Errorf("%d members", len(follow.members))
			}
		})
	}
	for i := range events {
		tell(t, cl, joined(i))
	}
	followers.Wait()
}

func TestSubscriptionEnds(t *testing.T) {
	cl, _ := begin(t, runtime.Config{SubscribersMax: 2})
	a, b, over := cl.Subscribe(), cl.Subscribe(), cl.Subscribe()
	_, err := over.Next(t.Context())
	require.ErrorIs(t, err, core.FaultBusy)
	a.Close()
	_, err = a.Next(t.Context())
	require.ErrorIs(t, err, runtime.ErrClosed)

	ctx, cancel := context.WithCancel(t.Context())
	_, err = b.Next(ctx) // the snapshot
	require.NoError(t, err)
	cancel()
	_, err = b.Next(ctx)
	require.ErrorIs(t, err, context.Canceled)

	tell(t, cl, joined(1))
	require.NoError(t, cl.Close())
	d, err := b.Next(t.Context())
	require.NoError(t, err, "what came before Close is still there")
	require.NotNil(t, d.Event)
	_, err = b.Next(t.Context())
	require.ErrorIs(t, err, runtime.ErrClosed)
}

func TestClosedClusterHangsNowhere(t *testing.T) {
	for name, end := range map[string]func(*runtime.Cluster, *world){
		"Close":     func(cl *runtime.Cluster, _ *world) { cl.Close() },
		"host died": func(_ *runtime.Cluster, w *world) { w.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			cl, w := begin(t, runtime.Config{})
			waiting := make(chan error)
			go func() { // ends with the cluster
				_, err := cl.Do(t.Context(), func(id uint64) core.Command { return silence{id} })
				waiting <- err
			}()
			end(cl, w)
			require.ErrorIs(t, <-waiting, runtime.ErrClosed)
			<-cl.Done()

			_, err := cl.Join(t.Context(), "10.0.0.1:1")
			require.ErrorIs(t, err, runtime.ErrClosed)
			require.ErrorIs(t, cl.Leave(t.Context()), runtime.ErrClosed)
			require.ErrorIs(t, cl.SetMeta(t.Context(), nil), runtime.ErrClosed)
			_, err = cl.Info(t.Context())
			require.ErrorIs(t, err, runtime.ErrClosed)
			_, err = cl.Keys(t.Context())
			require.ErrorIs(t, err, runtime.ErrClosed)
			_, err = cl.Counts(t.Context())
			require.ErrorIs(t, err, runtime.ErrClosed)
			require.Len(t, cl.Members(), 1)
			if name == "host died" {
				require.ErrorContains(t, cl.Close(), "the cable was cut")
				require.ErrorContains(t, err, "the cable was cut")
			}
		})
	}
}

func TestStartEnds(t *testing.T) {
	w := newWorld()
	<-w.posts // it will never wake, so never be ready
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := runtime.Start(ctx, &toy{}, w, runtime.Config{})
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, w.Post(core.Input{}), runtime.ErrClosed, "the host is closed")
}

func TestGarbageIsLoggedAtABoundedRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		var bad uint64
		cl, _ := begin(t, runtime.Config{
			Logger:   slog.New(slog.NewTextHandler(&log, nil)),
			LogEvery: 10 * time.Second,
			Counts:   func(add func(string, uint64)) { bad++; add("bad", bad) },
		})
		for range 600 {
			time.Sleep(100 * time.Millisecond)
			tell(t, cl)
		}
		require.NoError(t, cl.Close())
		lines := bytes.Count(log.Bytes(), []byte("refused input"))
		require.GreaterOrEqual(t, lines, 6)
		require.LessOrEqual(t, lines, 7)
	})
}

func TestCountsDefaultToTheNode(t *testing.T) {
	cl, _ := begin(t, runtime.Config{})
	counts, err := cl.Counts(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 7, counts["datagrams_bad"])
}

func TestMembershipIsLogged(t *testing.T) {
	var log bytes.Buffer
	cl, _ := begin(t, runtime.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	tell(t, cl, joined(1), &swim.Failed{Member: member("m0001"), Evidence: swim.Evidence{Accuser: "someone"}},
		&swim.Suspected{}, &swim.Refuted{}, &swim.Departed{}, &swim.Updated{}, &swim.Conflict{}, &swim.Reaped{})
	require.NoError(t, cl.Close())
	for _, want := range []string{"ready", "joined", "declared by someone", "suspected", "refuted", "left", "updated",
		"two members claim one name", "forgotten"} {
		require.Contains(t, log.String(), want)
	}
}

// TestMembersKnownFromTheStart: a node that starts from a saved view tells of the others with Ready alone.
func TestMembersKnownFromTheStart(t *testing.T) {
	ready := &swim.Ready{Self: member("self"), Known: slices.Values([]swim.Member{member("old")})}
	c := runtime.Config{Logger: slog.New(slog.DiscardHandler)}
	cl, err := runtime.Start(t.Context(), &toy{out: []core.Event{ready}}, newWorld(), c)
	require.NoError(t, err)
	defer cl.Close()
	require.Equal(t, []swim.Member{member("old"), member("self")}, cl.Members())
}
