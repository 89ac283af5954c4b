// Package check holds the oracles of the simulator: what must hold after every step of every node, and
// what all views must agree on once the faults have stopped.
//
// A [Checker] is told what happens, in order:
//
//	c := check.New(check.Config{Nodes: 3, Swim: swim.LAN()})
//	c.Started(now, 0)        // a process of member 0 runs, with an empty view
//	c.Input(now, 0, &input)  // it is about to handle this
//	c.Effect(now, 0, &e)     // it asked for that
//	c.Stepped(now, 0)        // its step is over
//	c.Finished(now)          // so is the run
//	c.Log().Violations()     // what broke
//	c.Wrong()                // rows that differ from the truth: 0 means every view is right
//
// Members are known by number; number i is named "n<i>". Nodes must run with swim.Config.Transitions,
// so that no row changes unseen, however often it changes within one step. Every check costs O(1) per
// event, and O(Nodes) when a process starts or stops or a member raises its incarnation.
//
// Each oracle has a test that feeds it a forged breach, and a mutant of the core that it notices.
package check

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/sim/internal/pages"
)

// Config is what a Checker needs to know about the run.
type Config struct {
	Nodes int         // members, named n0, n1 ...
	MTU   int         // largest datagram a node may send, in bytes; default 1400
	Swim  swim.Config // that members run with; see SwimOf

	// Forged says that members may have been told what nobody said: damage can make any message into any
	// other. Then who is spoken of, and as what, need not be the truth, and S4a, S4b, T2 and T3 are not reported.
	Forged bool

	// Locate says which member lives at an address, or -1. Default: nobody is known to live anywhere.
	Locate func(netip.AddrPort) int
	// Tell is what member i's own clock reads at a moment of the world: members keep time by theirs. Default:
	// the world's time.
	Tell func(i int, at core.Instant) core.Instant
	// SwimOf is what the process of member i that runs now, or starts now, is configured with. Default: Swim.
	SwimOf func(i int) *swim.Config
	// Dialect reads datagrams, and is the Checker's alone. Default: nobody does, and the oracles that follow
	// what members say to each other are silent: those of probes, suspicions, answers and load.
	Dialect core.Dialect
}

// A Checker follows one run. Its zero value is not usable: see New.
type Checker struct {
	config   Config
	views    []pages.Array[row] // by observer, then by subject
	members  []member
	touched  []int32 // subjects whose row or application view changed in this step
	wrong    int
	log      Log
	coverage Coverage
	calm     calm
	watchers []Oracle
	traffic  traffic
	identity uint64       // of Transition.New, while one is handled
	now, due core.Instant // by the clock of the member whose step it is; and what may fire: see core.Input.At

	moves     bool // somebody has moved
	recordMax int  // bytes of the largest message about one member, about
}

// member is the harness's knowledge of one member: the truth that views are compared with, and what its
// traffic has shown.
type member struct {
	running   bool // a process
	entered   bool // it is in its own table
	leaving   bool // a Leave was issued to this process
	forgetful bool // what it announces now may not be known to its next process
	excluded  bool // for good: see Exclude
	moved     bool // it has announced more than one address
	addr      netip.AddrPort
	here      []uint64     // the identities that it announced there
	clock     core.Instant // what time it was for its process, last
	swim      *swim.Config // that it runs with
	limit     int          // datagrams that may carry one broadcast of its
	issued    []issue      // incarnations the member itself brought into the world, oldest first
	highest   uint32       // of them
	commands  []command
	seeds     []int32 // that this process was told
	states    [4]int  // rows in its view, by state
	accused   uint32  // the highest incarnation at which it knows to be accused, of its present one or later
	score     int     // its health
	counters  swim.Counters
	recent    recent

	prober     prober
	relays     relays
	suspicions suspicions
	load       load
}

type issue struct {
	incarnation uint32
	identity    uint64
	vague       bool // or another identity
}

// New returns a Checker for a cluster of which nothing runs yet.
func New(c Config) *Checker {
	if c.MTU == 0 {
		c.MTU = 1400
	}
	if c.Locate == nil {
		c.Locate = func(netip.AddrPort) int { return -1 }
	}
	if c.Tell == nil {
		c.Tell = func(_ int, at core.Instant) core.Instant { return at }
	}
	if c.SwimOf == nil {
		all := c.Swim.Defaulted()
		c.SwimOf = func(int) *swim.Config { return &all }
	}
	k := &Checker{config: c, views: make([]pages.Array[row], c.Nodes), members: make([]member, c.Nodes)}
	k.recordMax, k.calm.by = recordSize, core.Never
	k.traffic.bind(k)
	return k
}

