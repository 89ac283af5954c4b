package check

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/codec/cbor"
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
)

const ms = core.Instant(time.Millisecond)

// wire writes what forged members say.
var wire = cbor.New(cbor.Config{})

// datagram holds some messages.
func datagram(messages ...core.Message) (b []byte) {
	for _, m := range messages {
		var err error
		if b, err = wire.AppendMessage(b, m); err != nil {
			panic(err)
		}
	}
	return b
}

// hears has n0 handle a datagram from n1.
func hears(c *Checker, now core.Instant, messages ...core.Message) {
	c.Input(now, 0, &core.Input{Kind: core.InputDatagram, From: at(1, 0, 0).Addr, Data: datagram(messages...)})
}

// wakes has n0 do what is due.
func wakes(c *Checker, now core.Instant) { c.Input(now, 0, &core.Input{Kind: core.InputWake}) }

// says has n0 send a datagram to member i.
func says(c *Checker, now core.Instant, i int, messages ...core.Message) {
	c.Effect(now, 0, &core.Effect{Kind: core.EffectSend, To: at(i, 0, 0).Addr, Data: datagram(messages...)})
}

// probes has n0 probe member i.
func probes(c *Checker, now core.Instant, i int, seq uint32) {
	wakes(c, now)
	says(c, now, i, &swim.Ping{Seq: seq, Target: Name(i)})
	c.Stepped(now, 0)
}

// suspects has n0 suspect n1.
func suspects(c *Checker, now core.Instant, cause swim.Cause, by string) {
	t := change(p(at(1, swim.Alive, 2)), p(at(1, swim.Suspect, 2)))
	t.Cause = cause
	tell(c, now, 0, t)
	tell(c, now, 0, &swim.Suspected{Member: as(at(1, swim.Suspect, 2)), From: by})
}

// buries has n0 declare n1 dead, which it suspected.
func buries(c *Checker, now core.Instant, cause swim.Cause, accusers ...string) {
	t := change(p(at(1, swim.Suspect, 2)), p(at(1, swim.Dead, 2)))
	t.Cause = cause
	tell(c, now, 0, t)
	tell(c, now, 0, &swim.Failed{Member: as(at(1, swim.Dead, 2)), Evidence: swim.Evidence{Suspects: accusers}})
}

// rests lets n0 probe n1 for so long that it has told all it knew.
func rests(c *Checker) (now core.Instant) {
	for n := range 60 {
		now = core.Instant(time.Duration(n)*time.Second) + ms
		probes(c, now, 1, uint32(n))
	}
	c.Disturbed(now, 1) // what follows is no calm
	return now.Add(100 * time.Millisecond)
}

// news is what members gossip.
var news = &swim.Announce{Record: at(1, swim.Alive, 2)}

