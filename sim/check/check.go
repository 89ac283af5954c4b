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
	"time"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/sim/internal/pages"
)

const commandPatience = time.Minute // a command that has not completed after this never will

// Config is what a Checker needs to know about the run.
type Config struct {
	Nodes int         // members, named n0, n1 ...
	MTU   int         // largest datagram a node may send, in bytes; default 1400
	Swim  swim.Config // the bounds that members run with

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
}

// A Checker follows one run. Its zero value is not usable: see New.
type Checker struct {
	config   Config
	views    []pages.Array[row] // by observer, then by subject
	members  []member
	touched  []int32 // subjects whose row or application view changed in this step
	wrong    int
	log      Log
	watchers []Oracle
}

// row is what one member believes of another, folded from its Transitions, and what its application
// was told.
type row struct {
	identity    uint64 // of (addr, meta, versions)
	incarnation uint32
	state       swim.State
	known       bool
	wrong       bool // differs from the truth
	told        told
}

// told is what an application that folds events believes of a member.
type told uint8

const (
	toldNothing told = iota // or that it was reaped
	toldAlive
	toldSuspect
	toldFailed
	toldLeft
)

var toldText = [...]string{"nothing", "alive", "suspect", "failed", "left"}

// member is the harness's knowledge of one member: the truth that views are compared with.
type member struct {
	running   bool
	leaving   bool         // a Leave was issued to this process
	forgetful bool         // what it announces now may not be known to its next process
	started   core.Instant // by its own clock
	issued    []issue      // incarnations the member itself brought into the world, oldest first
	commands  []command
	states    [4]int // rows in its view, by state
}

type issue struct {
	incarnation uint32
	identity    uint64
	vague       bool // or another identity
}

type command struct {
	id uint64
	at core.Instant
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
		c.SwimOf = func(int) *swim.Config { return &c.Swim }
	}
	return &Checker{config: c, views: make([]pages.Array[row], c.Nodes), members: make([]member, c.Nodes)}
}

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
	m := &c.members[i]
	m.running, m.leaving, m.started = true, false, c.config.Tell(i, at)
	m.forgetful = c.config.Swim.Fidelity == swim.Memberlist // they keep no journal
	m.commands, m.states = m.commands[:0], [4]int{}
	c.views[i] = pages.Array[row]{}
	c.recount(i)
}

// Converged says, before anything else, that a process of every member begins, and that each knows all of them,
// by number, to be alive as their records say.
func (c *Checker) Converged(at core.Instant, members []swim.Record) {
	var view pages.Array[row]
	for s := range members {
		r := &members[s]
		*view.Edit(s) = row{identity: identity(r), incarnation: r.Incarnation, known: true, told: toldAlive}
		c.members[s].issue(r.Incarnation, identity(r))
	}
	for i := range members {
		m := &c.members[i]
		m.running, m.started, m.states[swim.Alive] = true, c.config.Tell(i, at), len(members)
		c.views[i] = view.Clone()
	}
}

// Stopped says that the process of member i is gone. Its commands die with it.
func (c *Checker) Stopped(at core.Instant, i int) {
	c.members[i].running = false
	c.members[i].commands = c.members[i].commands[:0]
	c.touched = c.touched[:0] // if it died within a step, the application did not hear the rest
	c.recount(i)
}

// Amnesia says that the disk of member i does not hold, or may not hold, all that it had promised to. A later
// life of it may announce an incarnation again, as somebody else: with other metadata, at another address. That
// holds for all that it announced so far, and before its next process starts.
func (c *Checker) Amnesia(i int) {
	m := &c.members[i]
	m.forgetful = true
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
	if in.Kind == core.InputCommand {
		c.issued(at, i, in.Command)
	}
	for _, o := range c.watchers {
		o.Input(at, i, in)
	}
}

// Effect implements Oracle: the process of member i asks for e.
func (c *Checker) Effect(at core.Instant, i int, e *core.Effect) {
	switch e.Kind {
	case core.EffectSend:
		c.datagram(i, len(e.Data))
	case core.EffectEmit:
		c.event(at, i, e.Event)
	}
	for _, o := range c.watchers {
		o.Effect(at, i, e)
	}
}

// issued notes a command that must complete.
func (c *Checker) issued(at core.Instant, i int, cmd core.Command) {
	m := &c.members[i]
	m.commands = append(m.commands, command{cmd.CommandID(), at})
	if _, ok := cmd.(swim.Leave); ok {
		m.leaving = true
		c.recount(i)
	}
}

func (c *Checker) datagram(i, size int) {
	if size > c.config.MTU {
		c.violate(i, -1, datagramFits, fmt.Sprintf("a datagram of %d bytes", size),
			fmt.Sprintf("at most %d", c.config.MTU))
	}
}