// recordSize is how many bytes describe a member, without its metadata, at most or nearly so.
const recordSize = 100

// Name returns the name of member i.
func Name(i int) string { return "n" + strconv.Itoa(i) }

// Index returns the number of the member called name, or -1 if there can be none.
func Index(name string) int {
	const digitsMax = 9 // far more members than there can be
	if len(name) < 2 || len(name) > 1+digitsMax || name[0] != 'n' || name[1] == '0' && len(name) > 2 {
		return -1
	}
	i := 0
	for _, digit := range []byte(name[1:]) {
		if digit < '0' || digit > '9' {
			return -1
		}
		i = 10*i + int(digit-'0')
	}
	return i
}

// Log is where all oracles of this run report.
func (c *Checker) Log() *Log { return &c.log }

// Watch adds an application's own oracle, which is told what c is told, after c.
func (c *Checker) Watch(o Oracle) { c.watchers = append(c.watchers, o) }

// Started says that a process of member i begins, knowing nothing.
func (c *Checker) Started(at core.Instant, i int) {
	c.begin(i)
	c.views[i] = pages.Array[row]{}
	c.recount(i)
}

// begin has a process of member i run, which knows nobody yet.
func (c *Checker) begin(i int) {
	m := &c.members[i]
	*m = member{
		running: true, excluded: m.excluded, moved: m.moved, addr: m.addr, here: m.here, swim: c.config.SwimOf(i),
		issued: m.issued, highest: m.highest, commands: m.commands[:0], recent: m.recent,
		prober: prober{probed: m.prober.probed},
	}
	clear(m.prober.probed)
	m.forgetful = m.swim.Fidelity == swim.Memberlist // they keep no journal
	m.limit = retransmits(m.swim, c.config.Nodes)
	c.calm.outlast(m.swim, c.config.Nodes)
}

// Converged says, before anything else, that a process of every member begins, and that each knows all of them,
// by number, to be alive as their records say.
func (c *Checker) Converged(_ core.Instant, members []swim.Record) {
	var view pages.Array[row]
	for s := range members {
		r := &members[s]
		*view.Edit(s) = row{identity: identity(r), incarnation: r.Incarnation, known: true, told: toldAlive}
	}
	for i := range members {
		c.begin(i)
		c.announces(i, &members[i], identity(&members[i]))
		c.members[i].states[swim.Alive] = len(members)
		c.views[i] = view.Clone()
	}
}

// Stopped says that the process of member i is gone. Its commands die with it.
func (c *Checker) Stopped(at core.Instant, i int) {
	m := &c.members[i]
	m.running = false
	m.commands = m.commands[:0]
	c.touched = c.touched[:0] // if it died within a step, the application did not hear the rest
	c.mourn(at, i)
	c.recount(i)
}

// Exclude says that member i is cut off from the others for good. Its own view does not count any more, and
// the others must come to see it as gone.
func (c *Checker) Exclude(i int) {
	c.members[i].excluded = true
	c.recount(i)
}

// Amnesia says that the disk of member i does not hold, or may not hold, all that it had promised to. A later
// life of it may announce an incarnation again, as somebody else: with other metadata, at another address. That
// holds for all that it announced so far, and before its next process starts.
func (c *Checker) Amnesia(i int) {
	m := &c.members[i]
	m.forgetful, m.highest = true, 0
	for k := range m.issued {
		m.issued[k].vague = true
	}
}

// Input implements Oracle: the process of member i is about to handle in.
func (c *Checker) Input(at core.Instant, i int, in *core.Input) {
	from := -1
	if in.From.IsValid() {
		from = c.config.Locate(in.From)
	}
	c.log.begin(at, i, inputNote{kind: in.Kind, set: true, from: int32(from)})
	m := &c.members[i]
	m.clock = max(m.clock, c.config.Tell(i, at)) // for a process, time does not run backwards
	c.now = m.clock
	if c.due = c.now; in.At != 0 && in.Kind != core.InputWake {
		c.due = min(c.now, in.At)
	}
	if at >= c.calm.by {
		c.mourned()
	}
	c.traffic.begin()
	c.traffic.peers = c.members[i].peers()
	switch in.Kind {
	case core.InputDatagram:
		c.hear(i, in)
	case core.InputCommand:
		c.issued(i, in.Command)
	case core.InputRead:
		c.heardLink(i)
	case core.InputRestore, core.InputReplay:
		c.coverage.hit(markReplayed)
	}
	for _, o := range c.watchers {
		o.Input(at, i, in)
	}
}

