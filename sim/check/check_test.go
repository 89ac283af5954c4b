package check

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/internal/mutant"
)

// at returns what member i says of itself, in some state and incarnation.
func at(i int, state swim.State, incarnation uint32) swim.Record {
	return swim.Record{
		Name: Name(i), State: state, Incarnation: incarnation,
		Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 1)}), 7946), Meta: []byte(Name(i)),
	}
}

// change makes the Transition of a row from old (nil: unknown) to next (nil: forgotten).
func change(old, next *swim.Record) *swim.Transition {
	t := &swim.Transition{Known: old != nil, Gone: next == nil}
	if old != nil {
		t.Name, t.Old = old.Name, *old
	}
	if next != nil {
		t.Name, t.New = next.Name, *next
	}
	return t
}

// tell lets member i emit an event.
func tell(c *Checker, now core.Instant, i int, ev core.Event) {
	c.Effect(now, i, &core.Effect{Kind: core.EffectEmit, Event: ev})
}

// send lets member i send a datagram of so many bytes.
func send(c *Checker, now core.Instant, i, size int) {
	c.Effect(now, i, &core.Effect{Kind: core.EffectSend, Data: make([]byte, size)})
}

func p(r swim.Record) *swim.Record { return &r }

// pair is a run in which n0 and n1 know each other, and both have announced incarnations 1 to 3.
func pair() *Checker { return pairOf(Config{Nodes: 3, Swim: swim.LAN()}) }

func pairOf(config Config) *Checker {
	c := New(config)
	for i := range 2 {
		c.Started(0, i)
		for inc := range uint32(3) {
			old := p(at(i, swim.Alive, inc))
			if inc == 0 {
				old = nil
			}
			tell(c, 0, i, change(old, p(at(i, swim.Alive, inc+1))))
		}
	}
	for i := range 2 {
		tell(c, 1, i, change(nil, p(at(1-i, swim.Alive, 2))))
		tell(c, 1, i, &swim.Joined{Member: swim.Member{Record: at(1-i, swim.Alive, 2)}})
		c.Stepped(1, i)
	}
	return c
}

func TestPairIsInOrder(t *testing.T) {
	c := pair()
	require.Empty(t, c.Log().Violations())
	require.Equal(t, 2, c.Wrong()) // both see incarnation 2 of the other, which is at 3
}

// as puts a record into an event.
func as(r swim.Record) swim.Member { return swim.Member{Record: r} }

// A breach is a forgery, and the oracle that must notice it.
type breach struct {
	oracle oracle
	commit func(c *Checker, now core.Instant)
}

