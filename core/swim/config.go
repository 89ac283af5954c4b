package swim

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/nekton-go/nekton/internal/mutant"
)

// Config configures a Machine. Start from LAN, WAN or Local and set Name and Addr. A field left zero takes the
// value LAN gives it where zero is not in its range, and in any case if ProbeInterval is zero, so that a
// Config of Name and Addr alone is LAN. Validate says what is wrong.
type Config struct {
	Name     string         // this member's, 1 to 255 bytes, unique in the cluster; required
	Addr     netip.AddrPort // where the others reach it; required, IP not unspecified, port not 0
	Meta     []byte         // this member's metadata; at most MetaMax bytes
	Versions Versions       // default: protocol 1 to 5, speaking 2; application 0
	Seeds    []string       // "host:port" to join at start and to heal with; at most SeedsMax

	// Failure detection (SWIM §3, Lifeguard §IV).

	ProbeInterval  time.Duration // between probes; > ProbeTimeout; LAN 1 s, WAN 5 s, Local 1 s
	ProbeTimeout   time.Duration // for an answer, before helpers are asked; LAN 500 ms, WAN 3 s, Local 200 ms
	IndirectProbes int           // helpers asked, SWIM's k; 0 to 16; LAN 3, WAN 3, Local 1
	NackPercent    int           // when a helper says it has no answer either, in % of ProbeTimeout; 1 to 100; 80
	HealthMax      int           // worst health score; timeouts stretch up to HealthMax+1 times; 0 turns it off; 7
	SuspicionMult  int           // shortest suspicion = this × log10(members) × ProbeInterval; ≥ 1; 4, WAN 6, Local 3
	SuspicionScale int           // longest suspicion = this × the shortest; 1 turns Lifeguard's LHA-Suspicion off; 6
	Confirmations  int           // further accusers that make a suspicion shortest; 0 to 16; 2, WAN 4, Local 1

	// Dissemination (SWIM §4.1).

	GossipInterval time.Duration // LAN 200 ms, WAN 500 ms, Local 100 ms
	GossipNodes    int           // members gossiped to each interval; 0 to 16; LAN 3, WAN 4, Local 3
	GossipToDead   time.Duration // the dead get gossip for so long, to refute it; LAN 30 s, WAN 60 s, Local 15 s
	RetransmitMult int           // each broadcast leaves this × ⌈log10(members+1)⌉ times; ≥ 1; LAN 4, WAN 4, Local 2

	// Anti-entropy and healing.

	PushPullInterval time.Duration // full exchange with any member; grows above 32 members; 30 s, WAN 60 s, Local 15 s
	StreamTimeout    time.Duration // for a whole exchange on a link; LAN 10 s, WAN 30 s, Local 1 s
	HealInterval     time.Duration // exchange with a lost member or seed; 0 is off; LAN 15 s, WAN 30 s, Local 5 s
	TombstoneTime    time.Duration // how long dead and left members are remembered, and the dead dialed; 24 h
	LeaveTimeout     time.Duration // default patience of Leave and SetMeta; LAN 5 s, WAN 10 s, Local 2 s

	// Phase is where in their intervals probes and gossip start, on the host's clock: at Instants that are
	// Phase modulo the interval. Members that share a machine, a clock and a phase wake the machine together
	// instead of one by one, which is most of what members at rest cost. 0 or less draws a phase at random.
	Phase time.Duration

	// Bounds. What exceeds one is refused and counted.

	MembersMax    int // rows of the table, dead ones included; 65,536
	MetaMax       int // bytes of metadata, ours and others'; 512, and it must fit a datagram
	BroadcastsMax int // queued; 8,192
	RelaysMax     int // indirect pings served at one time; 256
	PingsMax      int // commands in flight, of each kind that takes time; 256
	ExchangesMax  int // push/pull links dialed at one time; 16
	SeedsMax      int // seeds remembered; 64
	AnswersMax    int // stale claims answered in one ProbeInterval; 64
	UserMax       int // bytes of one SendUser; 1 MiB
	UserStateMax  int // bytes of SetUserState, ours and others'; 1 MiB

	// Policy: pure functions of their arguments.

	// Table is where members are kept, for this member alone; nil means NewTable(). Members already in it are
	// known from the start: a view saved in an earlier life, say. No Row.Since in it may lie in the future.
	Table Table `json:"-"` // memory, not data: records of a Config leave it out
	// Admit says whether a member may enter the table or change address; nil admits all. It must not
	// retain r.Meta.
	Admit func(r *Record) bool `json:"-"` // code, not data: records of a Config leave it out
	// NoStreamPing turns off the ping on a link that backs up a failed probe.
	NoStreamPing bool
	// NoBuddy turns off Lifeguard's buddy system: neither a ping to a suspect member tells it so, nor a warning
	// shortly before it is declared dead.
	NoBuddy bool

	// Fidelity is whose rules to follow where HashiCorp's memberlist and the papers differ.
	Fidelity Fidelity
	// Transitions emits a Transition for every change of every row.
	Transitions bool
	// Mutant switches a bug on, for tests of the checks that must notice it. It is for nothing else, and its
	// type is internal to this module.
	Mutant mutant.ID
}

