// Package mutant names the bugs that can be switched on to test the checks of the simulator: a check that
// does not notice its mutant checks nothing. Each mutant is one line at its site, behind a comparison with
// swim.Config.Mutant, which the simulator also hands to journal.OpenMutant, and None changes nothing.
package mutant

import "fmt"

// ID is a mutant. It is written and read by name.
type ID uint8

// The mutants. Their order is free: what is kept holds names.
const (
	None   ID = iota
	Canary    // any check of anything must notice it at once
	AliveAtEqual
	MissRefutation
	TrustData
	SkipSync
	MendInPlace
	AliveAtLower
	SuspectLeft
	InventIncarnation
	StaleMeta
	ForgetJournal
	MoveAlive
	OverMTU
	EndlessQueue
	EndlessGossip
	EndlessRelays
	ExtraHelper
	ProbeTwice
	LeaveOut
	SlowProber
	HastySuspicion
	KeepSuspicion
	SlowSuspicion
	CountTwice
	Unwarned
	BoundlessHealth
	IgnoreHealth
	PassTwice
	LateNack
	IgnoreAcks
	DoubleJoined
	DropFailed
	Panic
	NeverSuspect
	NeverHeal
	SilentLeave
	MuteGossip
	Deaf
	LazySuspicion
	GossipToAll
	RepeatNews
	LoseJoin
	Babble
	LosePacket
	HideTransition
	Miscount
	CutName
	mutants
)

// A Mutant describes one.
type Mutant struct {
	ID     ID
	Name   string
	Doc    string
	Oracle string // the one of sim/check that must notice; others may, too
}