// spoken has, for every oracle of traffic, what n0 might do to break it and no other.
var spoken = []breach{
	{refutationHigher, func(c *Checker, _ core.Instant) {
		hears(c, 1, &swim.Accuse{Node: "n0", Incarnation: 5, From: "n1"})
		tell(c, 1, 0, change(p(at(0, swim.Alive, 3)), p(at(0, swim.Alive, 4))))
	}},
	{refutationHigher, func(c *Checker, _ core.Instant) {
		hears(c, 1, &swim.Bury{Node: "n0", Incarnation: 4, From: "n1"})
		tell(c, 1, 0, change(p(at(0, swim.Alive, 3)), p(at(0, swim.Alive, 4))))
	}},
	{transmissionsBounded, func(c *Checker, _ core.Instant) {
		hears(c, 1) // four changes were news so far, and each may leave four times
		for range 17 {
			says(c, 1, 1, news)
		}
	}},
	{relaysBounded, func(c *Checker, _ core.Instant) {
		probes(c, 1, 1, 7) // what follows can be no probe
		for n := range uint32(257) {
			hears(c, 1, &swim.IndirectPing{Seq: n, Target: "n2", TargetAddr: at(2, 0, 0).Addr})
			says(c, 1, 2, &swim.Ping{Seq: 1000 + n, Target: "n2"})
		}
	}},
	{helpersBounded, func(c *Checker, _ core.Instant) {
		probes(c, 1, 1, 7)
		wakes(c, 600*ms)
		says(c, 600*ms, 2, &swim.IndirectPing{Seq: 7 + 4, Target: "n1", TargetAddr: at(1, 0, 0).Addr})
	}},
	{helpersBounded, func(c *Checker, _ core.Instant) {
		probes(c, 1, 1, 7)
		wakes(c, 600*ms)
		says(c, 600*ms, 1, &swim.IndirectPing{Seq: 7 + 1, Target: "n2", TargetAddr: at(2, 0, 0).Addr})
	}},
	{probePasses, func(c *Checker, _ core.Instant) {
		c.Started(1, 2)
		tell(c, 1, 2, change(nil, p(at(2, swim.Alive, 1))))
		tell(c, 1, 0, change(nil, p(at(2, swim.Alive, 1))))
		tell(c, 1, 0, &swim.Joined{Member: as(at(2, swim.Alive, 1))})
		for n := range core.Instant(3) {
			probes(c, ms+n*1000*ms, 1, uint32(n))
		}
	}},
	{probeGap, func(c *Checker, _ core.Instant) { // n1 is all it knows
		probes(c, 1*ms, 2, 1)
		probes(c, 1001*ms, 2, 2)
		probes(c, 2001*ms, 1, 3)
	}},
	{probePace, func(c *Checker, now core.Instant) { wakes(c, now) }},
	{probeInterval, func(c *Checker, _ core.Instant) {
		probes(c, 1, 1, 7)
		probes(c, 2, 1, 8)
	}},
	{probeInterval, func(c *Checker, _ core.Instant) {
		probes(c, 1, 1, 7)
		wakes(c, 400*ms)
		says(c, 400*ms, 2, &swim.IndirectPing{Seq: 7 + 1, Target: "n1", TargetAddr: at(1, 0, 0).Addr})
	}},
	{suspicionMin, func(c *Checker, _ core.Instant) {
		wakes(c, 1)
		suspects(c, 1, swim.CauseAccuse, "n1")
		says(c, 2, 1, &swim.Accuse{Node: "n1", Incarnation: 2, From: "n0"})
		buries(c, 100*ms, swim.CauseSuspicion, "n1")
	}},
	{suspicionMax, func(c *Checker, _ core.Instant) {
		wakes(c, 1)
		suspects(c, 1, swim.CauseAccuse, "n1")
		probes(c, 100_000*ms, 1, 7)
	}},
	{distinctAccusers, func(c *Checker, _ core.Instant) {
		suspects(c, 1, swim.CauseAccuse, "n1")
		buries(c, 2, swim.CauseBury, "n1", "n2", "n1")
	}},
	{distinctAccusers, func(c *Checker, _ core.Instant) {
		suspects(c, 1, swim.CauseAccuse, "n1")
		buries(c, 2, swim.CauseBury, "n1", "n2", "n3", "n4")
	}},
	{healthRange, func(c *Checker, _ core.Instant) { tell(c, 1, 0, &swim.HealthChanged{Score: -1}) }},
	{healthRange, func(c *Checker, _ core.Instant) { tell(c, 1, 0, &swim.HealthChanged{Score: 2}) }},
	{suspectWarned, func(c *Checker, _ core.Instant) {
		wakes(c, 1)
		suspects(c, 1, swim.CauseAccuse, "n1")
		says(c, 2, 2, &swim.Accuse{Node: "n1", Incarnation: 2, From: "n0"}) // told another
		says(c, 2, 1, &swim.Accuse{Node: "n1", Incarnation: 2, From: "n2"}) // in another's name
		wakes(c, 24_000*ms)
		buries(c, 24_000*ms, swim.CauseSuspicion, "n1")
	}},
	{answersAsked, func(c *Checker, _ core.Instant) {
		hears(c, 1, &swim.Ping{Seq: 7, Target: "n0"})
		says(c, 1, 1, &swim.Ack{Seq: 7}, &swim.Ack{Seq: 7})
	}},
	{answersAsked, func(c *Checker, _ core.Instant) { says(c, 1, 1, &swim.Nack{Seq: 7}) }},
	{answersAsked, func(c *Checker, _ core.Instant) { // it passes on what it was not told
		hears(c, 1, &swim.IndirectPing{Seq: 7, Target: "n2", TargetAddr: at(2, 0, 0).Addr})
		says(c, 1, 2, &swim.Ping{Seq: 8, Target: "n2"})
		says(c, 2, 1, &swim.Ack{Seq: 7})
	}},
	{nackInTime, helped(300 * ms)},
	{nackInTime, func(c *Checker, _ core.Instant) {
		hears(c, 100*ms, &swim.IndirectPing{Seq: 7, Target: "n2", TargetAddr: at(2, 0, 0).Addr, Nack: true})
		says(c, 100*ms, 2, &swim.Ping{Seq: 8, Target: "n2"})
		wakes(c, 600*ms)
	}},
	{accusedUnheard, func(c *Checker, _ core.Instant) {
		probes(c, 1, 1, 7)
		hears(c, 2, &swim.Ack{Seq: 7})
		suspects(c, 3, swim.CauseProbe, "n0")
	}},
	{accusedUnheard, func(c *Checker, _ core.Instant) { suspects(c, 3, swim.CauseProbe, "n0") }},
	{queuesDrain, func(c *Checker, _ core.Instant) {
		now := rests(c)
		c.Input(now, 0, &core.Input{Kind: core.InputWake})
		c.members[0].commands = append(c.members[0].commands, command{7, now})
		tell(c, now, 0, &swim.Info{ID: 7, Members: 2, Broadcasts: 1})
	}},
	{loadAtRest, func(c *Checker, _ core.Instant) {
		now := rests(c)
		wakes(c, now)
		says(c, now, 1, news)
	}},
	{loadBounded, func(c *Checker, _ core.Instant) {
		wakes(c, 1)
		for range 7 { // two intervals of three make six
			says(c, 1, 1, news)
		}
	}},
	{canonicalBytes, func(c *Checker, _ core.Instant) {
		c.Effect(1, 0, &core.Effect{Kind: core.EffectSend, Data: []byte{0xff}})
	}},
	{canonicalBytes, func(c *Checker, _ core.Instant) { // a message of a type that nobody knows
		c.traffic.datagrams = sampled - 1
		b := append(datagram(news), 0x82, 0x18, 0x7f, 0)
		c.Effect(1, 0, &core.Effect{Kind: core.EffectSend, To: at(1, 0, 0).Addr, Data: b})
	}},
}

