package swim

import (
	"bytes"
	"math"
	"net/netip"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/gossip"
	"github.com/nekton-go/nekton/core/timer"
	"github.com/nekton-go/nekton/internal/mutant"
)

// nameMax is the longest name of a member, in bytes: HashiCorp's wire has no room for more.
const nameMax = 255

// A Machine is one member. See the package comment.
type Machine struct {
	cfg Config
	now core.Instant // of the last input

	// What it knows.
	table     Table
	counts    [states]int    // rows by state
	quarrels  map[ID]quarrel // who else claims a member's name; looked up only
	tombs     tombs
	health    int
	lastDeath core.Instant
	changes   uint64 // of states

	// Itself. Invariant: incarnation ≤ reserved; wanted is where it is going.
	self       ID
	meta       []byte
	userState  []byte
	wall       int64
	wanted     uint32
	reserved   uint32     // durable: no earlier life announced more
	reserving  core.Token // the reservation under way, up to reserveTo
	reserveTo  uint32
	begun      bool // the first wake has come
	running    bool // the first incarnation is durable, and this member is in its table
	early      []core.Command
	earlyPulls []earlyPull
	leaving    bool
	rival      netip.AddrPort // who else uses our name
	rivalUntil core.Instant
	waiters    []waiter
	tickets    gossip.Ticket

	// What it does.
	prober          prober
	asks            asks
	gossip          gossiper
	sync            syncer
	heal            healer
	queue           gossip.Queue
	suspicions      map[ID]*suspicion // looked up only
	suspicionTimers timer.Heap[*suspicion]
	exchanges       map[core.Link]*exchange // looked up only
	exchangeTimers  timer.Heap[*exchange]
	userLinks       int
	answers         int
	answersUntil    core.Instant

	// Joining and coming back.
	seeds         []seed
	remembered    []netip.AddrPort
	resolving     map[core.Token]*attempt // looked up only
	joins         int                     // under way
	joining       int                     // their links
	backlog       []*attempt
	resolveTimers timer.Heap[*attempt]
	snapshotAt    uint64

	deadline core.Instant
	counters Counters
	patrol   patrol

	// Scratch, so that the hot paths allocate nothing.
	ping     Ping
	indirect IndirectPing
	ack      Ack
	alive    Announce
	claim    Accuse
	chosen   []ID
	scratch  []byte
}

// New returns a member that starts with its node's first InputWake. The error is Config.Validate's.
func New(c Config) (*Machine, error) {
	c = c.Defaulted()
	if err := c.Validate(); err != nil {
		return nil, err
	}
	m := &Machine{
		cfg: c, table: c.Table, meta: bytes.Clone(c.Meta), deadline: atOnce,
		quarrels: map[ID]quarrel{}, suspicions: map[ID]*suspicion{},
		exchanges: map[core.Link]*exchange{}, resolving: map[core.Token]*attempt{},
	}
	if m.table == nil {
		m.table = NewTable()
	}
	m.queue.Max = c.BroadcastsMax << (8 * m.bug(mutant.EndlessQueue))
	for _, name := range c.Seeds {
		m.rememberSeed(name)
	}
	return m, nil
}

// atOnce is a deadline that has passed, whatever the time: a member begins with its first wake.
const atOnce core.Instant = math.MinInt64

// Deadline implements core.Machine.
func (m *Machine) Deadline() core.Instant { return m.deadline }

// Handle implements core.Machine.
func (m *Machine) Handle(t *core.Turn, in *core.Input) {
	m.now = t.Now()
	if m.cfg.Mutant == mutant.Deaf && in.Kind == core.InputMessage && m.counters.Probes > 60 {
		return
	}
	if ping, ok := in.Message.(*Ping); ok && in.Kind == core.InputMessage && in.Link == 0 {
		m.answerPing(t, in.From, ping)
		return // no deadline has moved
	}
	m.handle(t, in)
	m.rearm()
}

func (m *Machine) handle(t *core.Turn, in *core.Input) {
	switch in.Kind {
	case core.InputMessage:
		switch {
		case in.Link != 0:
			m.converse(t, in)
		case m.running:
			m.hear(t, in)
		}
	case core.InputWake:
		m.wake(t, in.At)
	case core.InputCommand:
		m.command(t, in.Command)
	case core.InputUp:
		m.linkUp(t, in)
	case core.InputFlushed:
		m.linkFlushed(t, in)
	case core.InputDown:
		m.linkDown(t, in)
	case core.InputResolved:
		m.resolved(t, in)
	case core.InputStored:
		m.stored(t, in)
	case core.InputRestore, core.InputReplay:
		m.restore(in.Data)
	case core.InputWall:
		m.wall = in.Wall
	}
}

// answerPing is what members do most.
func (m *Machine) answerPing(t *core.Turn, from netip.AddrPort, ping *Ping) {
	if !m.running || ping.Target != m.cfg.Name {
		return // not yet here, or meant for an earlier tenant of our address
	}
	if ping.Source.IsValid() && m.cfg.Fidelity == Memberlist {
		from = ping.Source
	}
	m.ack.Seq = ping.Seq
	t.Send(from, &m.ack)
}

// hear handles any other message from a datagram. A member that has left still answers, but hears no more news.
func (m *Machine) hear(t *core.Turn, in *core.Input) {
	switch msg := in.Message.(type) {
	case *Ack:
		if !m.answered(t, msg.Seq, in.At) {
			m.replied(t, msg, in.At)
		}
	case *IndirectPing:
		m.relay(t, in.From, msg)
	case *Nack:
		m.nacked(msg.Seq)
	default:
		if !m.leaving {
			m.learn(t, in)
		}
	}
}

