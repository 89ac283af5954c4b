// Package check holds the oracles of the simulator: what must hold after every step of every node, and
// what all views must agree on once the faults have stopped.
//
// A [Checker] is told what happens, in order:
//
//	c := check.New(check.Config{Nodes: 3, Swim: swim.LAN()})
//	c.Started(now, 0)            // a process of member 0 runs, with an empty view
//	c.Issued(now, 0, command)    // it was given a command
//	c.Event(now, 0, event)       // it emitted an event
//	c.Datagram(now, 0, size)     // it sent a datagram
//	c.Stepped(now, 0)            // its step is over
//	c.Violations()               // what broke so far
//	c.Wrong()                    // rows that differ from the truth: 0 means every view is right
//
// Members are known by number; number i is named "n<i>". Nodes must run with swim.Config.Transitions,
// so that no row changes unseen, however often it changes within one step. Every check costs O(1) per
// event, and O(Nodes) when a process starts or stops or a member raises its incarnation.
//
// Each rule has a test that feeds it a forged breach.
package check

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
)

const (
	violationsMax   = 100         // kept in full; further ones are counted
	commandPatience = time.Minute // a command that has not completed after this never will
)

// Config is what a Checker needs to know about the run.
type Config struct {
	Nodes int         // members, named n0, n1 ...
	MTU   int         // largest datagram a node may send, in bytes; default 1400
	Swim  swim.Config // the bounds that members run with
}

// A Violation is one breach of one rule.
type Violation struct {
	AtMS     int64  `json:"at_ms"` // virtual time
	Rule     string `json:"rule"`
	Observer string `json:"observer"` // whose step it was
	Subject  string `json:"subject"`  // whom it is about; empty if nobody
	What     string `json:"what"`
}

// String puts the violation on one line.
func (v Violation) String() string {
	about := ""
	if v.Subject != "" {
		about = " about " + v.Subject
	}
	return fmt.Sprintf("%v %s%s: %s: %s", time.Duration(v.AtMS)*time.Millisecond, v.Observer, about, v.Rule, v.What)
}

// A Checker follows one run. Its zero value is not usable: see New.
type Checker struct {
	config     Config
	rows       []row // rows[observer*Nodes+subject]
	members    []member
	touched    []int32 // subjects whose row or application view changed in this step
	wrong      int
	violations []Violation
	count      int
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
	running  bool
	leaving  bool // a Leave was issued to this process
	started  core.Instant
	issued   []issue // incarnations the member itself brought into the world, oldest first
	commands []command
	states   [4]int // rows in its view, by state
}

type issue struct {
	incarnation uint32
	identity    uint64
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
	return &Checker{config: c, rows: make([]row, c.Nodes*c.Nodes), members: make([]member, c.Nodes)}
}

// Name returns the name of member i.
func Name(i int) string { return "n" + strconv.Itoa(i) }

// Index returns the number of the member called name, or -1 if there can be none.
func Index(name string) int {
	if len(name) < 2 || name[0] != 'n' {
		return -1
	}
	i, err := strconv.Atoi(name[1:])
	if err != nil || i < 0 || Name(i) != name {
		return -1
	}
	return i
}

// Violations returns the first breaches, oldest first, at most 100.
func (c *Checker) Violations() []Violation { return c.violations }

// Count is the number of breaches, those not kept included.
func (c *Checker) Count() int { return c.count }

// Started says that a process of member i begins, knowing nothing.
func (c *Checker) Started(at core.Instant, i int) {
	m := &c.members[i]
	m.running, m.leaving, m.started = true, false, at
	m.commands, m.states = m.commands[:0], [4]int{}
	clear(c.view(i))
	c.recount(i)
}

// Stopped says that the process of member i is gone. Its commands die with it.
func (c *Checker) Stopped(at core.Instant, i int) {
	c.members[i].running = false
	c.members[i].commands = c.members[i].commands[:0]
	c.recount(i)
}

// Issued says that the process of member i was given a command.
func (c *Checker) Issued(at core.Instant, i int, cmd core.Command) {
	m := &c.members[i]
	m.commands = append(m.commands, command{cmd.CommandID(), at})
	if _, ok := cmd.(swim.Leave); ok {
		m.leaving = true
		c.recount(i)
	}
}

// Datagram says that the process of member i sent one.
func (c *Checker) Datagram(at core.Instant, i, size int) {
	if size > c.config.MTU {
		c.violate(at, i, -1, "mtu", fmt.Sprintf("datagram of %d bytes, at most %d may leave", size, c.config.MTU))
	}
}