// helped has n0 help n1, and say so early, at some time.
func helped(early core.Instant) func(*Checker, core.Instant) {
	return func(c *Checker, _ core.Instant) {
		hears(c, early-100*ms, &swim.IndirectPing{Seq: 7, Target: "n2", TargetAddr: at(2, 0, 0).Addr, Nack: true})
		says(c, early-100*ms, 2, &swim.Ping{Seq: 8, Target: "n2"})
		says(c, early, 1, &swim.Nack{Seq: 7})
	}
}

// talkers is pair, overheard.
func talkers() *Checker {
	c := pairOf(Config{Nodes: 3, Swim: swim.LAN(), Dialect: cbor.New(cbor.Config{})})
	c.Disturbed(0, 1)
	return c
}

// TestTalkersAreInOrder has n0 do everything right that the forgeries get wrong.
func TestTalkersAreInOrder(t *testing.T) {
	c := talkers()
	probes(c, 500*ms, 1, 7)
	hears(c, 501*ms, &swim.Ack{Seq: 7}, &swim.Ping{Seq: 3, Target: "n0"})
	says(c, 501*ms, 1, &swim.Ack{Seq: 3}, news)
	c.Stepped(501*ms, 0)
	tell(c, 501*ms, 0, &swim.HealthChanged{Score: 1})
	probes(c, 1500*ms, 1, 9) // it was well when the last began
	hears(c, 1600*ms, &swim.IndirectPing{Seq: 5, Target: "n2", TargetAddr: at(2, 0, 0).Addr, Nack: true})
	says(c, 1600*ms, 2, &swim.Ping{Seq: 6, Target: "n2"})
	c.Stepped(1600*ms, 0)
	wakes(c, 2000*ms)
	says(c, 2000*ms, 1, &swim.Nack{Seq: 5})
	c.Stepped(2000*ms, 0)
	hears(c, 2001*ms, &swim.Ack{Seq: 6})
	says(c, 2001*ms, 1, &swim.Ack{Seq: 5})
	c.Stepped(2001*ms, 0)
	wakes(c, 3400*ms)
	suspects(c, 3400*ms, swim.CauseProbe, "n0")
	c.Stepped(3400*ms, 0)
	probes(c, 3500*ms, 1, 10)
	probes(c, 5500*ms, 1, 11)
	wakes(c, 6900*ms)
	says(c, 6900*ms, 1, &swim.Accuse{Node: "n1", Incarnation: 2, From: "n0"})
	c.Stepped(6900*ms, 0)
	wakes(c, 7400*ms)
	buries(c, 7400*ms, swim.CauseSuspicion, "n0") // there is nobody else to confirm it
	c.Stepped(7400*ms, 0)
	c.Conserved(0)
	require.Empty(t, c.Log().Violations())
	require.Equal(t, 1, int(c.Coverage()[markExpired]))
}

