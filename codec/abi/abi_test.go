package abi_test

import (
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/codec/abi"
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/internal/mutant"
)

// addrs are all the shapes an address can have.
var addrs = []netip.AddrPort{
	{},
	netip.AddrPortFrom(netip.Addr{}, 7),
	netip.MustParseAddrPort("10.0.0.1:7946"),
	netip.MustParseAddrPort("[2001:db8::1]:7946"),
	netip.MustParseAddrPort("[::ffff:10.0.0.1]:7946"),
	netip.MustParseAddrPort("[fe80::1%eth0]:7946"),
	netip.AddrPortFrom(netip.MustParseAddr("fe80::2").WithZone(strings.Repeat("z", abi.ZoneMax)), 65535),
}

func randomInput(r *rand.Rand) core.Input {
	in := core.Input{
		Kind:  core.InputKind(r.IntN(int(core.InputCommand))),
		Fault: core.Fault(r.IntN(256)),
		Proto: core.Proto(r.IntN(256)),
		From:  addrs[r.IntN(len(addrs))],
		Link:  core.Link(r.Uint64()),
		Token: core.Token(r.Uint64()),
		Size:  int(r.Uint64()),
		At:    core.Instant(r.Uint64()),
		Wall:  int64(r.Uint64()),
		Data:  make([]byte, r.IntN(100)),
	}
	for range r.IntN(5) {
		in.Addrs = append(in.Addrs, addrs[r.IntN(len(addrs))])
	}
	for i := range in.Data {
		in.Data[i] = byte(r.Uint32())
	}
	return in
}

func TestInputsCrossExactly(t *testing.T) {
	c, r := abi.NewCatalog(), rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		in := randomInput(r)
		record, err := c.AppendInput([]byte("before"), &in)
		require.NoError(t, err)
		out := core.Input{Kind: 99, Wall: 99, Command: swim.Inspect{}, Addrs: make([]netip.AddrPort, 3)} // stale
		require.NoError(t, c.ReadInput(record[len("before"):], &out))
		if len(out.Addrs) == 0 {
			out.Addrs = nil
		}
		require.Equal(t, in, out)
	}
}

func TestEffectsCrossExactly(t *testing.T) {
	c, r := abi.NewCatalog(), rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		var records []byte
		var sent []core.Effect
		for range r.IntN(4) {
			e := core.Effect{
				Kind:  core.EffectSend + core.EffectKind(r.IntN(int(core.EffectEmit))),
				Proto: core.Proto(r.IntN(256)),
				To:    addrs[r.IntN(len(addrs))],
				Link:  core.Link(r.Uint64()),
				Token: core.Token(r.Uint64()),
			}
			switch e.Kind {
			case core.EffectSend, core.EffectWrite, core.EffectAppend, core.EffectCompact:
				e.Data = make([]byte, r.IntN(100))
			case core.EffectResolve:
				e.Name = "seed.example:7946"
			case core.EffectEmit:
				e.Event = &swim.Reaped{Name: "b"}
			}
			var err error
			records, err = c.AppendEffect(records, &e)
			require.NoError(t, err)
			sent = append(sent, e)
		}
		output := abi.BeginOutput(nil)
		output = append(output, records...)
		abi.EndOutput(output, len(sent), 77)

		deadline, n, rest, err := abi.ReadOutput(output)
		require.NoError(t, err)
		require.Equal(t, core.Instant(77), deadline)
		require.Equal(t, len(sent), n)
		for i := range sent {
			var e core.Effect
			rest, err = c.ReadEffect(rest, &e)
			require.NoError(t, err)
			if len(e.Data) == 0 {
				e.Data, sent[i].Data = nil, nil
			}
			require.Equal(t, sent[i], e)
		}
		require.Empty(t, rest)
	}
}