// Fidelity chooses between rules. Neither changes a byte on the wire.
type Fidelity uint8

const (
	// Improved follows the papers and mends what users of memberlist run into: see docs/RATIONALE.md.
	Improved Fidelity = iota
	// Memberlist follows the constants and the observable order of HashiCorp's memberlist: nacks at the
	// full timeout, unscaled probe timeout, a health score that jumps by every missing nack, dead members
	// forgotten after GossipToDead, no healing, no journal: incarnations restart at 1.
	Memberlist
)

// LAN is for members in one data centre.
func LAN() Config {
	return Config{
		Versions:      Versions{ProtocolMin: 1, ProtocolMax: 5, Protocol: 2},
		ProbeInterval: time.Second, ProbeTimeout: 500 * time.Millisecond, IndirectProbes: 3, NackPercent: 80,
		HealthMax: 7, SuspicionMult: 4, SuspicionScale: 6, Confirmations: 2,
		GossipInterval: 200 * time.Millisecond, GossipNodes: 3, GossipToDead: 30 * time.Second, RetransmitMult: 4,
		PushPullInterval: 30 * time.Second, StreamTimeout: 10 * time.Second, HealInterval: 15 * time.Second,
		TombstoneTime: 24 * time.Hour, LeaveTimeout: 5 * time.Second,
		MembersMax: 1 << 16, MetaMax: 512, BroadcastsMax: 1 << 13, RelaysMax: 256, PingsMax: 256,
		ExchangesMax: 16, SeedsMax: 64, AnswersMax: 64, UserMax: 1 << 20, UserStateMax: 1 << 20,
	}
}

// WAN is for members in several data centres.
func WAN() Config {
	c := LAN()
	c.ProbeInterval, c.ProbeTimeout = 5*time.Second, 3*time.Second
	c.SuspicionMult, c.Confirmations = 6, 4
	c.GossipInterval, c.GossipNodes, c.GossipToDead = 500*time.Millisecond, 4, 60*time.Second
	c.PushPullInterval, c.StreamTimeout = 60*time.Second, 30*time.Second
	c.HealInterval, c.LeaveTimeout = 30*time.Second, 10*time.Second
	return c
}

// Local is for members on one machine.
func Local() Config {
	c := LAN()
	c.ProbeTimeout, c.IndirectProbes = 200*time.Millisecond, 1
	c.SuspicionMult, c.Confirmations, c.RetransmitMult = 3, 1, 2
	c.GossipInterval, c.GossipToDead = 100*time.Millisecond, 15*time.Second
	c.PushPullInterval, c.StreamTimeout = 15*time.Second, time.Second
	c.HealInterval, c.LeaveTimeout = 5*time.Second, 2*time.Second
	return c
}

// AsMemberlist returns c with HashiCorp's rules in place of ours.
func (c Config) AsMemberlist() Config {
	c.Fidelity = Memberlist
	c.NackPercent = 100
	c.HealInterval = 0
	c.TombstoneTime = c.GossipToDead
	return c
}

// Preset returns the preset of that name: lan, wan, local, or one of them with "-memberlist" appended.
func Preset(name string) (Config, error) {
	presets := map[string]func() Config{"lan": LAN, "wan": WAN, "local": Local}
	if f := presets[name]; f != nil {
		return f(), nil
	}
	const suffix = "-memberlist"
	if base, ok := strings.CutSuffix(name, suffix); ok && presets[base] != nil {
		return presets[base]().AsMemberlist(), nil
	}
	return Config{}, fmt.Errorf("unknown preset %q; use lan, wan, local, or one of them with %q appended", name, suffix)
}

// Defaulted returns c as New takes it: what zero cannot mean is filled in. The fields for which zero is in
// range stay as they are.
func (c Config) Defaulted() Config {
	lan := LAN()
	if c.ProbeInterval == 0 {
		c.IndirectProbes, c.HealthMax, c.Confirmations = lan.IndirectProbes, lan.HealthMax, lan.Confirmations
		c.GossipNodes, c.HealInterval = lan.GossipNodes, lan.HealInterval
	}
	c.Addr = unmap(c.Addr)
	if c.Versions == (Versions{}) {
		c.Versions = lan.Versions
	}
	for _, d := range []struct{ field, otherwise *time.Duration }{
		{&c.ProbeInterval, &lan.ProbeInterval}, {&c.ProbeTimeout, &lan.ProbeTimeout},
		{&c.GossipInterval, &lan.GossipInterval}, {&c.GossipToDead, &lan.GossipToDead},
		{&c.PushPullInterval, &lan.PushPullInterval}, {&c.StreamTimeout, &lan.StreamTimeout},
		{&c.TombstoneTime, &lan.TombstoneTime}, {&c.LeaveTimeout, &lan.LeaveTimeout},
	} {
		*d.field = cmp.Or(*d.field, *d.otherwise)
	}
	for _, n := range []struct{ field, otherwise *int }{
		{&c.NackPercent, &lan.NackPercent}, {&c.SuspicionMult, &lan.SuspicionMult},
		{&c.SuspicionScale, &lan.SuspicionScale}, {&c.RetransmitMult, &lan.RetransmitMult},
		{&c.MembersMax, &lan.MembersMax}, {&c.MetaMax, &lan.MetaMax}, {&c.BroadcastsMax, &lan.BroadcastsMax},
		{&c.RelaysMax, &lan.RelaysMax}, {&c.PingsMax, &lan.PingsMax}, {&c.ExchangesMax, &lan.ExchangesMax},
		{&c.SeedsMax, &lan.SeedsMax}, {&c.AnswersMax, &lan.AnswersMax}, {&c.UserMax, &lan.UserMax},
		{&c.UserStateMax, &lan.UserStateMax},
	} {
		*n.field = cmp.Or(*n.field, *n.otherwise)
	}
	return c
}

