package swim_test

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/core/swim"
)

// named is a config with what has no default.
func named(c swim.Config) swim.Config {
	c.Name, c.Addr = "n1", netip.MustParseAddrPort("10.0.0.1:7946")
	return c
}

func TestPresetsAreValid(t *testing.T) {
	for _, name := range []string{"lan", "wan", "local", "lan-memberlist", "wan-memberlist", "local-memberlist"} {
		c, err := swim.Preset(name)
		require.NoError(t, err, name)
		require.NoError(t, named(c).Validate(), name)
		_, err = swim.New(named(c))
		require.NoError(t, err, name)
	}
	for _, name := range []string{"", "LAN", "memberlist", "-memberlist", "lan-", "lan-memberlist-memberlist"} {
		_, err := swim.Preset(name)
		require.ErrorContains(t, err, "use lan, wan, local", name)
	}
}

func TestNothingButNameAndAddressIsLAN(t *testing.T) {
	require.NoError(t, named(swim.Config{}).Validate())
	require.ErrorContains(t, swim.Config{}.Validate(), "Name is 0 bytes long")
	require.ErrorContains(t, swim.Config{}.Validate(), "Addr is ")
	_, err := swim.New(swim.Config{})
	require.Error(t, err)
}

// Every field that is out of its range is named in the error, and at the ends of its range is not.
func TestValidateNamesTheField(t *testing.T) {
	const month = 30 * 24 * time.Hour
	wrong := map[string][]func(c *swim.Config){
		"Name": {
			func(c *swim.Config) { c.Name = "" },
			func(c *swim.Config) { c.Name = string(make([]byte, 256)) },
		},
		"Addr": {
			func(c *swim.Config) { c.Addr = netip.AddrPort{} },
			func(c *swim.Config) { c.Addr = netip.MustParseAddrPort("0.0.0.0:7946") },
			func(c *swim.Config) { c.Addr = netip.MustParseAddrPort("[::]:7946") },
			func(c *swim.Config) { c.Addr = netip.MustParseAddrPort("10.0.0.1:0") },
			func(c *swim.Config) { c.Addr = netip.MustParseAddrPort("[fe80::1%eth0]:7946") },
		},
		"Meta":  {func(c *swim.Config) { c.Meta = make([]byte, 513) }},
		"Seeds": {func(c *swim.Config) { c.Seeds = make([]string, 65) }},
		"Versions": {
			func(c *swim.Config) { c.Versions = swim.Versions{ProtocolMin: 0, ProtocolMax: 5, Protocol: 2} },
			func(c *swim.Config) { c.Versions = swim.Versions{ProtocolMin: 1, ProtocolMax: 5, Protocol: 6} },
			func(c *swim.Config) { c.Versions = swim.Versions{ProtocolMin: 3, ProtocolMax: 5, Protocol: 2} },
			func(c *swim.Config) { c.Versions = swim.Versions{ProtocolMin: 3, ProtocolMax: 2, Protocol: 3} },
			func(c *swim.Config) { c.Versions.App = 1 },
			func(c *swim.Config) { c.Versions.AppMin = 1 },
		},
		"ProbeTimeout": {
			func(c *swim.Config) { c.ProbeTimeout = c.ProbeInterval },
			func(c *swim.Config) { c.ProbeTimeout = time.Microsecond },
			func(c *swim.Config) { c.ProbeTimeout = -1 },
		},
		"ProbeInterval": {
			func(c *swim.Config) { c.ProbeInterval = time.Hour + 1 },
			func(c *swim.Config) { c.ProbeInterval = -1 },
		},
		"GossipInterval":   durations(func(c *swim.Config) *time.Duration { return &c.GossipInterval }),
		"GossipToDead":     durations(func(c *swim.Config) *time.Duration { return &c.GossipToDead }),
		"PushPullInterval": durations(func(c *swim.Config) *time.Duration { return &c.PushPullInterval }),
		"StreamTimeout":    durations(func(c *swim.Config) *time.Duration { return &c.StreamTimeout }),
		"TombstoneTime":    durations(func(c *swim.Config) *time.Duration { return &c.TombstoneTime }),
		"LeaveTimeout":     durations(func(c *swim.Config) *time.Duration { return &c.LeaveTimeout }),
		"HealInterval":     {func(c *swim.Config) { c.HealInterval = -1 }, func(c *swim.Config) { c.HealInterval = month + 1 }},
		"IndirectProbes":   numbers(func(c *swim.Config) *int { return &c.IndirectProbes }, -1, 17),
		"NackPercent":      numbers(func(c *swim.Config) *int { return &c.NackPercent }, -1, 101),
		"HealthMax":        numbers(func(c *swim.Config) *int { return &c.HealthMax }, -1, 65),
		"SuspicionMult":    numbers(func(c *swim.Config) *int { return &c.SuspicionMult }, -1, 1001),
		"SuspicionScale":   numbers(func(c *swim.Config) *int { return &c.SuspicionScale }, -1, 1001),
		"Confirmations":    numbers(func(c *swim.Config) *int { return &c.Confirmations }, -1, 17),
		"GossipNodes":      numbers(func(c *swim.Config) *int { return &c.GossipNodes }, -1, 17),
		"RetransmitMult":   numbers(func(c *swim.Config) *int { return &c.RetransmitMult }, -1, 1001),
		"MembersMax":       numbers(func(c *swim.Config) *int { return &c.MembersMax }, 1, 1<<24+1),
		"MetaMax":          numbers(func(c *swim.Config) *int { return &c.MetaMax }, -1, 1<<16+1),
		"BroadcastsMax":    numbers(func(c *swim.Config) *int { return &c.BroadcastsMax }, 15, 1<<24+1),
		"RelaysMax":        numbers(func(c *swim.Config) *int { return &c.RelaysMax }, -1, 1<<16+1),
		"PingsMax":         numbers(func(c *swim.Config) *int { return &c.PingsMax }, -1, 1<<16+1),
		"ExchangesMax":     numbers(func(c *swim.Config) *int { return &c.ExchangesMax }, -1, 1<<16+1),
		"SeedsMax":         numbers(func(c *swim.Config) *int { return &c.SeedsMax }, -1, 1<<16+1),
		"AnswersMax":       numbers(func(c *swim.Config) *int { return &c.AnswersMax }, -1, 1<<16+1),
		"UserMax":          numbers(func(c *swim.Config) *int { return &c.UserMax }, -1, 1<<30+1),
		"UserStateMax":     numbers(func(c *swim.Config) *int { return &c.UserStateMax }, -1, 1<<30+1),
		"Fidelity":         {func(c *swim.Config) { c.Fidelity = swim.Memberlist + 1 }},
	}
	for field, changes := range wrong {
		for i, change := range changes {
			c := named(swim.LAN())
			change(&c)
			err := c.Validate()
			require.ErrorContains(t, err, field, "%s, %d", field, i)
			require.ErrorContains(t, err, "swim: ", "%s, %d", field, i)
			_, err = swim.New(c)
			require.Error(t, err, "%s, %d", field, i)
		}
	}
}

