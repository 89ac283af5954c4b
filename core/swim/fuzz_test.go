package swim_test

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/codec/cbor"
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/stack"
	"github.com/nekton-go/nekton/core/swim"
)

// FuzzJournal gives a member any journal at all. It starts, at an incarnation above what it can make out,
// and dials what it can make out.
func FuzzJournal(f *testing.F) {
	for _, seed := range []string{
		"", "49", "4900000041", "53000000c8060a0000020a1f", "53000000c8060a0000020a1f060a00", "49ffffffff", "5affffffff",
		"5300000001" + "12" + "fe800000000000000000000000000001" + "1f0a", "530000000100", "53000000010200000000",
	} {
		b, err := hex.DecodeString(seed)
		require.NoError(f, err)
		f.Add(b, b)
	}
	f.Fuzz(func(t *testing.T, snapshot, record []byte) {
		c := swim.LAN()
		c.Name, c.Addr, c.SeedsMax = "n1", netip.MustParseAddrPort("10.0.0.1:7946"), 4
		node, err := stack.New(stack.Config{Swim: c, Dialect: cbor.New(cbor.Config{}), Check: true})
		require.NoError(t, err)
		h := newHost(t, node)
		h.step(core.Input{Kind: core.InputRestore, Proto: swim.Proto, Data: snapshot})
		h.step(core.Input{Kind: core.InputReplay, Proto: swim.Proto, Data: record})
		h.step(core.Input{Kind: core.InputWake})
		h.answerAll()
		require.True(t, h.ready)
		require.LessOrEqual(t, len(h.resolves), 4)
		h.command(swim.Inspect{ID: h.id()})
		h.finish()
	})
}

// FuzzMachine gives a member, alone among fuzzed peers, any sequence of inputs that a host may send. It checks
// itself after each; and it keeps its promises: commands end once, events make sense, deadlines move.
func FuzzMachine(f *testing.F) {
	f.Add([]byte("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"))
	for seed := range byte(8) {
		script := make([]byte, 600)
		for i := range script {
			script[i] = byte(i*i*31+i*7) ^ seed*59
		}
		f.Add(script)
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		r := &reader{script: script}
		c := swim.Local()
		if r.byte()%4 == 0 {
			c = c.AsMemberlist()
		}
		c.Name, c.Addr, c.Transitions = "n1", addrs[1], true
		c.MembersMax, c.PingsMax, c.RelaysMax, c.ExchangesMax, c.SeedsMax, c.BroadcastsMax = 5, 3, 2, 2, 3, 16
		c.TombstoneTime, c.HealthMax = 20*time.Second, int(r.byte()%4)
		node, err := stack.New(stack.Config{
			Seed: [32]byte{r.byte()}, Swim: c, Dialect: cbor.New(cbor.Config{}), Check: true,
		})
		require.NoError(t, err)
		h := newHost(t, node)
		h.step(core.Input{Kind: core.InputWake})
		for len(r.script) > 0 {
			h.act(r)
		}
		h.finish()
	})
}

// addrs[i] is where member i lives; names[i] is its name. Member 0 does not exist.
var (
	names = []string{"", "n1", "n2", "n3", "n4", "n5", "n6"}
	addrs = func() (a []netip.AddrPort) {
		for i := range names {
			a = append(a, netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}), 7946))
		}
		return append(a, netip.AddrPort{}, netip.MustParseAddrPort("0.0.0.0:0"), netip.MustParseAddrPort("10.9.9.9:0"))
	}()
)

// A reader turns bytes into choices. When it runs out, everything is 0.
type reader struct{ script []byte }

func (r *reader) byte() byte {
	if len(r.script) == 0 {
		return 0
	}
	b := r.script[0]
	r.script = r.script[1:]
	return b
}

func pick[T any](r *reader, from []T) T { return from[int(r.byte())%len(from)] }

func (r *reader) record() swim.Record {
	i := int(r.byte()) % len(names)
	rec := swim.Record{
		Name: names[i], Addr: addrs[i], Incarnation: r.incarnation(), State: swim.State(r.byte() % 4),
		Versions: swim.LAN().Versions,
	}
	switch r.byte() % 8 {
	case 0:
		rec.Addr = pick(r, addrs)
	case 1:
		rec.Meta = []byte{r.byte()}
	case 2:
		rec.Versions.ProtocolMin = r.byte() % 8
	}
	return rec
}