// breaches has, for every rule, what n0 might do at 2 s to break it and no other.
var breaches = []breach{
	{transitionsChain, func(c *Checker, now core.Instant) {
		tell(c, now, 0, change(p(at(1, swim.Alive, 1)), p(at(1, swim.Alive, 3))))
	}},
	{incarnationMonotone, func(c *Checker, now core.Instant) {
		tell(c, now, 0, change(p(at(1, swim.Alive, 2)), p(at(1, swim.Alive, 1))))
	}},
	{noResurrection, func(c *Checker, now core.Instant) {
		dead := at(1, swim.Dead, 2)
		tell(c, now, 0, change(p(at(1, swim.Alive, 2)), &dead))
		tell(c, now, 0, &swim.Failed{Member: as(dead)})
		tell(c, now, 0, change(&dead, p(at(1, swim.Alive, 2))))
		tell(c, now, 0, &swim.Joined{Member: as(at(1, swim.Alive, 2))})
	}},
	{legalTransitions, func(c *Checker, now core.Instant) {
		dead := at(1, swim.Dead, 2)
		tell(c, now, 0, change(p(at(1, swim.Alive, 2)), &dead))
		tell(c, now, 0, &swim.Suspected{Member: as(at(1, swim.Suspect, 2))})
		tell(c, now, 0, change(&dead, p(at(1, swim.Suspect, 2))))
	}},
	{legalTransitions, func(c *Checker, now core.Instant) {
		left := at(1, swim.Left, 2)
		tell(c, now, 0, change(p(at(1, swim.Alive, 2)), &left))
		tell(c, now, 0, change(&left, p(at(1, swim.Suspect, 3))))
		tell(c, now, 0, &swim.Suspected{Member: as(at(1, swim.Suspect, 3))})
	}},
	{legalTransitions, func(c *Checker, now core.Instant) {
		left := at(1, swim.Left, 2)
		tell(c, now, 0, change(p(at(1, swim.Alive, 2)), &left))
		tell(c, now, 0, change(&left, p(at(1, swim.Dead, 2))))
		tell(c, now, 0, &swim.Failed{Member: as(at(1, swim.Dead, 2))})
	}},
	{issuedIncarnations, func(c *Checker, now core.Instant) {
		tell(c, now, 0, change(p(at(1, swim.Alive, 2)), p(at(1, swim.Alive, 4))))
	}},
	{oneIdentity, func(c *Checker, now core.Instant) {
		r := at(1, swim.Alive, 3)
		r.Meta = []byte("forged")
		tell(c, now, 0, change(p(at(1, swim.Alive, 2)), &r))
	}},
	{oneIdentity, func(c *Checker, now core.Instant) {
		r, left := at(1, swim.Alive, 3), at(1, swim.Left, 2)
		r.Addr = netip.MustParseAddrPort("10.0.0.9:7946")
		tell(c, now, 0, change(p(at(1, swim.Alive, 2)), &left))
		tell(c, now, 0, change(&left, &r))
	}},
	{oneIdentity, func(c *Checker, now core.Instant) {
		r := at(0, swim.Alive, 3) // a member may not redescribe itself either
		r.Versions.App = 9
		tell(c, now, 0, change(p(at(0, swim.Alive, 3)), &r))
	}},
	{noSelfDoubt, func(c *Checker, now core.Instant) {
		tell(c, now, 0, change(p(at(0, swim.Alive, 3)), p(at(0, swim.Suspect, 3))))
	}},
	{noSelfDoubt, func(c *Checker, now core.Instant) { // no Leave was issued
		tell(c, now, 0, change(p(at(0, swim.Alive, 3)), p(at(0, swim.Left, 3))))
	}},
	{noSelfDoubt, func(c *Checker, now core.Instant) {
		tell(c, now, 0, change(p(at(0, swim.Alive, 3)), nil))
	}},
	{eventsFold, func(c *Checker, now core.Instant) { // a change that was not told
		tell(c, now, 0, change(p(at(1, swim.Alive, 2)), p(at(1, swim.Suspect, 2))))
	}},
	{eventsFold, func(c *Checker, now core.Instant) { // told, but did not happen
		tell(c, now, 0, &swim.Failed{Member: as(at(1, swim.Dead, 2))})
	}},
	{eventsFold, func(c *Checker, now core.Instant) {
		tell(c, now, 0, &swim.Departed{Member: as(at(1, swim.Left, 2))})
	}},
	{eventsFold, func(c *Checker, now core.Instant) {
		tell(c, now, 0, &swim.Suspected{Member: as(at(1, swim.Suspect, 2))})
	}},
	{eventsOrdered, func(c *Checker, now core.Instant) { // failed twice
		dead := at(1, swim.Dead, 2)
		tell(c, now, 0, change(p(at(1, swim.Alive, 2)), &dead))
		tell(c, now, 0, &swim.Failed{Member: as(dead)})
		tell(c, now, 0, &swim.Failed{Member: as(dead)})
	}},
	{eventsOrdered, func(c *Checker, now core.Instant) {
		tell(c, now, 0, &swim.Joined{Member: as(at(1, swim.Alive, 2))})
	}},
	{eventsOrdered, func(c *Checker, now core.Instant) {
		tell(c, now, 0, &swim.Refuted{Member: as(at(1, swim.Alive, 2))})
	}},
	{knownMembers, func(c *Checker, now core.Instant) {
		tell(c, now, 0, change(nil, &swim.Record{Name: "n3"}))
	}},
	{knownMembers, func(c *Checker, now core.Instant) {
		tell(c, now, 0, &swim.Joined{Member: swim.Member{Record: swim.Record{Name: "n01"}}})
	}},
	{noPanic, func(c *Checker, now core.Instant) {
		c.Input(now, 0, &core.Input{Kind: core.InputWake})
		c.Panicked("help")
	}},
	{datagramFits, func(c *Checker, now core.Instant) { send(c, now, 0, 1401) }},
	{commandsComplete, func(c *Checker, now core.Instant) { // never issued
		tell(c, now, 0, &core.Done{ID: 7})
	}},
	{commandsComplete, func(c *Checker, now core.Instant) { // twice
		c.Input(now, 0, &core.Input{Kind: core.InputCommand, Command: swim.SetMeta{ID: 7}})
		tell(c, now, 0, &core.Done{ID: 7})
		tell(c, now, 0, &core.Done{ID: 7})
	}},
	{commandsComplete, func(c *Checker, now core.Instant) { // never
		c.Input(now, 0, &core.Input{Kind: core.InputCommand, Command: swim.SetMeta{ID: 7}})
		c.Finished(now.Add(commandPatience + 1))
	}},
	{agreement, func(c *Checker, now core.Instant) {
		tell(c, now, 1, change(p(at(0, swim.Alive, 2)), p(at(0, swim.Alive, 3)))) // but n0 still sees 2
		c.Settle(now)
	}},
	{completeness, func(c *Checker, now core.Instant) {
		c.Stopped(now, 1)
		c.Settle(now)
	}},
	{leaversGone, func(c *Checker, now core.Instant) {
		c.Input(now, 1, &core.Input{Kind: core.InputCommand, Command: swim.Leave{ID: 7}})
		c.Settle(now)
	}},
	{journalPrefix, found(asked("a", "b", "c"), "a", "c")},
	{journalPrefix, found(asked("a", "b"), "b")},
	{journalPrefix, found(asked("a", "b"), "a", "b", "b")},
	{journalPrefix, found(asked("a", "=ab", "c"), "a", "b")},
	{journalPrefix, found(nil, "a")},
	{journalPrefix, found(asked("a", "b", "<", "a!", "c"), "a", "b", "c")},
	{journalPrefix, found(asked("a", "<", "c"), "a", "c")},
	{journalPrefix, found(asked("<", "a!", "c"), "c")},
	{journalDurable, found(asked("a", "b!", "c"), "a")},
	{journalDurable, found(asked("a", "=ab!", "c"), "a")},
	{journalDurable, found(asked("a!"))},
	{journalDurable, found(asked("a", "b", "<", "a!", "c!"), "a")},
	{journalDurable, found(asked("a", "<", "c!"))},
	{recoveryRepeats, func(c *Checker, now core.Instant) {
		c.Recovered(now, 0, Recovery{Asked: asked("a"), Got: inputs("a")})
	}},
	{countsAgree, info(swim.Info{ID: 7, Members: 3})},
	{countsAgree, info(swim.Info{ID: 7, Members: 2, Dead: 1})},
	{countsAgree, info(swim.Info{ID: 7, Members: 2, Left: 1})},
	{queueBounded, info(swim.Info{ID: 7, Members: 2, Broadcasts: swim.LAN().BroadcastsMax + 1})},
	{noFalsePositives, fails(time.Minute, 2)},
	{noFalsePositives, func(c *Checker, now core.Instant) { // a fault had n1 suspected, but that was long ago
		tell(c, now, 0, change(p(at(1, swim.Alive, 2)), p(at(1, swim.Suspect, 2))))
		fails(time.Minute, 2)(c, now)
	}},
	{detectionTime, func(c *Checker, now core.Instant) {
		c.Disturbed(now.Add(time.Hour), 0)
		c.Stopped(now.Add(time.Hour), 1)
		c.Input(now.Add(2*time.Hour), 0, &core.Input{Kind: core.InputWake})
	}},
	{packetsConserved, func(c *Checker, _ core.Instant) { c.Conserved(3) }},
	{incarnationKept, func(c *Checker, now core.Instant) {
		c.Started(now, 0)
		tell(c, now, 0, change(nil, p(at(0, swim.Alive, 3))))
	}},
	{addressBound, func(c *Checker, now core.Instant) {
		moved := at(1, swim.Alive, 3)
		moved.Addr = netip.MustParseAddrPort("10.0.0.9:7946")
		c.members[1].find(3).identity = identity(&moved)
		tell(c, now, 0, change(p(at(1, swim.Alive, 2)), &moved))
	}},
}

