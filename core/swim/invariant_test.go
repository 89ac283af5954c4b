package swim

import (
	"net/netip"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/core"
)

// mute is a dialect for nodes that nobody listens to.
type mute struct{}

func (mute) AppendMessage(dst []byte, _ core.Message) ([]byte, error) { return append(dst, 0), nil }
func (mute) AppendDatagram(dst []byte, _ [][]byte) []byte             { return dst }
func (mute) Overhead(int) int                                         { return 0 }
func (mute) ReadDatagram([]byte, func(core.Message)) error            { return nil }
func (mute) AppendFrame(dst []byte, _ core.Message) ([]byte, error)   { return dst, nil }
func (mute) NewFrameReader() core.FrameReader                         { return nil }

// member returns one that knows others, one of which it suspects.
func member(t *testing.T, others int) *Machine {
	c := LAN()
	c.Name, c.Addr, c.Fidelity = "n0", netip.MustParseAddrPort("10.0.0.1:7946"), Memberlist // it needs no journal
	m, err := New(c)
	require.NoError(t, err)
	n := core.NewNode(core.Config{Dialect: mute{}, Machines: []core.Mount{
		{Proto: Proto, Machine: m}, {Proto: 99, Machine: &teller{m, others}},
	}})
	n.Step(1, core.Input{Kind: core.InputWake})
	for _, ok := n.Next(); ok; _, ok = n.Next() {
	}
	n.Step(1, core.Input{Kind: core.InputCommand, Command: tell{}})
	require.Equal(t, others, m.counts[Alive], "and one is suspect")
	require.Equal(t, 1, m.counts[Suspect])
	return m
}

// tell has a teller tell its member of all others.
type tell struct{}

func (tell) Proto() core.Proto { return 99 }
func (tell) CommandID() uint64 { return 0 }

type teller struct {
	m      *Machine
	others int
}

func (y *teller) Deadline() core.Instant { return core.Never }
func (y *teller) Handle(t *core.Turn, in *core.Input) {
	if in.Kind != core.InputCommand {
		return
	}
	for i := range y.others {
		addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), 7946)
		r := Record{Name: "n" + strconv.Itoa(i+1), Addr: addr, Incarnation: 1, Versions: LAN().Versions}
		y.m.announce(t, &r, CauseAnnounce)
	}
	y.m.accuse(t, &Accuse{Node: "n1", Incarnation: 1, From: "n2"}, CauseAccuse, nil)
	y.m.rearm()
}

// TestInvariant damages a member behind its back: it must notice before it has checked itself a few times
// for every row of its table.
func TestInvariant(t *testing.T) {
	const others = 100
	for says, damage := range map[string]func(m *Machine){
		"this member is dead in its own table": func(m *Machine) { m.setState(m.self, Dead) },
		"does not lead to its row":             func(m *Machine) { m.rename(7, "n8") },
		"the record of n7 makes no sense":      func(m *Machine) { m.table.SetIdentity(7, Identity{Name: "n7"}) },
		"which has not come":                   func(m *Machine) { m.table.SetRow(7, Row{Used: true, Since: 2}) },
		"n7 is suspect for ever":               func(m *Machine) { m.setState(7, Suspect) },
		"0 suspicions":                         func(m *Machine) { delete(m.suspicions, 1) },
		"1 suspicions of 0 suspects":           func(m *Machine) { m.setState(1, Alive) },
		"n1 is suspect, with a suspicion":      func(m *Machine) { m.suspicions[1].id = 2 },
		"suspicion of n1":                      func(m *Machine) { m.suspicions[1].timeout = 0 },
		"where there are":                      func(m *Machine) { m.counts[Alive]++ },
		"probing=true":                         func(m *Machine) { m.prober.running = true; m.prober.next = 1 },
		"helpers":                              func(m *Machine) { m.prober.helpers = make([]ID, helpersMax+1) },
		"relays":                               func(m *Machine) { m.asks.queue = append(m.asks.queue, ask{relay: true}) },
		"65 of SeedsMax (64)":                  func(m *Machine) { m.seeds = make([]seed, m.cfg.SeedsMax+1) },
		"deadlines":                            func(m *Machine) { m.exchanges[1] = &exchange{} },
		"nobody will be told":                  func(m *Machine) { m.gossip.next = core.Never },
	} {
		m := member(t, others)
		for range 3 * patrolEvery * others {
			require.Empty(t, m.Invariant())
		}
		damage(m)
		what := ""
		for n := 0; n <= patrolEvery*others && what == ""; n++ {
			what = m.Invariant()
		}
		require.Contains(t, what, says)
	}
}

func (m *Machine) setState(id ID, s State) {
	row := *m.table.Row(id)
	m.counts[row.State]--
	m.counts[s]++
	row.State = s
	m.table.SetRow(id, row)
}

func (m *Machine) rename(id ID, name string) {
	who := *m.table.Identity(id)
	who.Name = name
	m.table.SetIdentity(id, who)
}

// TestInvariantSeesChanges: what a step changed wrongly is seen at once, in a table of any size.
func TestInvariantSeesChanges(t *testing.T) {
	m := member(t, 1000)
	require.Empty(t, m.Invariant())
	m.acquit(1)
	require.Contains(t, m.Invariant(), "n1 is suspect for ever")
}