// TestFormulas compares with those of core/swim, by way of what is written about them.
func TestFormulas(t *testing.T) {
	for n, want := range map[uint64]int64{
		1: 0, 2: 301029, 9: 954242, 10: 1_000_000, 11: 1_041_392, 99: 1_995_635, 100: 2_000_000, 1000: 3_000_000,
		1 << 24: 7_224_719,
	} {
		require.Equal(t, want, log10(n), n)
	}
	c := swim.LAN()
	least, most := suspicionBounds(&c, 128)
	require.Equal(t, 8428*time.Millisecond, least)
	require.Equal(t, 6*8428*time.Millisecond, most)
	require.Equal(t, most, suspicionLength(least, most, -1, 3))
	half := suspicionLength(least, most, 1, 3) // log 2 / log 4
	require.InDelta(t, (least+most)/2, half, float64(time.Millisecond))
	require.Equal(t, least, suspicionLength(least, most, 3, 3))
	require.Equal(t, least, suspicionLength(least, most, 0, 0))
	require.Equal(t, 4, retransmits(&c, 9))
	require.Equal(t, 8, retransmits(&c, 10))
	require.Equal(t, 2, confirmations(&c, 128))
	require.Equal(t, 1, confirmations(&c, 3))
	c = c.AsMemberlist()
	require.Equal(t, 0, confirmations(&c, 3))
}

func TestExcludedMembersAreGone(t *testing.T) {
	c := pair()
	for i := range 2 {
		tell(c, 2, i, change(p(at(1-i, swim.Alive, 2)), p(at(1-i, swim.Alive, 3))))
	}
	require.Zero(t, c.Wrong())
	c.Exclude(1)
	require.Equal(t, 1, c.Wrong())
	c.Settle(3)
	require.Equal(t, "L1", c.Log().Violations()[0].Oracle)
	tell(c, 4, 0, change(p(at(1, swim.Alive, 3)), p(at(1, swim.Dead, 3))))
	require.Zero(t, c.Wrong())
	c.Stopped(5, 1)
	c.Started(6, 1)
	require.Zero(t, c.Wrong())
}

// TestBreachesTellWhatWas: a breach of a row says since when it was as it was.
func TestBreachesTellWhatWas(t *testing.T) {
	c := New(Config{Nodes: 2, Swim: swim.LAN(), Locate: func(a netip.AddrPort) int { return 1 }})
	c.Started(0, 0)
	c.Started(0, 1)
	tell(c, 0, 1, change(nil, p(at(1, swim.Alive, 4))))
	hears(c, 1000*ms)
	tell(c, 1000*ms, 0, change(nil, p(at(1, swim.Dead, 4))))
	c.Input(2000*ms, 0, &core.Input{Kind: core.InputRead, From: at(1, 0, 0).Addr})
	tell(c, 2000*ms, 0, change(p(at(1, swim.Dead, 4)), p(at(1, swim.Alive, 4))))
	require.Equal(t, "2s step 2 n0 about n1: S2 no-resurrection: row n1 dead@4 -> alive@4 (self); "+
		"by bytes on a link from n1; before: since 1s, step 1, from a datagram from n1; "+
		"expected: an incarnation above 4", c.Log().Violations()[0].String())
}