// Validate says everything that is wrong with the config once defaults are filled in, or returns nil.
func (c Config) Validate() error {
	c = c.Defaulted()
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("swim: "+format, args...))
		}
	}
	check(c.Name != "" && len(c.Name) <= nameMax, "Name is %d bytes long; give 1 to %d", len(c.Name), nameMax)
	check(c.Addr.Addr().Zone() == "", "Addr %v has a zone, which means nothing to other members", c.Addr)
	check(c.Addr.IsValid() && !c.Addr.Addr().IsUnspecified() && c.Addr.Port() != 0,
		"Addr is %v; give an address and port the other members can reach", c.Addr)
	check(len(c.Meta) <= c.MetaMax, "Meta is %d bytes long; MetaMax is %d", len(c.Meta), c.MetaMax)
	check(len(c.Seeds) <= c.SeedsMax, "%d Seeds; SeedsMax is %d", len(c.Seeds), c.SeedsMax)
	check(c.Versions.sound(), "Versions %+v: want 0 < min ≤ spoken ≤ max", c.Versions)
	check(c.ProbeTimeout < c.ProbeInterval, "ProbeTimeout %v must be shorter than ProbeInterval %v",
		c.ProbeTimeout, c.ProbeInterval)
	for _, d := range []struct {
		name  string
		value time.Duration
	}{
		{"ProbeTimeout", c.ProbeTimeout}, {"GossipInterval", c.GossipInterval}, {"GossipToDead", c.GossipToDead},
		{"PushPullInterval", c.PushPullInterval}, {"StreamTimeout", c.StreamTimeout},
		{"TombstoneTime", c.TombstoneTime}, {"LeaveTimeout", c.LeaveTimeout},
	} {
		if d.value < time.Millisecond || d.value > durationMax { // what check is given is allocated
			check(false, "%s is %v; give 1ms to %v", d.name, d.value, durationMax)
		}
	}
	check(c.ProbeInterval <= time.Hour, "ProbeInterval is %v; give at most 1h", c.ProbeInterval)
	check(c.HealInterval >= 0 && c.HealInterval <= durationMax, "HealInterval is %v; give 0 (off) to %v",
		c.HealInterval, durationMax)
	for _, n := range []struct {
		name             string
		value, low, high int
	}{
		{"IndirectProbes", c.IndirectProbes, 0, helpersMax}, {"NackPercent", c.NackPercent, 1, 100},
		{"HealthMax", c.HealthMax, 0, 64}, {"SuspicionMult", c.SuspicionMult, 1, 100},
		{"SuspicionScale", c.SuspicionScale, 1, 100}, {"Confirmations", c.Confirmations, 0, 16},
		{"GossipNodes", c.GossipNodes, 0, 16}, {"RetransmitMult", c.RetransmitMult, 1, 1000},
		{"MembersMax", c.MembersMax, 2, 1 << 24}, {"MetaMax", c.MetaMax, 1, 1 << 16},
		{"BroadcastsMax", c.BroadcastsMax, 16, 1 << 24}, {"RelaysMax", c.RelaysMax, 1, 1 << 16},
		{"PingsMax", c.PingsMax, 1, 1 << 16}, {"ExchangesMax", c.ExchangesMax, 1, 1 << 16},
		{"SeedsMax", c.SeedsMax, 1, 1 << 16}, {"AnswersMax", c.AnswersMax, 1, 1 << 16},
		{"UserMax", c.UserMax, 1, 1 << 30}, {"UserStateMax", c.UserStateMax, 1, 1 << 30},
	} {
		if n.value < n.low || n.value > n.high {
			check(false, "%s is %d; give %d to %d", n.name, n.value, n.low, n.high)
		}
	}
	check(c.Table == nil || c.Table.Bound() < c.MembersMax, "Table has room for more than MembersMax, %d", c.MembersMax)
	check(c.Fidelity <= Memberlist, "Fidelity %d is unknown", c.Fidelity)
	check(c.Mutant.Valid(), "there is no %v", c.Mutant)
	return errors.Join(errs...)
}

// durationMax bounds every interval: far beyond use, and no product of two bounds overflows.
const durationMax = 30 * 24 * time.Hour