func TestTheHotPathAllocatesNothing(t *testing.T) {
	c := abi.NewCatalog()
	in := core.Input{Kind: core.InputDatagram, From: addrs[2], Data: make([]byte, 1400)}
	e := core.Effect{Kind: core.EffectSend, To: addrs[3], Data: make([]byte, 1400)}
	buffer := make([]byte, 0, 4096)
	var inAgain core.Input
	var eAgain core.Effect
	require.Zero(t, testing.AllocsPerRun(100, func() {
		b, _ := c.AppendInput(buffer[:0], &in)
		_ = c.ReadInput(b, &inAgain)
		b = abi.BeginOutput(buffer[:0])
		b, _ = c.AppendEffect(b, &e)
		abi.EndOutput(b, 1, 5)
		_, _, b, _ = abi.ReadOutput(b)
		_, _ = c.ReadEffect(b, &eAgain)
	}))
	require.Equal(t, in, inAgain)
	require.Equal(t, e, eAgain)
}

var member = swim.Member{
	Record: swim.Record{
		Name: "b", Addr: addrs[2], Incarnation: 3, State: swim.Suspect, Meta: []byte("zone=a"),
		Versions: swim.Versions{ProtocolMin: 1, ProtocolMax: 5, Protocol: 2},
	},
	Since: 5,
}

func TestEveryCommandOfSwimCrosses(t *testing.T) {
	for _, cmd := range []core.Command{
		swim.Join{ID: 1, Seeds: []string{"a:1", "b:2"}},
		swim.Leave{ID: 2, Timeout: time.Second},
		swim.SetMeta{ID: 3, Meta: []byte{0, 1, 255}},
		swim.PingMember{ID: 4, Name: "b"},
		swim.SendUser{ID: 5, To: "b", Data: []byte("hi"), Reliable: true},
		swim.SetUserState{ID: 6, Data: []byte("state")},
		swim.Forget{ID: 7, Name: "b"},
		swim.Inspect{ID: 1 << 63},
	} {
		c := abi.NewCatalog()
		record, err := c.AppendInput(nil, &core.Input{Kind: core.InputCommand, Command: cmd})
		require.NoError(t, err)
		var in core.Input
		require.NoError(t, c.ReadInput(record, &in))
		require.Equal(t, cmd, in.Command)
	}
}

func TestEveryEventCrosses(t *testing.T) {
	evidence := swim.Evidence{
		Accuser: "a", Suspected: 1, Suspects: []string{"a", "c"}, Timeout: time.Second, Min: 1, Max: 2, Health: 3,
		ProbeSent: 4, ProbeRTT: 5, Helpers: []string{"d"}, Nacks: 1, StreamPing: core.FaultTimeout,
	}
	for _, ev := range []core.Event{
		&core.Done{ID: 9, Fault: core.FaultBusy, Detail: "later"},
		&swim.Joined{Member: member},
		&swim.Updated{Member: member, Old: member.Record},
		&swim.Suspected{Member: member, From: "c"},
		&swim.Refuted{Member: member},
		&swim.Failed{Member: member, Evidence: evidence},
		&swim.Departed{Member: member},
		&swim.Reaped{Name: "b"},
		&swim.Conflict{Name: "b", Existing: addrs[2], Other: addrs[3]},
		&swim.HealthChanged{Score: 1, Was: 0},
		&swim.UserReceived{From: addrs[5], Data: []byte("x"), Reliable: true},
		&swim.UserStateReceived{From: addrs[2], Data: []byte("x"), Join: true},
		&swim.Ready{Self: member},
		&swim.JoinDone{ID: 1, Reached: 2, Fault: core.FaultTimeout, Errors: []string{"a:1: timeout"}},
		&swim.Pong{ID: 1, Name: "b", RTT: time.Millisecond},
		&swim.Info{ID: 1, Name: "b", Members: 3, Counters: swim.Counters{Probes: 1 << 40}},
		&swim.Transition{Name: "b", Known: true, Old: member.Record, New: member.Record, Cause: swim.CauseAccuse},
		&swim.Transition{Name: "b"},
	} {
		require.Equal(t, ev, crossed(t, abi.NewCatalog(), abi.NewCatalog(), ev))
	}
}

