package core_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/core"
)

var peer = netip.MustParseAddrPort("10.0.0.9:1")

// machine makes a core.Machine of two functions.
type machine struct {
	handle   func(t *core.Turn, in *core.Input)
	deadline func() core.Instant
}

func (m *machine) Handle(t *core.Turn, in *core.Input) {
	if m.handle != nil {
		m.handle(t, in)
	}
}

func (m *machine) Deadline() core.Instant {
	if m.deadline == nil {
		return core.Never
	}
	return m.deadline()
}

func nodeOf(machines ...core.Machine) *core.Node {
	c := core.Config{Dialect: &plain{}, Check: true}
	for i, m := range machines {
		c.Machines = append(c.Machines, core.Mount{Proto: core.Proto(i + 1), Machine: m})
	}
	return core.NewNode(c)
}

// drain returns what a step wants done. Its bytes are copied.
func drain(n core.Verbs) (effects []core.Effect) {
	for e, ok := n.Next(); ok; e, ok = n.Next() {
		e.Data = slices.Clone(e.Data)
		effects = append(effects, e)
	}
	return effects
}

func step(n core.Verbs, now core.Instant, in core.Input) []core.Effect {
	n.Step(now, in)
	return drain(n)
}

func command(to core.Proto, words ...string) core.Input {
	return core.Input{Kind: core.InputCommand, Command: order{proto: to, words: words}}
}

// TestBrokenHostsAndMachinesPanic lists every bug that core does not put up with, and what it says.
func TestBrokenHostsAndMachinesPanic(t *testing.T) {
	mount := func(p core.Proto) core.Mount { return core.Mount{Proto: p, Machine: &machine{}} }
	talker := &machine{handle: func(t *core.Turn, in *core.Input) { t.Emit(said("x")) }}
	tests := map[string]func(){
		"Config.Dialect is required": func() { core.NewNode(core.Config{Machines: []core.Mount{mount(1)}}) },
		"0 machines; a node takes 1 to 64": func() {
			core.NewNode(core.Config{Dialect: &plain{}})
		},
		"65 machines; a node takes 1 to 64": func() {
			core.NewNode(core.Config{Dialect: &plain{}, Machines: make([]core.Mount, 65)})
		},
		"two machines are mounted as protocol 3": func() {
			core.NewNode(core.Config{Dialect: &plain{}, Machines: []core.Mount{mount(3), mount(4), mount(3)}})
		},
		"Step called before Next was drained": func() {
			n := nodeOf(talker)
			n.Step(0, core.Input{Kind: core.InputWall})
			n.Step(0, core.Input{Kind: core.InputWall})
		},
		"input kind 12 is not for hosts to send": func() {
			nodeOf(talker).Step(0, core.Input{Kind: core.InputMessage})
		},
		"does not move its deadline": func() {
			nodeOf(&machine{deadline: func() core.Instant { return 5 }}).Step(5, core.Input{Kind: core.InputWake})
		},
		"has no machine below it": func() {
			nodeOf(talker, newPuppet(2)).Step(0, command(2, "call", "3", "emit", "x"))
		},
		"machines keep calling each other": func() {
			var upper *machine
			lower := &machine{handle: func(t *core.Turn, in *core.Input) { t.Emit(said("again")) }}
			upper = &machine{handle: func(t *core.Turn, in *core.Input) { t.Call(order{proto: 1}) }}
			nodeOf(lower, upper).Step(0, core.Input{Kind: core.InputWall})
		},
		"broke an invariant at 7ns: it is never well": func() {
			nodeOf(hypochondriac{}).Step(7, core.Input{Kind: core.InputWake})
		},
	}
	for want, do := range tests {
		t.Run(want, func(t *testing.T) {
			defer func() {
				got := fmt.Sprint(recover())
				require.True(t, strings.HasPrefix(got, "core: "), got)
				require.Contains(t, got, want)
			}()
			do()
		})
	}
}

type hypochondriac struct{}

func (hypochondriac) Handle(*core.Turn, *core.Input) {}
func (hypochondriac) Deadline() core.Instant         { return core.Never }
func (hypochondriac) Invariant() string              { return "it is never well" }

func TestTimeNeverRunsBackwards(t *testing.T) {
	var seen []core.Instant
	n := nodeOf(&machine{handle: func(t *core.Turn, in *core.Input) { seen = append(seen, t.Now()) }})
	for _, now := range []core.Instant{3, 1, 4, 2} {
		step(n, now, core.Input{Kind: core.InputWall})
	}
	require.Equal(t, []core.Instant{3, 3, 4, 4}, seen)
}