// fails has n0 declare after a while that n1 failed.
func fails(after time.Duration, incarnation uint32) func(*Checker, core.Instant) {
	return func(c *Checker, now core.Instant) {
		c.Input(now.Add(after), 0, &core.Input{Kind: core.InputWake})
		r := c.row(0, 1)
		tell(c, now, 0, change(p(at(1, r.state, r.incarnation)), p(at(1, swim.Dead, incarnation))))
		tell(c, now, 0, &swim.Failed{Member: as(at(1, swim.Dead, incarnation))})
	}
}

// asked makes stores of machine 1: "a" is a record, "=a" a snapshot, "a!" is durable, and "<" is a mend.
func asked(texts ...string) (all []Stored) {
	for _, text := range texts {
		data, durable := strings.CutSuffix(text, "!")
		data, snapshot := strings.CutPrefix(data, "=")
		s := Stored{Proto: 1, Snapshot: snapshot, Data: []byte(data), Durable: durable}
		if text == "<" {
			s = Stored{Proto: 1, Mended: true}
		}
		all = append(all, s)
	}
	return all
}

// inputs makes what recovery finds: "a" is a record, "=a" a snapshot.
func inputs(texts ...string) (all []core.Input) {
	for _, s := range asked(texts...) {
		in := core.Input{Kind: core.InputReplay, Proto: 1, Data: s.Data}
		if s.Snapshot {
			in.Kind = core.InputRestore
		}
		all = append(all, in)
	}
	return all
}