// crossed is what ev is on the other side.
func crossed(t *testing.T, from, to *abi.Catalog, ev core.Event) core.Event {
	record, err := from.AppendEffect(nil, &core.Effect{Kind: core.EffectEmit, Event: ev})
	require.NoError(t, err)
	var e core.Effect
	rest, err := to.ReadEffect(record, &e)
	require.NoError(t, err)
	require.Empty(t, rest)
	return e.Event
}

// greeted and greet are an application's own.
type greeted struct{ Who string }

func (g *greeted) AppendText(b []byte) ([]byte, error) {
	return append(b, "greeted "+g.Who+"\xff"...), nil
}

type greetDone struct{ ID uint64 }

func (g *greetDone) AppendText(b []byte) ([]byte, error) { return append(b, "greet done"...), nil }
func (g *greetDone) Completes() uint64                   { return g.ID }
func (g *greetDone) Outcome() core.Fault                 { return core.FaultRefused }

type greet struct{ ID uint64 }

func (greet) Proto() core.Proto   { return 40 }
func (g greet) CommandID() uint64 { return g.ID }

func register(c *abi.Catalog) {
	abi.Event[greeted](c, "greeter.greeted")
	abi.Event[greetDone](c, "greeter.greet-done")
	abi.Command[greet](c, "greeter.greet")
}

func TestWhatOneSideDoesNotKnow(t *testing.T) {
	plain, full := abi.NewCatalog(), abi.NewCatalog(register)
	require.Equal(t, &greeted{"ann"}, crossed(t, full, full, &greeted{"ann"}))
	require.Equal(t, &abi.Text{Line: "greeted ann\uFFFD"}, crossed(t, plain, full, &greeted{"ann"}))
	require.Equal(t, &abi.Text{Line: `greeter.greeted {"Who": "ann"}`}, crossed(t, full, plain, &greeted{"ann"}))
	done := &core.Done{ID: 7, Fault: core.FaultRefused, Detail: "greet done"}
	require.Equal(t, done, crossed(t, plain, plain, &greetDone{7}), "a completion stays one")
	done.Detail = `greeter.greet-done {"ID": 7}`
	require.Equal(t, done, crossed(t, full, plain, &greetDone{7}))

	in := core.Input{Kind: core.InputCommand, Command: greet{ID: 7}}
	_, err := plain.AppendInput(nil, &in)
	require.ErrorIs(t, err, core.FaultInvalid)
	require.ErrorContains(t, err, "abi_test.greet is not in the catalog")
	record, err := full.AppendInput(nil, &in)
	require.NoError(t, err)
	var unread *abi.CommandError
	require.ErrorAs(t, plain.ReadInput(record, &in), &unread)
	require.ErrorIs(t, unread, core.FaultNotFound)
	require.Equal(t, uint64(7), unread.ID)
	require.PanicsWithValue(t, `abi: the name "greeter.greeted" is taken; every type in a catalog needs one of its own`,
		func() { abi.NewCatalog(register, register) })
}

func TestWhatCannotCross(t *testing.T) {
	c := abi.NewCatalog()
	long := netip.AddrPortFrom(netip.MustParseAddr("fe80::2").WithZone(strings.Repeat("z", abi.ZoneMax+1)), 1)
	for _, in := range []core.Input{{From: long}, {Addrs: []netip.AddrPort{long}}} {
		b, err := c.AppendInput([]byte("as it was"), &in)
		require.ErrorIs(t, err, core.FaultTooLarge)
		require.Equal(t, "as it was", string(b))
	}
	_, err := c.AppendInput(nil, &core.Input{Kind: core.InputMessage})
	require.ErrorIs(t, err, core.FaultInvalid)
	_, err = c.AppendEffect(nil, &core.Effect{To: long})
	require.ErrorIs(t, err, core.FaultTooLarge)
}