// event checks what a member tells its application.
func (c *Checker) event(at core.Instant, i int, ev core.Event) {
	switch ev := ev.(type) {
	case *swim.Transition:
		c.transition(i, ev)
	case *swim.Joined:
		c.tell(i, ev.Member.Name, toldAlive, toldNothing, toldFailed, toldLeft)
	case *swim.Updated:
		c.tell(i, ev.Member.Name, toldAlive, toldAlive)
	case *swim.Refuted:
		c.tell(i, ev.Member.Name, toldAlive, toldSuspect)
	case *swim.Suspected:
		c.tell(i, ev.Member.Name, toldSuspect, toldAlive)
	case *swim.Failed:
		c.tell(i, ev.Member.Name, toldFailed, toldAlive, toldSuspect)
	case *swim.Departed:
		c.tell(i, ev.Member.Name, toldLeft, toldAlive, toldSuspect)
	case *swim.Reaped:
		c.tell(i, ev.Name, toldNothing, toldFailed, toldLeft)
	case *swim.Info:
		c.info(at, i, ev)
	}
	if done, ok := ev.(core.Completion); ok {
		c.completed(i, done)
	}
}

// Stepped says that the step of member i is over: what its application was told must now agree with
// its table.
func (c *Checker) Stepped(at core.Instant, i int) {
	for _, s := range c.touched {
		r := c.views[i].Get(int(s))
		if int(s) == i || r.told == r.tellable() {
			continue
		}
		c.violate(i, int(s), eventsFold, "the application was told "+toldText[r.told],
			"the table says "+r.text())
		c.views[i].Edit(int(s)).told = r.tellable() // report each divergence once
	}
	c.touched = c.touched[:0]
}

// Finished implements Oracle: the run is over, and every command had its chance.
func (c *Checker) Finished(at core.Instant) {
	c.log.pause(at)
	for i := range c.members {
		for _, cmd := range c.members[i].commands {
			if at.Sub(cmd.at) > commandPatience {
				c.violate(i, -1, commandsComplete, fmt.Sprintf("command %d of %v never completed", cmd.id, cmd.at), "")
			}
		}
	}
	for _, o := range c.watchers {
		o.Finished(at)
	}
}

// tellable is what an application should have been told of a row.
func (r *row) tellable() told {
	if !r.known {
		return toldNothing
	}
	return toldAlive + told(r.state) // in the order of swim.State
}

func (r *row) text() string {
	if !r.known {
		return "unknown"
	}
	return fmt.Sprintf("%v@%d", r.state, r.incarnation)
}

// tell folds an event about a member; from are the beliefs it makes sense after.
func (c *Checker) tell(i int, name string, to told, from ...told) {
	s := c.subject(i, name)
	if s < 0 || s == i {
		return
	}
	r := c.views[i].Edit(s)
	if !slices.Contains(from, r.told) {
		c.violate(i, s, eventsOrdered, "the application is told "+toldText[to],
			"not after it was told "+toldText[r.told])
	}
	r.told = to
	c.touched = append(c.touched, int32(s))
}

func (c *Checker) completed(i int, done core.Completion) {
	m := &c.members[i]
	if done.Completes() == 0 {
		return // the join that a member starts by itself: no command carries 0
	}
	for k, cmd := range m.commands {
		if cmd.id == done.Completes() {
			m.commands = append(m.commands[:k], m.commands[k+1:]...)
			return
		}
	}
	c.violate(i, -1, commandsComplete, fmt.Sprintf("command %d completed, but was not open", done.Completes()), "")
}

// info compares a member's own count of its rows with ours, and with the bounds it was given.
func (c *Checker) info(at core.Instant, i int, info *swim.Info) {
	s := c.members[i].states
	folded := [3]int{s[swim.Alive] + s[swim.Suspect], s[swim.Dead], s[swim.Left]}
	if counted := [3]int{info.Members, info.Dead, info.Left}; counted != folded {
		c.violate(i, -1, countsAgree, fmt.Sprintf("counts %v members, dead, left", counted),
			fmt.Sprintf("%v, as its transitions add up to", folded))
	}
	if limit := c.config.Swim.BroadcastsMax; limit > 0 && info.Broadcasts > limit {
		c.violate(i, -1, queueBounded, fmt.Sprintf("%d broadcasts queued", info.Broadcasts),
			fmt.Sprintf("at most %d", limit))
	}
	if every := c.config.SwimOf(i).ProbeInterval; every > 0 {
		// One probe at a time, and one an interval at most.
		if limit := uint64(c.config.Tell(i, at).Sub(c.members[i].started)/every) + 2; info.Counters.Probes > limit {
			c.violate(i, -1, probeInterval, fmt.Sprintf("%d probes", info.Counters.Probes),
				fmt.Sprintf("at most %d", limit))
		}
	}
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

// violate reports that observer broke an oracle's rule, about subject if that is not -1.
// trusting are the oracles that rely on nobody lying.
var trusting = []oracle{issuedIncarnations, oneIdentity, countsAgree, knownMembers}

func (c *Checker) violate(observer, subject int, o oracle, what, expected string) {
	if c.config.Forged && slices.Contains(trusting, o) {
		return
	}
	v := Violation{Oracle: infos[o].ID, Name: infos[o].Name, Observer: Name(observer), What: what, Expected: expected}
	if subject >= 0 {
		v.Subject = Name(subject)
	}
	c.log.Add(v)
}