// Event says that the process of member i emitted ev.
func (c *Checker) Event(at core.Instant, i int, ev core.Event) {
	switch ev := ev.(type) {
	case *swim.Transition:
		c.transition(at, i, ev)
	case *swim.Joined:
		c.tell(at, i, ev.Member.Name, toldAlive, toldNothing, toldFailed, toldLeft)
	case *swim.Updated:
		c.tell(at, i, ev.Member.Name, toldAlive, toldAlive)
	case *swim.Refuted:
		c.tell(at, i, ev.Member.Name, toldAlive, toldSuspect)
	case *swim.Suspected:
		c.tell(at, i, ev.Member.Name, toldSuspect, toldAlive)
	case *swim.Failed:
		c.tell(at, i, ev.Member.Name, toldFailed, toldAlive, toldSuspect)
	case *swim.Departed:
		c.tell(at, i, ev.Member.Name, toldLeft, toldAlive, toldSuspect)
	case *swim.Reaped:
		c.tell(at, i, ev.Name, toldNothing, toldFailed, toldLeft)
	case *swim.Info:
		c.info(at, i, ev)
	}
	if done, ok := ev.(core.Completion); ok {
		c.completed(at, i, done)
	}
}

// Stepped says that the step of member i is over: what its application was told must now agree with
// its table.
func (c *Checker) Stepped(at core.Instant, i int) {
	for _, s := range c.touched {
		r := &c.view(i)[s]
		if int(s) == i || r.told == r.tellable() {
			continue
		}
		c.violate(at, i, int(s), "events fold to the table",
			fmt.Sprintf("the table says %s, the application was told %s", r.text(), toldText[r.told]))
		r.told = r.tellable() // report each divergence once
	}
	c.touched = c.touched[:0]
}

// Finished says that the run is over: every command had its chance.
func (c *Checker) Finished(at core.Instant) {
	for i := range c.members {
		for _, cmd := range c.members[i].commands {
			if at.Sub(cmd.at) > commandPatience {
				c.violate(at, i, -1, "commands complete once",
					fmt.Sprintf("command %d of %v never completed", cmd.id, cmd.at))
			}
		}
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
func (c *Checker) tell(at core.Instant, i int, name string, to told, from ...told) {
	s := c.subject(at, i, name)
	if s < 0 || s == i {
		return
	}
	r := &c.view(i)[s]
	if !slices.Contains(from, r.told) {
		c.violate(at, i, s, "events in order", fmt.Sprintf("told %s after %s", toldText[to], toldText[r.told]))
	}
	r.told = to
	c.touched = append(c.touched, int32(s))
}

func (c *Checker) completed(at core.Instant, i int, done core.Completion) {
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
	c.violate(at, i, -1, "commands complete once",
		fmt.Sprintf("command %d completed, but was not open", done.Completes()))
}

// info compares a member's own count of its rows with ours, and with the bounds it was given.
func (c *Checker) info(at core.Instant, i int, info *swim.Info) {
	s := c.members[i].states
	folded := [3]int{s[swim.Alive] + s[swim.Suspect], s[swim.Dead], s[swim.Left]}
	if counted := [3]int{info.Members, info.Dead, info.Left}; counted != folded {
		c.violate(at, i, -1, "counts",
			fmt.Sprintf("counts %v members, dead, left; its transitions add up to %v", counted, folded))
	}
	if limit := c.config.Swim.BroadcastsMax; limit > 0 && info.Broadcasts > limit {
		c.violate(at, i, -1, "bounds", fmt.Sprintf("%d broadcasts queued, at most %d", info.Broadcasts, limit))
	}
	if every := c.config.Swim.ProbeInterval; every > 0 {
		// One probe at a time, and one an interval at most.
		if limit := uint64(at.Sub(c.members[i].started)/every) + 2; info.Counters.Probes > limit {
			c.violate(at, i, -1, "one probe at a time",
				fmt.Sprintf("%d probes, at most %d", info.Counters.Probes, limit))
		}
	}
}

func (c *Checker) subject(at core.Instant, i int, name string) int {
	s := Index(name)
	if s < 0 || s >= c.config.Nodes {
		c.violate(at, i, -1, "known members", fmt.Sprintf("speaks of %q, which never existed", name))
		return -1
	}
	return s
}

func (c *Checker) violate(at core.Instant, observer, subject int, rule, what string) {
	c.count++
	if len(c.violations) == violationsMax {
		return
	}
	v := Violation{AtMS: int64(at) / int64(time.Millisecond), Rule: rule, Observer: Name(observer), What: what}
	if subject >= 0 {
		v.Subject = Name(subject)
	}
	c.violations = append(c.violations, v)
}

func (c *Checker) view(i int) []row { return c.rows[i*c.config.Nodes : (i+1)*c.config.Nodes] }