func found(asked []Stored, texts ...string) func(*Checker, core.Instant) {
	return func(c *Checker, now core.Instant) {
		c.Recovered(now, 0, Recovery{Asked: asked, Got: inputs(texts...), Again: inputs(texts...)})
	}
}

func info(i swim.Info) func(*Checker, core.Instant) {
	return func(c *Checker, now core.Instant) {
		c.Input(now, 0, &core.Input{Kind: core.InputCommand, Command: swim.Inspect{ID: i.ID}})
		tell(c, now, 0, &i)
	}
}

// TestBreaches feeds every oracle a forgery and must see it, and only it, fire.
func TestBreaches(t *testing.T) {
	covered := map[oracle]bool{}
	for k, b := range append(breaches, spoken...) {
		c, now := pair(), core.Instant(2*time.Second)
		if k < len(breaches) {
			c.Input(now, 0, &core.Input{Kind: core.InputDatagram, From: at(1, 0, 0).Addr})
		} else {
			c = talkers()
			hears(c, 1)
		}
		b.commit(c, now)
		c.Stepped(now, 0)
		violations := c.Log().Violations()
		require.Len(t, violations, 1, "%s: %v", infos[b.oracle].Name, violations)
		v := violations[0]
		require.Equal(t, infos[b.oracle].ID, v.Oracle)
		require.Equal(t, infos[b.oracle].Name, v.Name)
		require.Equal(t, "n0", v.Observer)
		require.NotEmpty(t, v.What)
		require.Equal(t, 1, c.Log().Count())
		covered[b.oracle] = true
	}
	for o := range oracles {
		require.True(t, covered[o], "no forgery breaks %s", infos[o].Name)
	}
}

func TestOracles(t *testing.T) {
	ids := map[string]bool{}
	for _, o := range Oracles() {
		require.NotEmpty(t, o.Name)
		require.NotEmpty(t, o.Doc, o.Name)
		require.NotEmpty(t, o.Source, o.Name)
		require.False(t, ids[o.ID], o.ID)
		ids[o.ID] = true
	}
	for _, m := range mutant.All() {
		require.True(t, ids[m.Oracle], "%s is for oracle %s", m.Name, m.Oracle)
	}
}

// A suspicious oracle reports whatever it is told of.
type suspicious struct{ log *Log }

