package check

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
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

func p(r swim.Record) *swim.Record { return &r }

// pair is a run in which n0 and n1 know each other, and both have announced incarnations 1 to 3.
func pair() *Checker {
	c := New(Config{Nodes: 3, Swim: swim.LAN()})
	for i := range 2 {
		c.Started(0, i)
		for inc := range uint32(3) {
			old := p(at(i, swim.Alive, inc))
			if inc == 0 {
				old = nil
			}
			c.Event(0, i, change(old, p(at(i, swim.Alive, inc+1))))
		}
	}
	for i := range 2 {
		c.Event(1, i, change(nil, p(at(1-i, swim.Alive, 2))))
		c.Event(1, i, &swim.Joined{Member: swim.Member{Record: at(1-i, swim.Alive, 2)}})
		c.Stepped(1, i)
	}
	return c
}

func TestPairIsInOrder(t *testing.T) {
	c := pair()
	require.Empty(t, c.Violations())
	require.Equal(t, 2, c.Wrong()) // both see incarnation 2 of the other, which is at 3
}

// as puts a record into an event.
func as(r swim.Record) swim.Member { return swim.Member{Record: r} }

// breaches has, for every rule, what n0 might do at 2 s to break it and no other.
var breaches = []struct {
	rule   string
	commit func(c *Checker, now core.Instant)
}{
	{"transitions chain", func(c *Checker, now core.Instant) {
		c.Event(now, 0, change(p(at(1, swim.Alive, 1)), p(at(1, swim.Alive, 3))))
	}},
	{"incarnation never falls", func(c *Checker, now core.Instant) {
		c.Event(now, 0, change(p(at(1, swim.Alive, 2)), p(at(1, swim.Alive, 1))))
	}},
	{"no resurrection", func(c *Checker, now core.Instant) {
		dead := at(1, swim.Dead, 2)
		c.Event(now, 0, change(p(at(1, swim.Alive, 2)), &dead))
		c.Event(now, 0, &swim.Failed{Member: as(dead)})
		c.Event(now, 0, change(&dead, p(at(1, swim.Alive, 2))))
		c.Event(now, 0, &swim.Joined{Member: as(at(1, swim.Alive, 2))})
	}},
	{"no accusing the gone", func(c *Checker, now core.Instant) {
		dead := at(1, swim.Dead, 2)
		c.Event(now, 0, change(p(at(1, swim.Alive, 2)), &dead))
		c.Event(now, 0, &swim.Suspected{Member: as(at(1, swim.Suspect, 2))})
		c.Event(now, 0, change(&dead, p(at(1, swim.Suspect, 2))))
	}},
	{"no accusing the gone", func(c *Checker, now core.Instant) {
		left := at(1, swim.Left, 2)
		c.Event(now, 0, change(p(at(1, swim.Alive, 2)), &left))
		c.Event(now, 0, change(&left, p(at(1, swim.Suspect, 3))))
		c.Event(now, 0, &swim.Suspected{Member: as(at(1, swim.Suspect, 3))})
	}},
	{"no accusing the gone", func(c *Checker, now core.Instant) {
		left := at(1, swim.Left, 2)
		c.Event(now, 0, change(p(at(1, swim.Alive, 2)), &left))
		c.Event(now, 0, change(&left, p(at(1, swim.Dead, 2))))
		c.Event(now, 0, &swim.Failed{Member: as(at(1, swim.Dead, 2))})
	}},
	{"only the member raises its incarnation", func(c *Checker, now core.Instant) {
		c.Event(now, 0, change(p(at(1, swim.Alive, 2)), p(at(1, swim.Alive, 4))))
	}},
	{"one identity per incarnation", func(c *Checker, now core.Instant) {
		r := at(1, swim.Alive, 3)
		r.Meta = []byte("forged")
		c.Event(now, 0, change(p(at(1, swim.Alive, 2)), &r))
	}},
	{"one identity per incarnation", func(c *Checker, now core.Instant) {
		r := at(1, swim.Alive, 3)
		r.Addr = netip.MustParseAddrPort("10.0.0.9:7946")
		c.Event(now, 0, change(p(at(1, swim.Alive, 2)), &r))
	}},
	{"one identity per incarnation", func(c *Checker, now core.Instant) {
		r := at(0, swim.Alive, 3) // a member may not redescribe itself either
		r.Versions.App = 9
		c.Event(now, 0, change(p(at(0, swim.Alive, 3)), &r))
	}},
	{"nobody doubts itself", func(c *Checker, now core.Instant) {
		c.Event(now, 0, change(p(at(0, swim.Alive, 3)), p(at(0, swim.Suspect, 3))))
	}},
	{"nobody doubts itself", func(c *Checker, now core.Instant) { // no Leave was issued
		c.Event(now, 0, change(p(at(0, swim.Alive, 3)), p(at(0, swim.Left, 3))))
	}},
	{"nobody doubts itself", func(c *Checker, now core.Instant) {
		c.Event(now, 0, change(p(at(0, swim.Alive, 3)), nil))
	}},
	{"events fold to the table", func(c *Checker, now core.Instant) { // a change that was not told
		c.Event(now, 0, change(p(at(1, swim.Alive, 2)), p(at(1, swim.Suspect, 2))))
	}},
	{"events fold to the table", func(c *Checker, now core.Instant) { // told, but did not happen
		c.Event(now, 0, &swim.Failed{Member: as(at(1, swim.Dead, 2))})
	}},
	{"events fold to the table", func(c *Checker, now core.Instant) {
		c.Event(now, 0, &swim.Departed{Member: as(at(1, swim.Left, 2))})
	}},
	{"events fold to the table", func(c *Checker, now core.Instant) {
		c.Event(now, 0, &swim.Suspected{Member: as(at(1, swim.Suspect, 2))})
	}},
	{"events in order", func(c *Checker, now core.Instant) { // failed twice
		dead := at(1, swim.Dead, 2)
		c.Event(now, 0, change(p(at(1, swim.Alive, 2)), &dead))
		c.Event(now, 0, &swim.Failed{Member: as(dead)})
		c.Event(now, 0, &swim.Failed{Member: as(dead)})
	}},
	{"events in order", func(c *Checker, now core.Instant) {
		c.Event(now, 0, &swim.Joined{Member: as(at(1, swim.Alive, 2))})
	}},
	{"events in order", func(c *Checker, now core.Instant) {
		c.Event(now, 0, &swim.Refuted{Member: as(at(1, swim.Alive, 2))})
	}},
	{"known members", func(c *Checker, now core.Instant) {
		c.Event(now, 0, change(nil, &swim.Record{Name: "n3"}))
	}},
	{"known members", func(c *Checker, now core.Instant) {
		c.Event(now, 0, &swim.Joined{Member: swim.Member{Record: swim.Record{Name: "n01"}}})
	}},
	{"mtu", func(c *Checker, now core.Instant) { c.Datagram(now, 0, 1401) }},
	{"commands complete once", func(c *Checker, now core.Instant) { // never issued
		c.Event(now, 0, &core.Done{ID: 7})
	}},
	{"commands complete once", func(c *Checker, now core.Instant) { // twice
		c.Issued(now, 0, swim.SetMeta{ID: 7})
		c.Event(now, 0, &core.Done{ID: 7})
		c.Event(now, 0, &core.Done{ID: 7})
	}},
	{"commands complete once", func(c *Checker, now core.Instant) { // never
		c.Issued(now, 0, swim.SetMeta{ID: 7})
		c.Finished(now.Add(commandPatience + 1))
	}},
	{"counts", info(swim.Info{ID: 7, Members: 3})},
	{"counts", info(swim.Info{ID: 7, Members: 2, Dead: 1})},
	{"counts", info(swim.Info{ID: 7, Members: 2, Left: 1})},
	{"bounds", info(swim.Info{ID: 7, Members: 2, Broadcasts: swim.LAN().BroadcastsMax + 1})},
	{"one probe at a time", info(swim.Info{ID: 7, Members: 2, Counters: swim.Counters{Probes: 5}})},
}