// learn handles news.
func (m *Machine) learn(t *core.Turn, in *core.Input) {
	switch msg := in.Message.(type) {
	case *Announce:
		m.announce(t, &msg.Record, CauseAnnounce)
		if in.From == msg.Addr {
			m.remind(t, &msg.Record)
		}
	case *Accuse:
		m.accuse(t, msg, CauseAccuse, nil)
		m.answerAccuser(t, in.From, msg.Node, msg.Incarnation)
	case *Bury:
		m.bury(t, msg, CauseBury)
		m.answerAccuser(t, in.From, msg.Node, msg.Incarnation)
	case *User:
		t.Emit(&UserReceived{From: in.From, Data: bytes.Clone(msg.Data)})
	default:
		m.counters.Invalid++
	}
}

// wake does whatever is due.
func (m *Machine) wake(t *core.Turn, due core.Instant) {
	if !m.begun {
		m.begin(t)
		return
	}
	m.expireExchanges(t, due)
	m.expireResolutions(t, due)
	if !m.running {
		return // until the journal has answered
	}
	m.probe(t, due)
	m.expireAsks(t, due)
	m.convict(t, due)
	if m.gossip.next <= due {
		m.gossipTick(t)
	}
	if m.sync.next <= due {
		m.syncTick(t)
	}
	if m.heal.next <= due {
		m.healTick(t)
	}
	m.settle(t, due)
}

// rearm finds the earliest of all deadlines.
func (m *Machine) rearm() {
	if !m.begun {
		m.deadline = atOnce
		return
	}
	d := min(m.suspicionTimers.Deadline(), m.exchangeTimers.Deadline(), m.resolveTimers.Deadline(), m.asks.deadline())
	if m.running {
		d = min(d, m.settleDeadline())
		if m.heal.token != 0 {
			d = min(d, m.heal.until)
		}
		d = min(d, m.prober.deadline(), m.sync.next, m.heal.next)
		m.armGossip()
		d = min(d, m.gossip.next)
	}
	m.deadline = d
}

// command serves a command. One that comes before this member runs waits until it does.
func (m *Machine) command(t *core.Turn, c core.Command) {
	if !m.running {
		if len(m.early) >= m.cfg.PingsMax {
			t.Emit(&core.Done{ID: c.CommandID(), Fault: core.FaultBusy, Detail: "this member has not started yet"})
			return
		}
		m.early = append(m.early, c)
		return
	}
	switch c := c.(type) {
	case Join:
		m.join(t, c)
	case Leave:
		m.leave(t, c)
	case SetMeta:
		m.setMeta(t, c)
	case SetUserState:
		if len(c.Data) > m.cfg.UserStateMax {
			t.Emit(&core.Done{ID: c.ID, Fault: core.FaultTooLarge})
			return
		}
		m.userState = bytes.Clone(c.Data)
		t.Emit(&core.Done{ID: c.ID})
	case PingMember:
		m.pingMember(t, c)
	case SendUser:
		m.sendUser(t, c)
	case Forget:
		t.Emit(&core.Done{ID: c.ID, Fault: m.forgetNamed(t, c.Name)})
	case Inspect:
		t.Emit(m.info(c.ID))
	default:
		t.Emit(&core.Done{ID: c.CommandID(), Fault: core.FaultInvalid, Detail: "swim does not know this command"})
	}
}

func (m *Machine) forgetNamed(t *core.Turn, name string) core.Fault {
	id, ok := m.table.Find(name)
	if !ok {
		return core.FaultNotFound
	}
	if !m.table.Row(id).State.Gone() || id == m.self {
		return core.FaultRefused
	}
	m.forget(t, id)
	return core.FaultNone
}

func (m *Machine) info(id uint64) *Info {
	m.counters.BroadcastsDropped = m.queue.Dropped
	m.counts[Dead] += m.bug(mutant.Miscount)
	return &Info{
		ID: id, Name: m.cfg.Name[99*m.bug(mutant.Panic):], Incarnation: m.incarnation(), Health: m.health,
		Members: m.counts[Alive] + m.counts[Suspect], Dead: m.counts[Dead], Left: m.counts[Left],
		Broadcasts: m.queue.Len(), Leaving: m.leaving, Counters: m.counters,
	}
}

// peers counts the other members that are alive or suspect.
func (m *Machine) peers() int {
	n := m.counts[Alive] + m.counts[Suspect]
	if m.running && !m.leaving {
		n--
	}
	return n
}

// members is the size of the cluster as the formulas want it: those alive or suspect, this one included;
// HashiCorp's count the dead as well.
func (m *Machine) members() int {
	n := m.counts[Alive] + m.counts[Suspect]
	if m.cfg.Fidelity == Memberlist {
		n += m.counts[Dead] + m.counts[Left]
	}
	return n
}

func (m *Machine) rows() int {
	return m.counts[Alive] + m.counts[Suspect] + m.counts[Dead] + m.counts[Left]
}

// bug is 1 if a mutant is switched on, and 0 otherwise.
func (m *Machine) bug(id mutant.ID) int {
	if m.cfg.Mutant == id {
		return 1
	}
	return 0
}

func (m *Machine) ignores() bool { return m.cfg.Mutant == mutant.IgnoreAcks && m.prober.seq%8 == 0 }
