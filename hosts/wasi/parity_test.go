package wasi_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/codec/abi"
	"github.com/nekton-go/nekton/codec/cbor"
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/stack"
	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/hosts/wasi"
)

// A twin is one member twice, natively and in a guest. It hears everything twice and must say the same.
type twin struct {
	t      *testing.T
	native *core.Node
	guest  *wasi.Node
	steps  int
}

func newTwin(t *testing.T, i *wasi.Instance, c abi.NodeConfig) *twin {
	native, err := stack.New(stack.Config{
		Seed: c.Seed, Swim: c.Swim, MTU: c.MTU, Check: c.Check, Dialect: cbor.New(cbor.Config{}),
	})
	require.NoError(t, err)
	return &twin{t: t, native: native, guest: newNode(t, i, c)}
}

// step returns the effects of one input, after comparing them. Their Data is copied.
func (w *twin) step(now core.Instant, in core.Input) []core.Effect {
	w.native.Step(now, in)
	w.guest.Step(now, in)
	native, guest := collect(w.native), collect(w.guest)
	require.NoError(w.t, w.guest.Err())
	w.steps++
	if !slices.Equal(textsOf(native), textsOf(guest)) {
		require.Equal(w.t, textsOf(native), textsOf(guest), "step %d at %v: input %+v", w.steps, now, in)
	}
	require.Equal(w.t, w.native.Deadline(), w.guest.Deadline(), "step %d at %v: input %+v", w.steps, now, in)
	return native
}

func collect(n core.Verbs) (effects []core.Effect) {
	for e, ok := n.Next(); ok; e, ok = n.Next() {
		e.Data = slices.Clone(e.Data)
		effects = append(effects, e)
	}
	return effects
}

// textsOf writes down everything a host can see of effects.
func textsOf(effects []core.Effect) (texts []string) {
	for _, e := range effects {
		text := fmt.Appendf(nil, "%d proto=%d to=%v link=%d token=%d name=%q data=%x ", e.Kind, e.Proto, e.To, e.Link,
			e.Token, e.Name, e.Data)
		if e.Event != nil {
			text = fmt.Appendf(text, "%T %+v ", e.Event, e.Event)
			text, _ = e.Event.AppendText(text)
		}
		texts = append(texts, string(text))
	}
	return texts
}

// A world is a few twins and a bad network between them, drawn from a seed.
type world struct {
	r      *rand.Rand
	now    core.Instant
	twins  []*twin
	queue  []delivery // unordered; next takes the earliest
	seq    int
	conns  map[end]end
	opened uint64
	heard  map[string]int // events and effects by kind, so that a quiet world is noticed
}

// A delivery is an input on its way to a member.
type delivery struct {
	at  core.Instant
	seq int
	to  int
	in  core.Input
}

// An end is a link as one member knows it.
type end struct {
	member int
	link   core.Link
}

func (w *world) send(after time.Duration, to int, in core.Input) {
	w.seq++
	w.queue = append(w.queue, delivery{w.now.Add(after), w.seq, to, in})
}

// run steps whoever is next, n times.
func (w *world) run(n int) {
	for range n {
		next := -1
		for k := range w.queue {
			if next < 0 || w.queue[k].at < w.queue[next].at ||
				w.queue[k].at == w.queue[next].at && w.queue[k].seq < w.queue[next].seq {
				next = k
			}
		}
		due, wake := -1, core.Never
		for k, tw := range w.twins {
			if d := tw.native.Deadline(); d < wake {
				due, wake = k, d
			}
		}
		if next >= 0 && w.queue[next].at <= wake {
			d := w.queue[next]
			w.queue = slices.Delete(w.queue, next, next+1)
			w.now = max(w.now, d.at)
			w.do(d.to, w.twins[d.to].step(w.now, d.in))
		} else if due >= 0 {
			w.now = max(w.now, wake)
			w.do(due, w.twins[due].step(w.now, core.Input{Kind: core.InputWake}))
		}
		if w.r.IntN(40) == 0 {
			w.disturb()
		}
	}
}