func durations(field func(c *swim.Config) *time.Duration) (changes []func(c *swim.Config)) {
	for _, d := range []time.Duration{-1, time.Millisecond - 1, 30*24*time.Hour + 1} {
		changes = append(changes, func(c *swim.Config) { *field(c) = d })
	}
	return changes
}

func numbers(field func(c *swim.Config) *int, wrong ...int) (changes []func(c *swim.Config)) {
	for _, n := range wrong {
		changes = append(changes, func(c *swim.Config) { *field(c) = n })
	}
	return changes
}

// All that is wrong is said at once.
func TestValidateSaysEverything(t *testing.T) {
	c := named(swim.LAN())
	c.GossipNodes, c.PingsMax, c.Addr = 99, -5, netip.AddrPort{}
	err := c.Validate()
	require.ErrorContains(t, err, "GossipNodes")
	require.ErrorContains(t, err, "PingsMax")
	require.ErrorContains(t, err, "Addr")
}

func TestTheEndsOfEveryRangeAreInIt(t *testing.T) {
	const month = 30 * 24 * time.Hour
	low := named(swim.LAN())
	low.Versions = swim.Versions{ProtocolMin: 1, ProtocolMax: 1, Protocol: 1}
	low.ProbeInterval, low.ProbeTimeout = time.Millisecond+1, time.Millisecond
	low.GossipInterval, low.GossipToDead, low.PushPullInterval = time.Millisecond, time.Millisecond, time.Millisecond
	low.StreamTimeout, low.TombstoneTime, low.LeaveTimeout = time.Millisecond, time.Millisecond, time.Millisecond
	low.HealInterval, low.IndirectProbes, low.HealthMax, low.Confirmations, low.GossipNodes = 0, 0, 0, 0, 0
	low.NackPercent, low.SuspicionMult, low.SuspicionScale, low.RetransmitMult = 1, 1, 1, 1
	low.MembersMax, low.MetaMax, low.BroadcastsMax, low.RelaysMax, low.PingsMax = 2, 1, 16, 1, 1
	low.ExchangesMax, low.SeedsMax, low.AnswersMax, low.UserMax, low.UserStateMax = 1, 1, 1, 1, 1
	require.NoError(t, low.Validate())

	high := named(swim.LAN())
	high.Name = string(bytes.Repeat([]byte("n"), 255))
	high.ProbeInterval, high.ProbeTimeout = time.Hour, time.Hour-1
	high.GossipInterval, high.GossipToDead, high.PushPullInterval = month, month, month
	high.StreamTimeout, high.TombstoneTime, high.LeaveTimeout, high.HealInterval = month, month, month, month
	high.IndirectProbes, high.NackPercent, high.HealthMax, high.Confirmations, high.GossipNodes = 16, 100, 64, 16, 16
	high.SuspicionMult, high.SuspicionScale, high.RetransmitMult = 100, 100, 1000
	high.MembersMax, high.BroadcastsMax = 1<<24, 1<<24
	high.Meta, high.MetaMax = make([]byte, 1<<16), 1<<16
	require.NoError(t, high.Validate())
}