// Effect implements Oracle: the process of member i asks for e.
func (c *Checker) Effect(at core.Instant, i int, e *core.Effect) {
	switch e.Kind {
	case core.EffectSend:
		c.say(i, e)
	case core.EffectAppend, core.EffectCompact:
		c.coverage.journal(e)
	case core.EffectEmit:
		c.event(i, e.Event)
	}
	for _, o := range c.watchers {
		o.Effect(at, i, e)
	}
}

// Stepped says that the step of member i is over: what had to happen in it has happened, and what its
// application was told agrees with its table.
func (c *Checker) Stepped(at core.Instant, i int) {
	c.folded(i)
	if c.config.Dialect != nil && c.members[i].running {
		c.paced(i)
		c.relayed(i)
		c.judged(i)
	}
}

// Finished implements Oracle: the run is over, and everything had its chance.
func (c *Checker) Finished(at core.Instant) {
	c.log.pause(at)
	c.commandsLeft(at)
	for _, o := range c.watchers {
		o.Finished(at)
	}
}

// info compares a member's own count of its rows with ours, and with the bounds it was given.
func (c *Checker) info(i int, info *swim.Info) {
	s := c.members[i].states
	folded := [3]int{s[swim.Alive] + s[swim.Suspect], s[swim.Dead], s[swim.Left]}
	if counted := [3]int{info.Members, info.Dead, info.Left}; counted != folded {
		c.violate(i, -1, countsAgree, fmt.Sprintf("counts %v members, dead, left", counted),
			fmt.Sprintf("%v, as its transitions add up to", folded))
	}
	if limit := c.members[i].swim.BroadcastsMax; limit > 0 && info.Broadcasts > limit {
		c.violate(i, -1, queueBounded, fmt.Sprintf("%d broadcasts queued", info.Broadcasts),
			fmt.Sprintf("at most %d", limit))
	}
	if info.Health < 0 || info.Health > c.members[i].swim.HealthMax {
		c.badHealth(i, info.Health)
	}
	c.drained(i, info)
	c.coverage.counted(&info.Counters, &c.members[i].counters)
	c.members[i].counters = info.Counters
}

func (c *Checker) subject(i int, name string) int {
	s := Index(name)
	if s < 0 || s >= c.config.Nodes {
		c.violate(i, -1, knownMembers, fmt.Sprintf("speaks of %q", name), "a member of this run")
		return -1
	}
	return s
}

// Panicked says that the node whose step it is panicked, and with what.
func (c *Checker) Panicked(what any) {
	c.log.Add(Violation{Oracle: infos[noPanic].ID, Name: infos[noPanic].Name, What: fmt.Sprint("panic: ", what)})
}

// Conserved says how many datagrams are missing at the end: that many more set out than came to some end.
func (c *Checker) Conserved(missing int64) {
	if v := &infos[packetsConserved]; missing != 0 {
		c.log.Add(Violation{Oracle: v.ID, Name: v.Name, What: fmt.Sprintf("%d datagrams are missing", missing)})
	}
}

// trusting are the oracles that rely on nobody lying.
var trusting = []oracle{issuedIncarnations, oneIdentity, countsAgree, knownMembers}

// violate reports that observer broke an oracle's rule, about subject if that is not -1.
func (c *Checker) violate(observer, subject int, o oracle, what, expected string) {
	if c.config.Forged && slices.Contains(trusting, o) {
		return
	}
	v := Violation{Oracle: infos[o].ID, Name: infos[o].Name, Observer: Name(observer), What: what, Expected: expected}
	if subject >= 0 {
		v.Subject, v.Before = Name(subject), c.members[observer].recent.last(subject)
	}
	c.log.Add(v)
}

// peers is how many other members i holds for alive or suspect.
func (m *member) peers() int {
	n := m.states[swim.Alive] + m.states[swim.Suspect]
	if m.entered && !m.leaving {
		n--
	}
	return n
}