func (s suspicious) Input(core.Instant, int, *core.Input) {
	s.log.Add(Violation{Oracle: "A", What: "in"})
}
func (s suspicious) Effect(core.Instant, int, *core.Effect) {
	s.log.Add(Violation{Oracle: "A", What: "out"})
}
func (s suspicious) Finished(core.Instant) { s.log.Add(Violation{Oracle: "A", What: "end"}) }

func TestApplicationsWatchToo(t *testing.T) {
	c := New(Config{Nodes: 2, Locate: func(a netip.AddrPort) int { return int(a.Port()) }})
	c.Watch(suspicious{c.Log()})
	c.Input(1, 0, &core.Input{Kind: core.InputDatagram, From: netip.MustParseAddrPort("10.0.0.1:1")})
	c.Effect(2, 0, &core.Effect{Kind: core.EffectResolve})
	c.Finished(3)
	require.Equal(t, []Violation{
		{Step: 1, At: 1, Oracle: "A", What: "in", Observer: "n0", Cause: "a datagram from n1"},
		{Step: 1, At: 1, Oracle: "A", What: "out", Observer: "n0", Cause: "a datagram from n1"},
		{Step: 1, At: 3, Oracle: "A", What: "end"}, // nobody's step
	}, c.Log().Violations())
}

// TestLawful feeds what looks like breaches and is none.
func TestLawful(t *testing.T) {
	now := core.Instant(2 * time.Second)
	for name, act := range map[string]func(c *Checker){
		"back from the dead with a higher incarnation": func(c *Checker) {
			tell(c, now, 0, change(p(at(1, swim.Alive, 2)), p(at(1, swim.Dead, 2))))
			tell(c, now, 0, &swim.Failed{Member: as(at(1, swim.Dead, 2))})
			tell(c, now, 0, change(p(at(1, swim.Dead, 2)), p(at(1, swim.Alive, 3))))
			tell(c, now, 0, &swim.Joined{Member: as(at(1, swim.Alive, 3))})
		},
		"back at a lower incarnation once forgotten": func(c *Checker) {
			tell(c, now, 0, change(p(at(1, swim.Alive, 2)), nil))
			tell(c, now, 0, change(nil, p(at(1, swim.Alive, 1))))
		},
		"left, and here again from a new address": func(c *Checker) {
			moved := at(1, swim.Alive, 2)
			moved.Addr = netip.MustParseAddrPort("10.0.0.9:7946")
			c.members[1].find(2).identity = identity(&moved)
			tell(c, now, 0, change(p(at(1, swim.Alive, 2)), p(at(1, swim.Left, 2))))
			tell(c, now, 0, change(p(at(1, swim.Left, 2)), &moved))
		},
		"leaves when told to": func(c *Checker) {
			c.Input(now, 0, &core.Input{Kind: core.InputCommand, Command: swim.Leave{ID: 7}})
			tell(c, now, 0, change(p(at(0, swim.Alive, 3)), p(at(0, swim.Left, 3))))
			tell(c, now, 0, &core.Done{ID: 7})
			c.Finished(now.Add(time.Hour))
		},
		"finds what was durable, and some more": func(c *Checker) {
			found(asked("a", "b!", "c", "d"), "a", "b", "c")(c, now)
			found(asked("a!", "=ab", "c"), "a")(c, now)
			found(asked("a!", "=ab!", "c"), "=ab")(c, now)
			found(asked("a", "b"))(c, now)
		},
		"finds what was mended, or what was there before": func(c *Checker) {
			found(asked("a!", "b!", "<", "a!", "c!"), "a", "c")(c, now)
			found(asked("a!", "<"))(c, now)
			c.Recovered(now, 0, Recovery{
				Asked: asked("a!", "b!", "<", "a!", "c!"), Got: inputs("a", "b"), Again: inputs("a", "b"), Doubtful: true,
			})
		},
		"finds less, on a disk that broke its word": func(c *Checker) {
			c.Recovered(now, 0, Recovery{
				Asked: asked("a!", "=ab!", "c!"), Got: inputs("a"), Again: inputs("a"), Doubtful: true,
			})
		},
		"declares dead whom a fault kept from answering the warning": func(c *Checker) { fails(12*time.Second, 2)(c, now) },
		"dies with a command open": func(c *Checker) {
			c.Input(now, 0, &core.Input{Kind: core.InputCommand, Command: swim.Leave{ID: 7}})
			c.Stopped(now, 0)
			c.Finished(now.Add(time.Hour))
		},
	} {
		c := pair()
		act(c)
		c.Stepped(now, 0)
		require.Empty(t, c.Log().Violations(), name)
	}
}