func (r *reader) incarnation() uint32 {
	if b := r.byte(); b != 255 {
		return uint32(b % 6)
	}
	return pick(r, []uint32{100, 1 << 20, 1<<31 - 2, 1<<31 - 1, 1 << 31, 1<<32 - 1})
}

func (r *reader) message(h *host) core.Message {
	switch r.byte() % 10 {
	case 0:
		return &swim.Ping{Seq: uint32(r.byte()), Target: pick(r, names)}
	case 1:
		return &swim.IndirectPing{Seq: uint32(r.byte()), Target: pick(r, names), TargetAddr: pick(r, addrs), Nack: r.byte()%2 == 0}
	case 2:
		return &swim.Ack{Seq: h.pinged + uint32(r.byte()%5)}
	case 3:
		return &swim.Nack{Seq: h.pinged + uint32(r.byte()%5)}
	case 4, 5:
		rec := r.record()
		rec.State = swim.Alive
		return &swim.Announce{Record: rec}
	case 6:
		return &swim.Accuse{Node: pick(r, names), Incarnation: r.incarnation(), From: pick(r, names)}
	case 7:
		return &swim.Bury{Node: pick(r, names), Incarnation: r.incarnation(), From: pick(r, names)}
	case 8:
		m := &swim.PushPull{Join: r.byte()%2 == 0}
		for range r.byte() % 4 {
			m.Members = append(m.Members, r.record())
		}
		return m
	}
	return pick(r, []core.Message{&swim.User{Data: []byte("hello")}, &swim.Refuse{Reason: "no"}})
}

// A host drives one node the way hosts must, and remembers what it owes the node and the node owes it.
type host struct {
	t       *testing.T
	node    core.Verbs
	dialect core.Dialect
	now     core.Instant

	ids       uint64
	open      map[uint64]bool // commands that have not ended
	dials     []core.Link     // to be answered with up or down
	links     []core.Link     // up
	accepted  uint64
	unflushed map[core.Link]int
	resolves  []core.Token
	stores    []core.Token

	pinged uint32
	ready  bool
	state  map[string]swim.State // what the events say
}

func newHost(t *testing.T, node core.Verbs) *host {
	return &host{
		t: t, node: node, dialect: cbor.New(cbor.Config{}), now: 1,
		open: map[uint64]bool{}, unflushed: map[core.Link]int{}, state: map[string]swim.State{},
	}
}

func (h *host) id() uint64 {
	h.ids++
	return h.ids
}

func (h *host) step(in core.Input) {
	h.node.Step(h.now, in)
	for e, ok := h.node.Next(); ok; e, ok = h.node.Next() {
		h.perform(e)
	}
}

func (h *host) perform(e core.Effect) {
	switch e.Kind {
	case core.EffectSend:
		require.True(h.t, e.To.IsValid() && e.To.Port() != 0, "a datagram to %v", e.To)
		require.NoError(h.t, h.dialect.ReadDatagram(e.Data, func(m core.Message) {
			if p, ok := m.(*swim.Ping); ok {
				h.pinged = p.Seq
			}
		}))
	case core.EffectDial:
		require.True(h.t, e.To.IsValid() && e.To.Port() != 0, "a dial to %v", e.To)
		h.dials = append(h.dials, e.Link)
	case core.EffectWrite:
		require.Contains(h.t, h.links, e.Link, "a write on a link that is not up")
		h.unflushed[e.Link] += len(e.Data)
	case core.EffectClose:
		h.drop(e.Link)
	case core.EffectResolve:
		h.resolves = append(h.resolves, e.Token)
	case core.EffectAppend, core.EffectCompact:
		h.stores = append(h.stores, e.Token)
	case core.EffectEmit:
		h.heard(e.Event)
	}
}

func (h *host) drop(l core.Link) {
	h.dials = slices.DeleteFunc(h.dials, func(x core.Link) bool { return x == l })
	h.links = slices.DeleteFunc(h.links, func(x core.Link) bool { return x == l })
	delete(h.unflushed, l)
}