func info(i swim.Info) func(*Checker, core.Instant) {
	return func(c *Checker, now core.Instant) {
		c.Issued(now, 0, swim.Inspect{ID: i.ID})
		c.Event(now, 0, &i)
	}
}

// TestBreaches feeds every rule a forgery and must see it, and only it, fire.
func TestBreaches(t *testing.T) {
	var covered []string
	for _, b := range breaches {
		c := pair()
		now := core.Instant(2 * time.Second)
		b.commit(c, now)
		c.Stepped(now, 0)
		require.Len(t, c.Violations(), 1, "%s: %v", b.rule, c.Violations())
		v := c.Violations()[0]
		require.Equal(t, b.rule, v.Rule)
		require.Equal(t, "n0", v.Observer)
		require.Equal(t, 1, c.Count())
		require.NotEmpty(t, v.What)
		covered = append(covered, b.rule)
	}
	for _, r := range rules {
		require.Contains(t, covered, r.name, "no forgery breaks it")
	}
}

// TestLawful feeds what looks like breaches and is none.
func TestLawful(t *testing.T) {
	now := core.Instant(2 * time.Second)
	for name, act := range map[string]func(c *Checker){
		"back from the dead with a higher incarnation": func(c *Checker) {
			c.Event(now, 0, change(p(at(1, swim.Alive, 2)), p(at(1, swim.Dead, 2))))
			c.Event(now, 0, &swim.Failed{Member: as(at(1, swim.Dead, 2))})
			c.Event(now, 0, change(p(at(1, swim.Dead, 2)), p(at(1, swim.Alive, 3))))
			c.Event(now, 0, &swim.Joined{Member: as(at(1, swim.Alive, 3))})
		},
		"back at a lower incarnation once forgotten": func(c *Checker) {
			c.Event(now, 0, change(p(at(1, swim.Alive, 2)), nil))
			c.Event(now, 0, change(nil, p(at(1, swim.Alive, 1))))
		},
		"left, and here again from a new address": func(c *Checker) {
			moved := at(1, swim.Alive, 2)
			moved.Addr = netip.MustParseAddrPort("10.0.0.9:7946")
			c.members[1].find(2).identity = identity(&moved)
			c.Event(now, 0, change(p(at(1, swim.Alive, 2)), p(at(1, swim.Left, 2))))
			c.Event(now, 0, change(p(at(1, swim.Left, 2)), &moved))
		},
		"leaves when told to": func(c *Checker) {
			c.Issued(now, 0, swim.Leave{ID: 7})
			c.Event(now, 0, change(p(at(0, swim.Alive, 3)), p(at(0, swim.Left, 3))))
			c.Event(now, 0, &core.Done{ID: 7})
			c.Finished(now.Add(time.Hour))
		},
		"dies with a command open": func(c *Checker) {
			c.Issued(now, 0, swim.Leave{ID: 7})
			c.Stopped(now, 0)
			c.Finished(now.Add(time.Hour))
		},
	} {
		c := pair()
		act(c)
		c.Stepped(now, 0)
		require.Empty(t, c.Violations(), name)
	}
}

