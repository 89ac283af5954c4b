package runtime

import (
	"context"
	"fmt"
	"iter"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
)

// A Delta is one step of a Subscription: an event, or a snapshot.
type Delta struct {
	// Seq numbers events from 1, as this node saw them. An event's is one more than that of the delta
	// before; a snapshot's is that of the last event it includes.
	Seq uint64
	// Event is one of those of package swim or of a machine of your own; completions are not among
	// them. It is shared by all subscribers and must not be changed. Nil: this delta is a snapshot.
	Event core.Event
	// Members is a snapshot: all members, by name.
	Members []swim.Member
	// Missed is how many events were skipped before this snapshot. Membership has lost nothing, as the
	// snapshot includes them; other events, such as swim.UserReceived, are gone.
	Missed uint64
}

// A Subscription is a stream of Deltas for one goroutine.
type Subscription struct {
	cluster *Cluster
	wake    chan struct{} // there may be something to take, or the subscription has ended

	// Guarded by cluster.mu.
	seq    uint64       // of the delta taken last
	first  *Delta       // the snapshot that begins the stream
	events []core.Event // not yet taken, numbered from seq+1
	lagged bool         // events were skipped and a snapshot comes next
	missed uint64
	err    error // why the stream has ended
}

// Subscribe returns a stream that begins with a snapshot of now. Close it when done.
// Once Config.SubscribersMax are open, Next answers core.FaultBusy.
func (c *Cluster) Subscribe() *Subscription {
	s := &Subscription{cluster: c, wake: make(chan struct{}, 1)}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.subs) >= c.config.SubscribersMax {
		s.err = &CommandError{Fault: core.FaultBusy, Detail: "too many subscriptions; raise SubscribersMax"}
		return s
	}
	s.first = &Delta{Seq: c.view.seq, Members: c.view.sorted()}
	c.subs[s] = struct{}{}
	return s
}

// Close ends the stream. It may be called from any goroutine, and again.
func (s *Subscription) Close() {
	s.cluster.mu.Lock()
	defer s.cluster.mu.Unlock()
	delete(s.cluster.subs, s)
	s.first, s.events, s.lagged = nil, nil, false
	if s.err == nil {
		s.err = fmt.Errorf("subscription %w", ErrClosed)
	}
	s.signal()
}

// push adds one event; the loop calls it with cluster.mu held. A subscriber that is full loses its
// backlog and is owed a snapshot.
func (s *Subscription) push(e core.Event) {
	switch {
	case s.lagged:
		s.missed++
	case len(s.events) >= s.cluster.config.DeltasMax:
		s.missed = uint64(len(s.events)) + 1
		s.first, s.events = nil, nil // the snapshot to come is newer
		s.lagged = true
	default:
		s.events = append(s.events, e)
	}
	s.signal()
}

func (s *Subscription) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// take returns the next delta if there is one, or the error that ends the stream.
func (s *Subscription) take() (d Delta, ok bool, err error) {
	s.cluster.mu.Lock()
	defer s.cluster.mu.Unlock()
	switch {
	case s.first != nil:
		d, s.first = *s.first, nil
	case s.lagged:
		d = Delta{Seq: s.cluster.view.seq, Members: s.cluster.view.sorted(), Missed: s.missed}
		s.lagged, s.missed = false, 0
	case len(s.events) > 0:
		d = Delta{Seq: s.seq + 1, Event: s.events[0]}
		s.events[0] = nil
		s.events = s.events[1:]
	case s.err != nil:
		return Delta{}, false, s.err
	case s.cluster.isClosed():
		return Delta{}, false, s.cluster.err()
	default:
		return Delta{}, false, nil
	}
	s.seq = d.Seq
	return d, true, nil
}

// Next waits for the next delta. Errors: the context's, and ErrClosed once the subscription is closed, or
// the cluster is and every delta has been taken.
func (s *Subscription) Next(ctx context.Context) (Delta, error) {
	for {
		if d, ok, err := s.take(); ok || err != nil {
			return d, err
		}
		select {
		case <-s.wake:
		case <-s.cluster.closed:
		case <-ctx.Done():
			return Delta{}, ctx.Err()
		}
	}
}

// Deltas ranges over Next, and ends after the first error.
func (s *Subscription) Deltas(ctx context.Context) iter.Seq2[Delta, error] {
	return func(yield func(Delta, error) bool) {
		for {
			d, err := s.Next(ctx)
			if !yield(d, err) || err != nil {
				return
			}
		}
	}
}