// do performs the effects of one member.
func (w *world) do(from int, effects []core.Effect) {
	for _, e := range effects {
		latency := time.Duration(w.r.IntN(int(5 * time.Millisecond)))
		to, here := int(e.To.Addr().As16()[15]), end{from, e.Link}
		switch e.Kind {
		case core.EffectSend:
			if w.r.IntN(5) == 0 || to >= len(w.twins) {
				break // lost
			}
			in := core.Input{Kind: core.InputDatagram, From: addr(from), Data: e.Data}
			w.send(latency, to, in)
			if w.r.IntN(10) == 0 {
				w.send(2*latency, to, in) // twice
			}
		case core.EffectDial:
			if to >= len(w.twins) || w.r.IntN(5) == 0 {
				w.send(latency, from, core.Input{Kind: core.InputDown, Link: e.Link, Fault: core.FaultUnreachable})
				break
			}
			w.opened++
			there := end{to, core.Accepted(w.opened)}
			w.conns[here], w.conns[there] = there, here
			w.send(latency, from, core.Input{Kind: core.InputUp, Link: e.Link})
			w.send(latency, to, core.Input{Kind: core.InputUp, Link: there.link, From: addr(from)})
		case core.EffectWrite:
			w.send(10*time.Millisecond, from, core.Input{Kind: core.InputFlushed, Link: e.Link, Size: len(e.Data)})
			if there, ok := w.conns[here]; ok {
				cut := w.r.IntN(len(e.Data) + 1)
				for _, part := range [][]byte{e.Data[:cut], e.Data[cut:]} {
					in := core.Input{Kind: core.InputRead, Link: there.link, Data: part}
					w.send(10*time.Millisecond, there.member, in)
				}
			}
		case core.EffectClose:
			if there, ok := w.conns[here]; ok {
				delete(w.conns, here)
				in := core.Input{Kind: core.InputDown, Link: there.link, Fault: core.FaultClosed}
				w.send(20*time.Millisecond, there.member, in)
			}
		case core.EffectResolve:
			w.send(latency, from, core.Input{Kind: core.InputResolved, Token: e.Token, Addrs: w.addrs()})
		case core.EffectAppend, core.EffectCompact:
			w.send(latency, from, core.Input{Kind: core.InputStored, Token: e.Token})
		case core.EffectEmit:
			w.heard[fmt.Sprintf("%T", e.Event)]++
		}
		w.heard[fmt.Sprint("effect ", e.Kind)]++
	}
}

// disturb does something that real hosts and networks do now and then.
func (w *world) disturb() {
	to := w.r.IntN(len(w.twins))
	id := uint64(w.r.IntN(1 << 30))
	name := fmt.Sprintf("n%d", w.r.IntN(len(w.twins)+1))
	in := core.Input{Kind: core.InputCommand}
	switch w.r.IntN(9) {
	case 0:
		garbage := make([]byte, w.r.IntN(200))
		for k := range garbage {
			garbage[k] = byte(w.r.Uint32())
		}
		in = core.Input{Kind: core.InputDatagram, From: addr(99), Data: garbage}
	case 1:
		in = core.Input{Kind: core.InputWall, Wall: int64(w.r.Uint64() >> 1)}
	case 2:
		in = core.Input{Kind: core.InputDown, Link: core.Accepted(uint64(w.r.IntN(9))), Fault: core.FaultTimeout}
	case 3:
		in.Command = swim.Inspect{ID: id}
	case 4:
		in.Command = swim.PingMember{ID: id, Name: name}
	case 5:
		in.Command = swim.SendUser{ID: id, To: name, Data: []byte("hello"), Reliable: w.r.IntN(2) == 0}
	case 6:
		in.Command = swim.SetMeta{ID: id, Meta: fmt.Append(nil, id)}
	case 7:
		in.Command = swim.Join{ID: id, Seeds: []string{"seed.example:7946", "10.0.0.1:7946"}}
	case 8:
		in.Command = swim.SetUserState{ID: id, Data: fmt.Append(nil, id)}
	}
	w.send(0, to, in)
}

func (w *world) addrs() (all []netip.AddrPort) {
	for k := range w.twins {
		all = append(all, addr(k))
	}
	return all
}

// TestAGuestIsTheNodeItWouldBeNatively runs a small cluster through losses, garbage and commands. Every
// step of every member must have the same effects, events and deadline, natively and in the guest.
func TestAGuestIsTheNodeItWouldBeNatively(t *testing.T) {
	for _, interpreter := range []bool{false, true} {
		const steps = 4000
		seeds := uint64(4)
		if interpreter {
			seeds = 1
		}
		m := open(t, standard, wasi.Config{Interpreter: interpreter})
		for seed := range seeds {
			t.Run(fmt.Sprintf("interpreter=%v/seed=%d", interpreter, seed), func(t *testing.T) {
				instance := newInstance(t, m)
				w := &world{r: rand.New(rand.NewPCG(seed, 1)), now: 1, conns: map[end]end{}, heard: map[string]int{}}
				for k := range 5 {
					c := configOf(k)
					c.Seed[31], c.Swim.Transitions, c.MTU = byte(seed), true, 500+100*k
					c.Swim.Seeds = []string{"10.0.0.0:7946"}
					w.twins = append(w.twins, newTwin(t, instance, c))
					w.send(0, k, core.Input{Kind: core.InputWake})
				}
				w.run(steps)
				for _, kind := range []string{
					"effect 1", "effect 2", "effect 3", "effect 4", "effect 5", "effect 6", "*swim.Joined", "*swim.Info",
					"*swim.JoinDone", "*swim.Pong", "*swim.Transition", "*swim.Suspected", "*swim.UserReceived",
				} {
					require.NotZero(t, w.heard[kind], "nothing of kind %s in %v", kind, w.heard)
				}
			})
		}
	}
}