func TestInstantsSaturate(t *testing.T) {
	require.Equal(t, core.Never, core.Never.Add(time.Nanosecond))
	require.Equal(t, core.Never, (core.Never - 1).Add(time.Hour))
	require.Equal(t, core.Instant(5), core.Instant(2).Add(3))
	require.Equal(t, core.Instant(-1), core.Instant(2).Add(-3))
	require.Equal(t, 3*time.Nanosecond, core.Instant(5).Sub(2))
	require.Equal(t, "never", core.Never.String())
	require.Equal(t, "1.5s", core.Instant(1.5e9).String())
}

func TestFaultsHaveNames(t *testing.T) {
	for f := core.FaultNone; f <= core.FaultStorage; f++ {
		require.NotContains(t, f.String(), "fault ")
		require.Equal(t, f.String(), f.Error())
	}
	require.Equal(t, "fault 200", core.Fault(200).String())
}

// TestLoansEnd shows what Config.Check does to a machine or a host that keeps bytes too long.
func TestLoansEnd(t *testing.T) {
	n := nodeOf(newPuppet(1))
	n.Step(0, command(1, "send", peer.String(), "hello"))
	e, _ := n.Next()
	require.Equal(t, core.EffectSend, e.Kind)
	require.Contains(t, string(e.Data), "hello")
	drain(n)
	step(n, 0, core.Input{Kind: core.InputWake})
	require.Equal(t, strings.Repeat("\xDB", len(e.Data)), string(e.Data))
}

func TestSharedScratchCarriesNothingOver(t *testing.T) {
	var scratch core.Scratch
	var nodes []*core.Node
	for range 3 {
		nodes = append(nodes, core.NewNode(core.Config{
			Dialect: &plain{}, Scratch: &scratch, Check: true,
			Machines: []core.Mount{{Proto: 1, Machine: newPuppet(1)}},
		}))
	}
	alone := nodeOf(newPuppet(1))
	for i := range 30 {
		in := command(1, "send", peer.String(), strings.Repeat("x", i))
		require.Equal(t, step(alone, core.Instant(i), in), step(nodes[i%3], core.Instant(i), in))
	}
	nodes[0].Step(99, command(1, "emit", "x"))
	require.Panics(t, func() { nodes[1].Step(99, core.Input{}) }, "the effects of one are not drained")
}

func TestSameSeedSameDraws(t *testing.T) {
	draw := func(seed byte, proto core.Proto) (drawn [4]uint64) {
		m := &machine{handle: func(t *core.Turn, in *core.Input) {
			for i := range drawn {
				drawn[i] = t.Rand().Uint64()
			}
		}}
		n := core.NewNode(core.Config{
			Seed: [32]byte{31: seed}, Dialect: &plain{}, Machines: []core.Mount{{Proto: proto, Machine: m}},
		})
		step(n, 0, core.Input{Kind: core.InputWake, At: 0})
		step(n, 0, core.Input{Kind: core.InputWall})
		return drawn
	}
	require.Equal(t, draw(1, 1), draw(1, 1))
	require.NotEqual(t, draw(1, 1), draw(2, 1), "every byte of the seed counts")
	require.NotEqual(t, draw(1, 1), draw(1, 2), "machines do not share a stream")
}

func TestAcceptedLinksAreApart(t *testing.T) {
	require.True(t, core.Accepted(0).Accepted())
	require.True(t, core.Accepted(1<<63-1).Accepted())
	var dialed core.Link
	n := nodeOf(&machine{handle: func(t *core.Turn, in *core.Input) { dialed = t.Dial(peer) }})
	step(n, 0, core.Input{Kind: core.InputWall})
	require.False(t, dialed.Accepted())
}

// TestIdleAndBusyStepsAllocateNothing covers what a node does all day.
func TestIdleAndBusyStepsAllocateNothing(t *testing.T) {
	answer := &note{1, "pong"}
	echo := &machine{handle: func(t *core.Turn, in *core.Input) {
		if in.Kind == core.InputMessage {
			t.Send(in.From, answer)
		}
	}}
	n := core.NewNode(core.Config{Dialect: &quietPlain{}, Machines: []core.Mount{
		{Proto: 1, Machine: echo}, {Proto: 2, Machine: &machine{}},
	}})
	ping := core.Input{Kind: core.InputDatagram, From: peer, Data: []byte("\x05\x01ping")}
	sent := 0
	work := func() {
		for _, in := range []core.Input{ping, {Kind: core.InputWake}, {Kind: core.InputWall}} {
			n.Step(1, in)
			for _, ok := n.Next(); ok; _, ok = n.Next() {
				sent++
			}
		}
	}
	require.Zero(t, testing.AllocsPerRun(100, work))
	require.Equal(t, 101, sent) // AllocsPerRun warms up once
}

// quietPlain is plain without the string it makes of every message.
type quietPlain struct{ plain }

func (d *quietPlain) ReadDatagram(b []byte, each func(core.Message)) error {
	d.read = note{core.Proto(b[1]), ""}
	each(&d.read)
	return nil
}