var table = [mutants]Mutant{
	None:   {Name: "none", Doc: "no bug at all"},
	Canary: {Name: "canary", Doc: "a member doubts itself as soon as it runs", Oracle: "S5a"},
	AliveAtEqual: {
		Name: "alive-at-equal", Oracle: "S2",
		Doc: "a dead member is alive again at the incarnation at which it died",
	},
	MissRefutation: {
		Name: "miss-refutation", Oracle: "S5c",
		Doc: "who is accused answers with the incarnation it is accused at, not with the next",
	},
	TrustData: {
		Name: "trust-data", Oracle: "J1",
		Doc: "recovery does not compare the data of a record with its checksum",
	},
	SkipSync: {
		Name: "skip-sync", Oracle: "J2",
		Doc: "a record is durable as soon as it is written",
	},
	MendInPlace: {
		Name: "mend-in-place", Oracle: "J3",
		Doc: "a file that was cut short is emptied, and then written anew",
	},
	AliveAtLower: {Name: "alive-at-lower", Oracle: "S1", Doc: "an alive member may be alive at a lower incarnation"},
	SuspectLeft:  {Name: "suspect-left", Oracle: "S3", Doc: "who has left can be suspected"},
	InventIncarnation: {
		Name: "invent-incarnation", Oracle: "S4a",
		Doc: "a failed probe accuses at an incarnation above the target's",
	},
	StaleMeta:     {Name: "stale-meta", Oracle: "S4b", Doc: "a member's new metadata is not taken over"},
	ForgetJournal: {Name: "forget-journal", Oracle: "S5b", Doc: "what a journal holds is ignored"},
	MoveAlive:     {Name: "move-alive", Oracle: "S6", Doc: "an alive member may appear at another address"},
	OverMTU:       {Name: "over-mtu", Oracle: "S7a", Doc: "datagrams grow up to 2,000 bytes"},
	EndlessQueue: {
		Name: "endless-queue", Oracle: "S7b",
		Doc: "the queue of broadcasts holds 256 times as many as it may",
	},
	EndlessGossip: {
		Name: "endless-gossip", Oracle: "S7c",
		Doc: "every broadcast leaves a thousand times more than it should",
	},
	EndlessRelays:   {Name: "endless-relays", Oracle: "S7d", Doc: "any number of indirect pings is served"},
	ExtraHelper:     {Name: "extra-helper", Oracle: "S7e", Doc: "one helper more than configured is asked"},
	ProbeTwice:      {Name: "probe-twice", Oracle: "S8a", Doc: "every member is probed twice in a pass"},
	LeaveOut:        {Name: "leave-out", Oracle: "S8b", Doc: "some members are never probed"},
	SlowProber:      {Name: "slow-prober", Oracle: "S8c", Doc: "there is a pause of an interval between probes"},
	HastySuspicion:  {Name: "hasty-suspicion", Oracle: "S9a", Doc: "suspicions begin with half of their time"},
	KeepSuspicion:   {Name: "keep-suspicion", Oracle: "S9a", Doc: "a refuted suspicion still runs out"},
	SlowSuspicion:   {Name: "slow-suspicion", Oracle: "S9b", Doc: "confirmations do not shorten suspicions"},
	CountTwice:      {Name: "count-twice", Oracle: "S9c", Doc: "an accuser confirms itself"},
	Unwarned:        {Name: "unwarned", Oracle: "S9f", Doc: "who is about to be declared dead is not told so"},
	BoundlessHealth: {Name: "boundless-health", Oracle: "S9d", Doc: "the health score goes one beyond its bound"},
	IgnoreHealth:    {Name: "ignore-health", Oracle: "S9e", Doc: "health does not stretch time-outs"},
	PassTwice:       {Name: "pass-twice", Oracle: "S10a", Doc: "a helper passes an answer on as often as it comes"},
	LateNack: {
		Name: "late-nack", Oracle: "S10b",
		Doc: "helpers admit an eighth of a time-out too late that they have no answer",
	},
	IgnoreAcks:    {Name: "ignore-acks", Oracle: "S10c", Doc: "answers to one probe in eight are ignored"},
	DoubleJoined:  {Name: "double-joined", Oracle: "S11a", Doc: "a new member is reported twice"},
	DropFailed:    {Name: "drop-failed", Oracle: "S11b", Doc: "nobody is told that a member failed"},
	Panic:         {Name: "panic", Oracle: "S0", Doc: "a member that is asked for its counts panics"},
	NeverSuspect:  {Name: "never-suspect", Oracle: "L1", Doc: "nobody is ever suspected"},
	NeverHeal:     {Name: "never-heal", Oracle: "L2", Doc: "nobody looks for lost members"},
	SilentLeave:   {Name: "silent-leave", Oracle: "L3", Doc: "who leaves tells nobody"},
	MuteGossip:    {Name: "mute-gossip", Oracle: "L4", Doc: "broadcasts stay in the queue"},
	Deaf:          {Name: "deaf", Oracle: "P1", Doc: "after sixty probes a member hears nothing any more"},
	LazySuspicion: {Name: "lazy-suspicion", Oracle: "P2", Doc: "suspicions last sixty-four times too long"},
	GossipToAll:   {Name: "gossip-to-all", Oracle: "P3a", Doc: "gossip goes to sixteen times as many members"},
	RepeatNews:    {Name: "repeat-news", Oracle: "P3b", Doc: "a member announces itself again and again"},
	LoseJoin:      {Name: "lose-join", Oracle: "C1", Doc: "joins never complete"},
	Babble:        {Name: "babble", Oracle: "W1", Doc: "broadcasts end in a message of a type that nobody knows"},
	LosePacket: {
		Name: "lose-packet", Oracle: "N1",
		Doc: "the simulator itself loses one datagram in a hundred, and does not say so",
	},
	HideTransition: {Name: "hide-transition", Oracle: "T1", Doc: "deaths are not shown to the oracles"},
	Miscount:       {Name: "miscount", Oracle: "T2", Doc: "every look at the counts adds a dead member"},
	CutName:        {Name: "cut-name", Oracle: "T3", Doc: "probes ask for somebody who does not exist"},
}

// All returns every mutant but None.
func All() []Mutant {
	all := make([]Mutant, 0, mutants-1)
	for id := None + 1; id < mutants; id++ {
		m := table[id]
		m.ID = id
		all = append(all, m)
	}
	return all
}

// Valid reports whether there is such a mutant; None is one.
func (id ID) Valid() bool { return id < mutants }

// String names the mutant.
func (id ID) String() string {
	if id.Valid() {
		return table[id].Name
	}
	return fmt.Sprintf("mutant %d", uint8(id))
}

// Parse is the inverse of String. The empty name is None.
func Parse(name string) (ID, error) {
	if name == "" {
		return None, nil
	}
	for id := range table {
		if table[id].Name == name {
			return ID(id), nil
		}
	}
	return None, fmt.Errorf("no mutant is called %q; see package internal/mutant for their names", name)
}

// MarshalText implements encoding.TextMarshaler.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (id *ID) UnmarshalText(text []byte) (err error) {
	*id, err = Parse(string(text))
	return err
}
