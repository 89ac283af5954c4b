package runtime

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nekton-go/nekton/codec/seal"
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
)

// Config configures a Cluster. The zero value of a field means its default.
type Config struct {
	Logger   *slog.Logger  // default: slog.Default()
	LogEvery time.Duration // between log lines about counters of one kind; default 30 s

	CommandsMax    int // commands waiting for their completion; default 1,024
	SubscribersMax int // subscriptions open; default 64
	DeltasMax      int // events a subscriber may lag behind before it is given a snapshot; default 1,024

	// Counts calls add with the name and value of every counter of refused input there is; it is called
	// on the loop, where the node may be looked at. Default: the counters of a *core.Node.
	Counts func(add func(name string, n uint64))
}

// A Cluster is an application's handle on a running node. All methods may be called from any goroutine.
type Cluster struct {
	config  Config
	node    core.Verbs // touched only by the loop
	host    Host
	garbage garbage

	stop   context.CancelFunc
	closed chan struct{} // the loop has ended and the host is closed; cause is set
	cause  error         // why the loop ended, if not by Close; or what went wrong in closing
	ready  chan struct{} // swim.Ready was seen

	mu      sync.Mutex
	ids     uint64
	waiting map[uint64]chan<- core.Completion
	calls   []func() // to run on the loop, between steps
	view    view
	subs    map[*Subscription]struct{}
}

// Start runs the node in the host and returns once membership is ready: its journal is read and this
// member is alive. From then on the cluster lives until Close; ctx bounds the start alone. The node and the
// host belong to the cluster, and are closed with it, or if Start fails. The node must have a
// swim.Machine. Errors: the context's, and ErrClosed if the host fails.
func Start(ctx context.Context, node core.Verbs, host Host, c Config) (*Cluster, error) {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	c.LogEvery = defaulted(c.LogEvery, 30*time.Second)
	c.CommandsMax = defaulted(c.CommandsMax, 1024)
	c.SubscribersMax = defaulted(c.SubscribersMax, 64)
	c.DeltasMax = defaulted(c.DeltasMax, 1024)
	if counted, ok := node.(interface{ Stats() core.Stats }); ok && c.Counts == nil {
		c.Counts = func(add func(string, uint64)) { CountNode(counted.Stats(), add) }
	}

	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	cl := &Cluster{
		config: c, node: node, host: host, stop: stop,
		closed: make(chan struct{}), ready: make(chan struct{}),
		waiting: map[uint64]chan<- core.Completion{}, subs: map[*Subscription]struct{}{},
		view: newView(),
	}
	cl.garbage = garbage{logger: c.Logger, every: c.LogEvery, counts: c.Counts}
	go cl.run(running) // ends when stop is called or the host fails; Close waits for it
	select {
	case <-cl.ready:
		return cl, nil
	case <-cl.closed:
		return nil, cl.err()
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), cl.Close())
	}
}

func defaulted[T int | time.Duration](v, otherwise T) T {
	if v == 0 {
		return otherwise
	}
	return v
}

// run is the goroutine that owns the node.
func (c *Cluster) run(ctx context.Context) {
	err := Run(ctx, c.node, tap{c.host, c})
	stopped := ctx.Err() != nil
	c.cause = c.host.Close()
	if !stopped {
		c.cause = errors.Join(err, c.cause)
		c.config.Logger.Error("cluster node stopped", "error", c.cause)
	}
	close(c.closed)
}

// tap is the host as the node sees it: events stop here, and the loop's odd jobs run between steps.
type tap struct {
	Host
	cluster *Cluster
}

// Do implements Host.
func (t tap) Do(e core.Effect) {
	if e.Kind == core.EffectEmit {
		t.cluster.event(e.Event)
		return
	}
	t.Host.Do(e)
}

// Wait implements Host.
func (t tap) Wait(ctx context.Context, deadline core.Instant, in *core.Input) error {
	t.cluster.betweenSteps()
	return t.Host.Wait(ctx, deadline, in)
}

// betweenSteps runs on the loop, where the node may be looked at.
func (c *Cluster) betweenSteps() {
	c.garbage.report(c.host.Now())
	c.mu.Lock()
	calls := c.calls
	c.calls = nil
	c.mu.Unlock()
	for _, call := range calls {
		call()
	}
}

