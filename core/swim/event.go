package swim

import (
	"iter"
	"net/netip"
	"time"

	"github.com/nekton-go/nekton/core"
)

// A Member is what the application sees of one member.
type Member struct {
	Record
	Since core.Instant // when it entered this state, here
}

// Evidence is why a member was declared dead: whose word, and which clocks ran out.
type Evidence struct {
	Accuser   string        // who declared it: this member, or who the news came from
	Suspected core.Instant  // when the suspicion began here; 0 if it never did
	Suspects  []string      // who suspected it, in the order heard; at most Config.Confirmations+1
	Timeout   time.Duration // the suspicion's final length
	Min, Max  time.Duration // between which it could lie
	Health    int           // this member's own health score then; 0 is well

	// The probe of ours that failed last, if one did.
	ProbeSent  core.Instant
	ProbeRTT   time.Duration // the last answer it ever gave; 0 if none
	Helpers    []string      // asked to ping it for us
	Nacks      int           // of them, how many said it did not answer them either
	StreamPing core.Fault    // how the ping on a link went; FaultNone if none was tried
}

// Joined says that a member became alive: new, back from the dead, or back after leaving.
type Joined struct{ Member Member }

// Updated says that an alive member changed its metadata, versions or address.
type Updated struct {
	Member Member
	Old    Record
}

// Suspected says that a member became suspect. It may still refute: then Refuted follows.
type Suspected struct {
	Member Member
	From   string
}

// Refuted says that a suspect member turned out to be alive.
type Refuted struct{ Member Member }

// Failed says that a member is dead, and why we think so.
type Failed struct {
	Member   Member
	Evidence Evidence
}

// Departed says that a member left of its own will.
type Departed struct{ Member Member }

// Reaped says that a dead or left member's tombstone is gone: it is forgotten.
type Reaped struct{ Name string }

// Conflict says that two members claim one name. Existing keeps it until it is dead.
type Conflict struct {
	Name     string
	Existing netip.AddrPort
	Other    netip.AddrPort
}

// HealthChanged says that this member's opinion of its own health moved. 0 is well.
type HealthChanged struct{ Score, Was int }

// UserReceived carries what another member's SendUser sent.
type UserReceived struct {
	From     netip.AddrPort
	Data     []byte
	Reliable bool
}

// UserStateReceived carries what another member's SetUserState added to a push/pull.
type UserStateReceived struct {
	From netip.AddrPort
	Data []byte
	Join bool
}

// Ready says that this member runs: it has restored its journal and is Alive at Self.
type Ready struct {
	Self Member
	// Known lists the others that were in Config.Table: no Joined tells of them. It is nil if there are none,
	// and must not be called once the node is stepped again. A guest starts with an empty table.
	Known iter.Seq[Member] `json:"-"`
}

// JoinDone completes Join; with ID 0 it ends the join of Config.Seeds at start. Outcome is FaultNone if at
// least one seed answered.
type JoinDone struct {
	ID      uint64
	Reached int // seeds that answered
	Fault   core.Fault
	Errors  []string // one line per seed that failed: "host:port: why"
}

// Pong completes PingMember.
type Pong struct {
	ID    uint64
	Name  string
	RTT   time.Duration
	Fault core.Fault
}

// Info completes Inspect.
type Info struct {
	ID          uint64
	Name        string
	Incarnation uint32
	Health      int // 0 is well; Config.HealthMax is as bad as it gets
	Members     int // alive or suspect, this member included
	Dead, Left  int
	Broadcasts  int // queued
	Leaving     bool
	Counters    Counters
}

// Counters count what the machine did. They only grow.
type Counters struct {
	Probes, ProbesFailed        uint64
	IndirectAcks, StreamAcks    uint64 // probes saved by a helper, by a link
	Relays, RelaysRefused       uint64 // indirect pings served, and refused for want of room
	Suspicions, Refutations     uint64 // of others by us; of ourselves
	Failures                    uint64
	PushPulls, PushPullsFailed  uint64
	Heals                       uint64 // exchanges started with lost members and seeds
	Conflicts, Refused, Invalid uint64 // names claimed twice; records Admit or versions refused; nonsense
	BroadcastsDropped           uint64 // for want of room in the queue
	MembersDropped              uint64 // for want of room in the table
}

// Completes implements core.Completion.
func (e *JoinDone) Completes() uint64 { return e.ID }

// Completes implements core.Completion.
func (e *Pong) Completes() uint64 { return e.ID }

// Completes implements core.Completion.
func (e *Info) Completes() uint64 { return e.ID }

// Outcome implements core.Completion.
func (e *JoinDone) Outcome() core.Fault { return e.Fault }

// Outcome implements core.Completion.
func (e *Pong) Outcome() core.Fault { return e.Fault }

// Outcome implements core.Completion.
func (e *Info) Outcome() core.Fault { return core.FaultNone }

// A Cause is what made a row of the membership table change.
type Cause uint8

// The causes of a Transition.
const (
	CauseSelf      Cause = iota // this member's own record: start, SetMeta, refutation, leave
	CauseAnnounce               // an Announce
	CauseAccuse                 // an Accuse
	CauseBury                   // a Bury
	CausePushPull               // a record in a push/pull
	CauseProbe                  // a probe of ours failed
	CauseSuspicion              // a suspicion of ours ran out
	CauseReap                   // the tombstone's time was over, or Forget
	causes
)

var causeText = [causes]string{"self", "announce", "accuse", "bury", "pushpull", "probe", "suspicion", "reap"}

// String names the cause.
func (c Cause) String() string {
	if c < causes {
		return causeText[c]
	}
	return "cause?"
}

// A Transition is one change of one row, emitted for every change if Config.Transitions is set:
// what oracles and tests want, and applications rarely do.
type Transition struct {
	Name     string
	Known    bool // false: the row is new, and Old is empty
	Old, New Record
	Gone     bool // the row was removed, and New is empty
	Cause    Cause
}
