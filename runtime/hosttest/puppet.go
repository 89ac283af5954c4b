package hosttest

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/runtime"
)

// A puppet is a node that does as the test says and remembers what it was told. The test acts on the loop
// by posting functions, as the host's Do may only be called there.
type puppet struct {
	t    *testing.T
	host Host

	deadline core.Instant // the loop's
	links    core.Link

	mu      sync.Mutex
	inputs  []seen
	changed chan struct{} // closed and replaced with each input
	wrong   int           // wakes before the deadline
}

// seen is an input and when the node was told, its bytes copied.
type seen struct {
	core.Input
	now core.Instant
}

// act is the command that carries a function to the loop.
type act struct{ f func() }

func (act) Proto() core.Proto { return 0 }
func (act) CommandID() uint64 { return 0 }

func newPuppet() *puppet { return &puppet{deadline: core.Never, changed: make(chan struct{})} }

// start runs a puppet in the host until the test ends.
func start(t *testing.T, h Host) *puppet {
	p := newPuppet()
	p.t, p.host = t, h
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- runtime.Run(ctx, p, h) }() // ends by cancel
	t.Cleanup(func() {
		cancel()
		<-ended
		require.NoError(t, h.Close())
	})
	return p
}

// Step implements core.Verbs.
func (p *puppet) Step(now core.Instant, in core.Input) {
	if a, ok := in.Command.(act); ok {
		a.f()
		return
	}
	in.Data, in.Addrs = slices.Clone(in.Data), slices.Clone(in.Addrs)
	p.mu.Lock()
	defer p.mu.Unlock()
	if in.Kind == core.InputWake && p.deadline != core.Never {
		if now < p.deadline {
			p.wrong++
		}
		p.deadline = core.Never
	}
	p.inputs = append(p.inputs, seen{in, now})
	close(p.changed)
	p.changed = make(chan struct{})
}

// Next implements core.Verbs; what the puppet does, it does through do.
func (p *puppet) Next() (core.Effect, bool) { return core.Effect{}, false }

// Deadline implements core.Verbs.
func (p *puppet) Deadline() core.Instant { return p.deadline }

// do runs f on the loop and waits for it.
func (p *puppet) do(f func(h runtime.Host)) {
	p.t.Helper()
	done := make(chan error, 1)
	command := act{func() { f(p.host); done <- nil }}
	require.NoError(p.t, p.host.Post(core.Input{Kind: core.InputCommand, Command: command}))
	require.NoError(p.t, receive(p.t, done))
}

// sleep sets the deadline to d from now and returns it.
func (p *puppet) sleep(d time.Duration) (at core.Instant) {
	p.do(func(h runtime.Host) {
		at = h.Now().Add(d)
		p.deadline = at
	})
	return at
}

func (p *puppet) early() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.wrong
}

func (p *puppet) dial(to netip.AddrPort) (l core.Link) {
	p.do(func(h runtime.Host) {
		p.links++
		l = p.links
		h.Do(core.Effect{Kind: core.EffectDial, Link: l, To: to})
	})
	return l
}

func (p *puppet) write(l core.Link, data []byte) {
	p.do(func(h runtime.Host) {
		lent := slices.Clone(data)
		h.Do(core.Effect{Kind: core.EffectWrite, Link: l, Data: lent})
		clear(lent)
	})
}

func (p *puppet) hangUp(l core.Link) {
	p.do(func(h runtime.Host) { h.Do(core.Effect{Kind: core.EffectClose, Link: l}) })
}

// settle gives whatever is under way time to arrive, by a round of waking.
func (p *puppet) settle() {
	at := p.sleep(50 * time.Millisecond)
	p.expect(core.InputWake, func(in seen) bool { return in.now >= at })
}

// sendUntil repeats a datagram, which may be lost, until the other puppet has it.
func (p *puppet) sendUntil(to *puppet, addr netip.AddrPort, data string) seen {
	p.t.Helper()
	for range 100 {
		p.do(func(h runtime.Host) {
			h.Do(core.Effect{Kind: core.EffectSend, To: addr, Data: []byte(data)})
		})
		isIt := func(in seen) bool { return string(in.Data) == data }
		if in, ok := to.within(core.InputDatagram, isIt, patience/100); ok {
			return in
		}
	}
	require.FailNow(p.t, "no datagram arrived", "%q to %v", data, addr)
	return seen{}
}

// read collects n bytes of a link.
func (p *puppet) read(l core.Link, n int) []byte {
	p.t.Helper()
	var got []byte
	for len(got) < n {
		in := p.expect(core.InputRead, func(in seen) bool { return in.Link == l })
		require.NotEmpty(p.t, in.Data)
		got = append(got, in.Data...)
	}
	return got
}

// flushed adds up what was given back of a link until that is n.
func (p *puppet) flushed(l core.Link, n int) (sum int) {
	p.t.Helper()
	for sum < n {
		sum += p.expect(core.InputFlushed, func(in seen) bool { return in.Link == l }).Size
	}
	return sum
}

// any takes the oldest input.
func (p *puppet) any() seen {
	p.t.Helper()
	in, ok := p.take(func(seen) bool { return true }, patience)
	require.True(p.t, ok, "no input came")
	return in
}

// expect takes the oldest input of a kind that matches.
func (p *puppet) expect(kind core.InputKind, match func(seen) bool) seen {
	p.t.Helper()
	in, ok := p.within(kind, match, patience)
	require.True(p.t, ok, "no such input of kind %d came", kind)
	return in
}

func (p *puppet) within(kind core.InputKind, match func(seen) bool, d time.Duration) (seen, bool) {
	return p.take(func(in seen) bool { return in.Kind == kind && (match == nil || match(in)) }, d)
}

func (p *puppet) take(match func(seen) bool, d time.Duration) (seen, bool) {
	late := time.After(d)
	for {
		p.mu.Lock()
		if i := slices.IndexFunc(p.inputs, match); i >= 0 {
			in := p.inputs[i]
			p.inputs = slices.Delete(p.inputs, i, i+1)
			p.mu.Unlock()
			return in, true
		}
		changed := p.changed
		p.mu.Unlock()
		select {
		case <-changed:
		case <-late:
			return seen{}, false
		}
	}
}

// count is how many inputs about a link have come and were not taken.
func (p *puppet) count(kind core.InputKind, l core.Link) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, in := range p.inputs {
		if in.Kind == kind && in.Link == l {
			n++
		}
	}
	return n
}

// forget drops the inputs that were not taken.
func (p *puppet) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inputs = nil
}

func receive(t *testing.T, from <-chan error) error {
	t.Helper()
	select {
	case err := <-from:
		return err
	case <-time.After(patience):
		require.FailNow(t, "nothing came in time")
		return nil
	}
}