// heard follows what the events say of each member.
func (h *host) heard(ev core.Event) {
	if done, ok := ev.(core.Completion); ok && done.Completes() != 0 {
		require.True(h.t, h.open[done.Completes()], "command %d ends twice, or never began", done.Completes())
		delete(h.open, done.Completes())
	}
	is := func(name string, want ...swim.State) {
		state, known := h.state[name]
		require.True(h.t, known && slices.Contains(want, state) || !known && len(want) == 0,
			"%T about %s, which is %v (known: %v)", ev, name, state, known)
	}
	switch e := ev.(type) {
	case *swim.Ready:
		require.False(h.t, h.ready)
		h.ready = true
		if e.Known != nil {
			for m := range e.Known {
				h.state[m.Name] = m.State
			}
		}
	case *swim.Joined:
		if _, known := h.state[e.Member.Name]; known {
			is(e.Member.Name, swim.Dead, swim.Left)
		}
		h.state[e.Member.Name] = swim.Alive
	case *swim.Updated:
		if e.Member.Name != names[1] {
			is(e.Member.Name, swim.Alive)
		}
	case *swim.Suspected:
		is(e.Member.Name, swim.Alive)
		h.state[e.Member.Name] = swim.Suspect
	case *swim.Refuted:
		is(e.Member.Name, swim.Suspect)
		h.state[e.Member.Name] = swim.Alive
	case *swim.Failed:
		is(e.Member.Name, swim.Alive, swim.Suspect)
		h.state[e.Member.Name] = swim.Dead
	case *swim.Departed:
		is(e.Member.Name, swim.Alive, swim.Suspect)
		h.state[e.Member.Name] = swim.Left
	case *swim.Reaped:
		is(e.Name, swim.Dead, swim.Left)
		delete(h.state, e.Name)
	case *swim.Transition:
		moved := e.Old.State == swim.Left && e.Old.Addr != e.New.Addr // then HashiCorp accepts any incarnation
		if e.Known && !e.Gone && !moved {
			require.GreaterOrEqual(h.t, e.New.Incarnation, e.Old.Incarnation, "the incarnation of %s", e.Name)
		}
	}
}

func (h *host) command(c core.Command) {
	h.open[c.CommandID()] = true
	h.step(core.Input{Kind: core.InputCommand, Command: c})
}

// act does one thing.
func (h *host) act(r *reader) {
	switch r.byte() % 12 {
	case 0, 1, 2:
		h.datagram(r)
	case 3:
		h.pass(time.Duration(r.byte()) * 4 * time.Millisecond)
	case 4:
		h.pass(time.Duration(r.byte()) * 100 * time.Millisecond)
	case 5: // asleep, or looking late
		h.now = h.now.Add(time.Duration(r.byte()) * 50 * time.Millisecond)
		h.step(core.Input{Kind: core.InputWake})
	case 6:
		h.accept()
	case 7, 8:
		h.onLink(r)
	case 9:
		h.outcome(r)
	case 10:
		h.order(r)
	case 11:
		h.step(core.Input{Kind: core.InputWall, Wall: int64(r.byte()) << 56})
	}
}

func (h *host) datagram(r *reader) {
	in := core.Input{Kind: core.InputDatagram, From: addrs[2+int(r.byte())%5]}
	var parts [][]byte
	for range 1 + r.byte()%3 {
		part, err := h.dialect.AppendMessage(nil, r.message(h))
		if err == nil {
			parts = append(parts, part)
		}
	}
	if len(parts) > 0 {
		in.Data = h.dialect.AppendDatagram(nil, parts)
	}
	if r.byte()%8 == 0 {
		in.At = max(1, h.now-core.Instant(r.byte())*1e6)
	}
	h.step(in)
}

// pass lets time go by, waking the node whenever it wants to be.
func (h *host) pass(d time.Duration) {
	end := h.now.Add(d)
	for stuck := 0; h.node.Deadline() <= end; stuck++ {
		if at := h.node.Deadline(); at > h.now {
			h.now, stuck = at, 0
		}
		require.Less(h.t, stuck, 20, "the deadline does not move from %v", h.now)
		h.step(core.Input{Kind: core.InputWake})
	}
	h.now = end
}