func TestNodeConfigsCrossExactly(t *testing.T) {
	for _, s := range []swim.Config{{}, swim.LAN(), swim.WAN().AsMemberlist()} {
		s.Name, s.Addr, s.Seeds, s.Mutant = "a", addrs[2], []string{"b:7946"}, mutant.Canary
		c := abi.NodeConfig{Seed: [32]byte{1, 31: 2}, Swim: s, MTU: 1300, Check: true, Custom: []byte("mine")}
		record, err := abi.AppendNodeConfig(nil, &c)
		require.NoError(t, err)
		again, err := abi.ReadNodeConfig(record)
		require.NoError(t, err)
		require.Equal(t, c, again)
	}
	c := abi.NodeConfig{Swim: swim.Config{Admit: func(*swim.Record) bool { return true }}}
	_, err := abi.AppendNodeConfig(nil, &c)
	require.ErrorContains(t, err, "set it in the guest")
	c = abi.NodeConfig{Swim: swim.Config{Table: swim.NewTable()}}
	_, err = abi.AppendNodeConfig(nil, &c)
	require.NoError(t, err)
	c.Swim.Table.Add(swim.Identity{Name: "b"})
	_, err = abi.AppendNodeConfig(nil, &c)
	require.ErrorContains(t, err, "let it join")
}

func TestStatsCrossExactly(t *testing.T) {
	s := core.Stats{Steps: 1 << 60, LinksBad: 3}
	again, err := abi.ReadStats(abi.AppendStats(nil, s))
	require.NoError(t, err)
	require.Equal(t, s, again)
}

func FuzzReadInput(f *testing.F) {
	c, r := abi.NewCatalog(register), rand.New(rand.NewPCG(5, 6))
	for range 20 {
		in := randomInput(r)
		record, _ := c.AppendInput(nil, &in)
		f.Add(record)
	}
	record, _ := c.AppendInput(nil, &core.Input{Kind: core.InputCommand, Command: swim.Join{Seeds: []string{"a"}}})
	f.Add(record)
	f.Fuzz(func(t *testing.T, b []byte) {
		var in core.Input
		if c.ReadInput(b, &in) != nil {
			return
		}
		again, err := c.AppendInput(nil, &in)
		require.NoError(t, err)
		if in.Kind != core.InputCommand && in.From.Addr().Is6() && len(in.Addrs) == 0 {
			require.Equal(t, b, again, "what is read and written again is the same")
		}
	})
}

func FuzzReadOutput(f *testing.F) {
	c := abi.NewCatalog(register)
	seed := abi.BeginOutput(nil)
	seed, _ = c.AppendEffect(seed, &core.Effect{Kind: core.EffectEmit, Event: &swim.Joined{Member: member}})
	seed, _ = c.AppendEffect(seed, &core.Effect{Kind: core.EffectEmit, Event: &core.Done{ID: 3}})
	seed, _ = c.AppendEffect(seed, &core.Effect{Kind: core.EffectSend, To: addrs[5], Data: []byte("x")})
	abi.EndOutput(seed, 3, core.Never)
	f.Add(seed)
	f.Fuzz(func(t *testing.T, b []byte) {
		_, n, rest, err := abi.ReadOutput(b)
		require.True(t, err == nil || n == 0)
		for range n {
			var e core.Effect
			if rest, err = c.ReadEffect(rest, &e); err != nil {
				return
			}
			_, err := c.AppendEffect(nil, &e)
			require.NoError(t, err)
		}
	})
}

func FuzzReadColdRecords(f *testing.F) {
	config, _ := abi.AppendNodeConfig(nil, &abi.NodeConfig{Swim: swim.LAN()})
	f.Add(config)
	f.Add(abi.AppendStats(nil, core.Stats{Steps: 1}))
	f.Add(abi.AppendMade(nil, 0, "why"))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = abi.ReadNodeConfig(b)
		_, _ = abi.ReadStats(b)
		_, _, _ = abi.ReadMade(b)
	})
}