// What zero can mean, it means.
func TestZeroTurnsOff(t *testing.T) {
	c := named(swim.LAN())
	c.IndirectProbes, c.HealthMax, c.Confirmations, c.HealInterval = 0, 0, 0, 0
	require.NoError(t, c.Validate())
}

func TestAsMemberlist(t *testing.T) {
	for _, preset := range []func() swim.Config{swim.LAN, swim.WAN, swim.Local} {
		ours, theirs := preset(), preset().AsMemberlist()
		require.Equal(t, swim.Memberlist, theirs.Fidelity)
		require.Equal(t, 100, theirs.NackPercent)
		require.Zero(t, theirs.HealInterval)
		require.Equal(t, ours.GossipToDead, theirs.TombstoneTime)
		require.Equal(t, swim.Improved, ours.Fidelity, "the receiver is not touched")
		theirs.Fidelity, theirs.NackPercent = ours.Fidelity, ours.NackPercent
		theirs.HealInterval, theirs.TombstoneTime = ours.HealInterval, ours.TombstoneTime
		require.Equal(t, ours, theirs, "and nothing else differs")
	}
}

// HashiCorp's values, which a mixed cluster depends on.
func TestPresetValues(t *testing.T) {
	const s, ms = time.Second, time.Millisecond
	lan, wan, local := swim.LAN(), swim.WAN(), swim.Local()
	for _, v := range []struct {
		field string
		of    func(c swim.Config) any
		want  [3]any // LAN, WAN, Local
	}{
		{"StreamTimeout", func(c swim.Config) any { return c.StreamTimeout }, [3]any{10 * s, 30 * s, s}},
		{"IndirectProbes", func(c swim.Config) any { return c.IndirectProbes }, [3]any{3, 3, 1}},
		{"RetransmitMult", func(c swim.Config) any { return c.RetransmitMult }, [3]any{4, 4, 2}},
		{"SuspicionMult", func(c swim.Config) any { return c.SuspicionMult }, [3]any{4, 6, 3}},
		{"SuspicionScale", func(c swim.Config) any { return c.SuspicionScale }, [3]any{6, 6, 6}},
		{"PushPullInterval", func(c swim.Config) any { return c.PushPullInterval }, [3]any{30 * s, 60 * s, 15 * s}},
		{"ProbeInterval", func(c swim.Config) any { return c.ProbeInterval }, [3]any{s, 5 * s, s}},
		{"ProbeTimeout", func(c swim.Config) any { return c.ProbeTimeout }, [3]any{500 * ms, 3 * s, 200 * ms}},
		{"HealthMax", func(c swim.Config) any { return c.HealthMax }, [3]any{7, 7, 7}},
		{"GossipInterval", func(c swim.Config) any { return c.GossipInterval }, [3]any{200 * ms, 500 * ms, 100 * ms}},
		{"GossipNodes", func(c swim.Config) any { return c.GossipNodes }, [3]any{3, 4, 3}},
		{"GossipToDead", func(c swim.Config) any { return c.GossipToDead }, [3]any{30 * s, 60 * s, 15 * s}},
		{"MetaMax", func(c swim.Config) any { return c.MetaMax }, [3]any{512, 512, 512}},
	} {
		require.Equal(t, v.want, [3]any{v.of(lan), v.of(wan), v.of(local)}, v.field)
	}
	require.Equal(t, lan.SuspicionMult-2, lan.Confirmations, "Lifeguard's K")
	require.Equal(t, wan.SuspicionMult-2, wan.Confirmations, "Lifeguard's K")
	require.Equal(t, local.SuspicionMult-2, local.Confirmations, "Lifeguard's K")
}