func TestWrongFollowsTheTruth(t *testing.T) {
	c := pair()
	for i := range 2 {
		tell(c, 2, i, change(p(at(1-i, swim.Alive, 2)), p(at(1-i, swim.Alive, 3))))
	}
	require.Zero(t, c.Wrong())

	c.Stopped(3, 1) // n0 does not know yet
	require.Equal(t, 1, c.Wrong())
	require.Equal(t, []string{"n0 sees n1 alive@3; it is gone"}, c.Disagreements(10))
	tell(c, 4, 0, change(p(at(1, swim.Alive, 3)), p(at(1, swim.Dead, 3))))
	require.Zero(t, c.Wrong())

	c.Amnesia(1)
	c.Started(5, 1) // back with an empty view, not even of itself
	require.Equal(t, 3, c.Wrong())
	tell(c, 5, 1, change(nil, p(at(1, swim.Alive, 1))))
	tell(c, 5, 1, change(nil, p(at(0, swim.Alive, 3))))
	require.Equal(t, 1, c.Wrong())
	tell(c, 6, 1, change(p(at(1, swim.Alive, 1)), p(at(1, swim.Alive, 4))))
	tell(c, 6, 0, change(p(at(1, swim.Dead, 3)), p(at(1, swim.Alive, 4))))
	require.Zero(t, c.Wrong())

	c.Input(7, 1, &core.Input{Kind: core.InputCommand, Command: swim.Leave{ID: 1}})
	require.Equal(t, 1, c.Wrong())
	tell(c, 7, 0, change(p(at(1, swim.Alive, 4)), p(at(1, swim.Left, 4))))
	require.Zero(t, c.Wrong())
	require.Empty(t, c.Log().Violations())

	// A recount from scratch agrees.
	for o := range 3 {
		for s := range 3 {
			c.compare(o, s)
		}
	}
	require.Zero(t, c.Wrong())
	require.Empty(t, c.Disagreements(10))
}

func TestViolationsAreBounded(t *testing.T) {
	c := pair()
	for range 2 * violationsMax {
		send(c, 0, 0, 9000)
	}
	require.Len(t, c.Log().Violations(), violationsMax)
	require.Equal(t, 2*violationsMax, c.Log().Count())
	require.Equal(t, "0s step 0 n0: S7a datagram-fits: a datagram of 9000 bytes; expected: at most 1400",
		c.Log().Violations()[0].String())
}

func TestIndex(t *testing.T) {
	for name, want := range map[string]int{
		"n0": 0, "n17": 17, "n": -1, "": -1, "x1": -1, "n01": -1, "n-1": -1, "n+1": -1, "n1x": -1,
	} {
		require.Equal(t, want, Index(name), name)
	}
}

// TestConvergedTruth: all know all from the start, so whoever changes is wrong to all others, and may change.
func TestConvergedTruth(t *testing.T) {
	records := []swim.Record{at(0, swim.Alive, 1), at(1, swim.Alive, 1), at(2, swim.Alive, 1)}
	c := New(Config{Nodes: len(records), Swim: swim.LAN()})
	c.Converged(1, records)
	require.Zero(t, c.Wrong())
	c.Stopped(2, 2)
	require.Equal(t, 2, c.Wrong())
	for i := range 2 {
		tell(c, 3, i, change(p(at(2, swim.Alive, 1)), p(at(2, swim.Suspect, 1))))
	}
	require.Equal(t, 2, c.Wrong(), "suspect is not gone")
	tell(c, 4, 0, change(p(at(1, swim.Alive, 1)), p(at(1, swim.Alive, 2))))
	require.Equal(t, 3, c.Wrong(), "n1 is still at its first incarnation")
	require.Equal(t, infos[issuedIncarnations].ID, c.Log().Violations()[0].Oracle)
	require.Equal(t, 1, c.Log().Count())
}