func (h *host) accept() {
	if len(h.links) < 8 {
		h.accepted++
		l := core.Accepted(h.accepted)
		h.links = append(h.links, l)
		h.step(core.Input{Kind: core.InputUp, Link: l, From: addrs[2]})
	}
}

// onLink answers a dial, or says something on a link.
func (h *host) onLink(r *reader) {
	if len(h.dials) > 0 && r.byte()%2 == 0 {
		l := pick(r, h.dials)
		h.dials = slices.DeleteFunc(h.dials, func(x core.Link) bool { return x == l })
		if r.byte()%4 == 0 {
			h.step(core.Input{Kind: core.InputDown, Link: l, Fault: core.FaultUnreachable})
			return
		}
		h.links = append(h.links, l)
		h.step(core.Input{Kind: core.InputUp, Link: l})
		return
	}
	if len(h.links) == 0 {
		return
	}
	l := pick(r, h.links)
	switch r.byte() % 8 {
	case 0:
		h.drop(l)
		h.step(core.Input{Kind: core.InputDown, Link: l, Fault: core.FaultClosed})
	case 1, 2:
		size := h.unflushed[l]
		h.unflushed[l] = 0
		h.step(core.Input{Kind: core.InputFlushed, Link: l, Size: size})
	case 3:
		h.step(core.Input{Kind: core.InputRead, Link: l, Data: []byte{0, 0, 0, 1, r.byte()}})
	default:
		if data, err := h.dialect.AppendFrame(nil, r.message(h)); err == nil {
			h.step(core.Input{Kind: core.InputRead, Link: l, Data: data})
		}
	}
}

// outcome answers a resolution or a store.
func (h *host) outcome(r *reader) {
	fault := core.Fault(0)
	if r.byte()%4 == 0 {
		fault = core.FaultStorage
	}
	switch {
	case len(h.stores) > 0: // in order
		tok := h.stores[0]
		h.stores = h.stores[1:]
		h.step(core.Input{Kind: core.InputStored, Token: tok, Fault: fault})
	case len(h.resolves) > 0:
		tok := pick(r, h.resolves)
		h.resolves = slices.DeleteFunc(h.resolves, func(x core.Token) bool { return x == tok })
		in := core.Input{Kind: core.InputResolved, Token: tok, Fault: fault}
		for range r.byte() % 3 {
			in.Addrs = append(in.Addrs, pick(r, addrs))
		}
		h.step(in)
	}
}

// order gives a command.
func (h *host) order(r *reader) {
	name := pick(r, names)
	switch r.byte() % 12 {
	case 0, 1:
		c := swim.Join{ID: h.id()}
		for range r.byte() % 5 {
			c.Seeds = append(c.Seeds, fmt.Sprintf("seed%d:1", r.byte()%5))
		}
		h.command(c)
	case 2:
		if r.byte()%8 == 0 {
			h.command(swim.Leave{ID: h.id(), Timeout: time.Duration(r.byte()) * time.Millisecond})
		}
	case 3, 4:
		h.command(swim.SetMeta{ID: h.id(), Meta: make([]byte, 3*int(r.byte()))})
	case 5:
		h.command(swim.PingMember{ID: h.id(), Name: name})
	case 6, 7:
		h.command(swim.SendUser{ID: h.id(), To: name, Data: make([]byte, int(r.byte())*16), Reliable: r.byte()%2 == 0})
	case 8:
		h.command(swim.SetUserState{ID: h.id(), Data: []byte("state")})
	case 9, 10:
		h.command(swim.Forget{ID: h.id(), Name: name})
	default:
		h.command(swim.Inspect{ID: h.id()})
	}
}

// answerAll pays what the host owes the journal.
func (h *host) answerAll() {
	for len(h.stores) > 0 {
		tok := h.stores[0]
		h.stores = h.stores[1:]
		h.step(core.Input{Kind: core.InputStored, Token: tok})
	}
}

// finish lets a minute go by, in which every command ends: nobody answers any more, but the journal does.
func (h *host) finish() {
	for range 60 {
		h.answerAll()
		h.pass(time.Second)
	}
	require.Empty(h.t, h.open, "commands that never ended")
}