func TestWrongFollowsTheTruth(t *testing.T) {
	c := pair()
	for i := range 2 {
		c.Event(2, i, change(p(at(1-i, swim.Alive, 2)), p(at(1-i, swim.Alive, 3))))
	}
	require.Zero(t, c.Wrong())

	c.Stopped(3, 1) // n0 does not know yet
	require.Equal(t, 1, c.Wrong())
	require.Equal(t, []string{"n0 sees n1 alive@3; it is gone"}, c.Disagreements(10))
	c.Event(4, 0, change(p(at(1, swim.Alive, 3)), p(at(1, swim.Dead, 3))))
	require.Zero(t, c.Wrong())

	c.Started(5, 1) // back with an empty view, not even of itself
	require.Equal(t, 3, c.Wrong())
	c.Event(5, 1, change(nil, p(at(1, swim.Alive, 1))))
	c.Event(5, 1, change(nil, p(at(0, swim.Alive, 3))))
	require.Equal(t, 1, c.Wrong())
	c.Event(6, 1, change(p(at(1, swim.Alive, 1)), p(at(1, swim.Alive, 4))))
	c.Event(6, 0, change(p(at(1, swim.Dead, 3)), p(at(1, swim.Alive, 4))))
	require.Zero(t, c.Wrong())

	c.Issued(7, 1, swim.Leave{ID: 1})
	require.Equal(t, 1, c.Wrong())
	c.Event(7, 0, change(p(at(1, swim.Alive, 4)), p(at(1, swim.Left, 4))))
	require.Zero(t, c.Wrong())
	require.Empty(t, c.Violations())

	// A recount from scratch agrees.
	for o := range 3 {
		for s := range 3 {
			c.compare(o, s)
		}
	}
	require.Zero(t, c.Wrong())
	require.Zero(t, slices.IndexFunc(c.rows, func(r row) bool { return r.wrong })+1)
}

func TestViolationsAreBounded(t *testing.T) {
	c := pair()
	for range 2 * violationsMax {
		c.Datagram(0, 0, 9000)
	}
	require.Len(t, c.Violations(), violationsMax)
	require.Equal(t, 2*violationsMax, c.Count())
	require.Equal(t, "0s n0: mtu: datagram of 9000 bytes, at most 1400 may leave", c.Violations()[0].String())
}

func TestIndex(t *testing.T) {
	for name, want := range map[string]int{
		"n0": 0, "n17": 17, "n": -1, "": -1, "x1": -1, "n01": -1, "n-1": -1, "n+1": -1, "n1x": -1,
	} {
		require.Equal(t, want, Index(name), name)
	}
}
