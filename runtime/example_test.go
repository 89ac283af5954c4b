package runtime_test

import (
	"context"
	"fmt"
	"time"

	"github.com/nekton-go/nekton/codec/cbor"
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/runtime"
)

// A metronome is a machine that beats every millisecond.
type metronome struct {
	next core.Instant
	beat func()
}

func (m *metronome) Deadline() core.Instant { return m.next }

func (m *metronome) Handle(t *core.Turn, in *core.Input) {
	if in.Kind == core.InputWake {
		m.next = t.Now().Add(time.Millisecond)
		m.beat()
	}
}

// quiet is the smallest host: time passes, and nothing else happens.
type quiet struct {
	began time.Time
	awake bool
}

func (q *quiet) Now() core.Instant     { return core.Instant(time.Since(q.began)) + 1 }
func (q *quiet) Do(core.Effect)        {}
func (q *quiet) Post(core.Input) error { return core.FaultBusy }
func (q *quiet) Close() error          { return nil }

func (q *quiet) Wait(ctx context.Context, deadline core.Instant, in *core.Input) error {
	*in = core.Input{Kind: core.InputWake}
	if !q.awake { // the first wake starts the node
		q.awake = true
		return nil
	}
	select {
	case <-time.After(deadline.Sub(q.Now())):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func ExampleRun() {
	ctx, stop := context.WithCancel(context.Background())
	beats := 0
	m := &metronome{beat: func() {
		if beats++; beats == 3 {
			stop()
		}
	}}
	node := core.NewNode(core.Config{
		Dialect: cbor.New(cbor.Config{}), Machines: []core.Mount{{Proto: 40, Machine: m}},
	})
	err := runtime.Run(ctx, node, &quiet{began: time.Now()})
	fmt.Println(beats, err)
	// Output: 3 context canceled
}