// event takes what the node emitted: a completion to whoever waits for it, anything else to the
// subscribers.
func (c *Cluster) event(e core.Event) {
	logEvent(c.config.Logger, e)
	c.mu.Lock()
	defer c.mu.Unlock()
	if done, ok := e.(core.Completion); ok {
		if w := c.waiting[done.Completes()]; w != nil {
			delete(c.waiting, done.Completes())
			w <- done // buffered: never blocks
		}
		return // nobody waits any more: the caller's context ended
	}
	first := c.view.fold(e)
	for s := range c.subs {
		s.push(e)
	}
	if first {
		close(c.ready)
	}
}

// Do sends the node a command, made with an ID of the cluster's choosing, and returns the completion.
// This is the way to commands of machines of your own; those of membership have methods.
// Errors: a *CommandError if the outcome is a fault (the completion is returned as well),
// core.FaultBusy if Config.CommandsMax are waiting, ErrClosed, and the context's: then the command may
// still be carried out, and its completion is dropped.
func (c *Cluster) Do(ctx context.Context, command func(id uint64) core.Command) (core.Completion, error) {
	done := make(chan core.Completion, 1)
	c.mu.Lock()
	if len(c.waiting) >= c.config.CommandsMax {
		c.mu.Unlock()
		return nil, &CommandError{Fault: core.FaultBusy, Detail: "too many commands wait; raise CommandsMax"}
	}
	c.ids++
	id := c.ids
	c.waiting[id] = done
	c.mu.Unlock()

	cmd := command(id)
	if err := c.post(core.Input{Kind: core.InputCommand, Command: cmd}); err != nil {
		c.forget(id)
		return nil, fmt.Errorf("%T: %w", cmd, err)
	}
	defer c.forget(id)
	select {
	case d := <-done:
		return d, outcome(cmd, d)
	case <-ctx.Done():
		return nil, fmt.Errorf("%T: %w", cmd, ctx.Err())
	case <-c.closed:
		select { // it may have completed at the last moment
		case d := <-done:
			return d, outcome(cmd, d)
		default:
			return nil, c.err()
		}
	}
}

func (c *Cluster) forget(id uint64) {
	c.mu.Lock()
	delete(c.waiting, id)
	c.mu.Unlock()
}

// post gives the host an input. A host that is closed ends the loop: what it died of is the answer then.
func (c *Cluster) post(in core.Input) error {
	err := c.host.Post(in)
	if errors.Is(err, ErrClosed) {
		<-c.closed
		return c.err()
	}
	return err
}

// onLoop runs f on the loop, between two steps, and waits for it.
func (c *Cluster) onLoop(ctx context.Context, f func()) error {
	ran := make(chan struct{})
	c.mu.Lock()
	c.calls = append(c.calls, func() { f(); close(ran) })
	c.mu.Unlock()
	if err := c.post(core.Input{Kind: core.InputWake}); err != nil {
		return err
	}
	select {
	case <-ran:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-c.closed:
		return c.err()
	}
}

// Close stops the node where it stands, without saying goodbye (see Leave), and releases everything.
// Calls that wait return ErrClosed. It may be called again.
func (c *Cluster) Close() error {
	c.stop()
	<-c.closed
	return c.cause
}

// Done is closed when the cluster is: by Close, or because its host failed.
func (c *Cluster) Done() <-chan struct{} { return c.closed }

func (c *Cluster) isClosed() bool {
	select {
	case <-c.closed:
		return true
	default:
		return false
	}
}

// err says that the cluster is closed, and why if that was not the application's doing.
func (c *Cluster) err() error {
	if c.cause != nil {
		return fmt.Errorf("cluster %w: %w", ErrClosed, c.cause)
	}
	return fmt.Errorf("cluster %w", ErrClosed)
}

// A CommandError is a command's outcome other than success. errors.Is matches it with its fault.
type CommandError struct {
	Command core.Command // nil if it was never sent
	Fault   core.Fault
	Detail  string // for people; may be empty
}

// Error implements error.
func (e *CommandError) Error() string {
	text := e.Fault.String()
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	if e.Command != nil {
		text = fmt.Sprintf("%T: %s", e.Command, text)
	}
	return text
}

// Unwrap returns the fault.
func (e *CommandError) Unwrap() error { return e.Fault }

func outcome(cmd core.Command, d core.Completion) error {
	if d.Outcome() == core.FaultNone {
		return nil
	}
	err := &CommandError{Command: cmd, Fault: d.Outcome()}
	switch d := d.(type) {
	case *core.Done:
		err.Detail = d.Detail
	case *seal.Keys:
		err.Detail = d.Detail
	case *swim.JoinDone:
		err.Detail = joinErrors(d.Errors)
	}
	return err
}
