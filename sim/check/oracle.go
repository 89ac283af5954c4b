package check

import "github.com/nekton-go/nekton/core"

// An Oracle watches a run and reports what must not be to a Log. It is told of every input of every node just
// before the node handles it, of every effect in order, and of the end. It must not keep or change in or e:
// what they hold is borrowed. Checker.Watch takes an application's own.
type Oracle interface {
	Input(at core.Instant, node int, in *core.Input)
	Effect(at core.Instant, node int, e *core.Effect)
	Finished(at core.Instant)
}

// An Info describes one oracle.
type Info struct {
	ID     string `json:"id"`     // "S2"; the letter says of what kind, see Oracles
	Name   string `json:"name"`   // "no-resurrection"
	Doc    string `json:"doc"`    // what must hold
	Source string `json:"source"` // who says so
}

// Oracles lists the oracles of a Checker. Those whose ID begins with S say what must never happen and with L
// what must happen once the faults have stopped; C is for commands, P for what outlives a process, and T for what the
// other oracles rely on.
func Oracles() []Info { return append([]Info{}, infos[:]...) }

// oracle is an index into infos.
type oracle uint8

const (
	noPanic oracle = iota
	incarnationMonotone
	noResurrection
	legalTransitions
	issuedIncarnations
	oneIdentity
	noSelfDoubt
	datagramFits
	queueBounded
	probeInterval
	eventsOrdered
	eventsFold
	commandsComplete
	transitionsChain
	countsAgree
	knownMembers
	completeness
	agreement
	leaversGone
	journalPrefix
	journalDurable
	recoveryRepeats
	oracles
)

const (
	swimPaper = "SWIM §4.2"
	contract  = "package core"
	here      = "package core/swim"
	journals  = "package codec/journal"
)

var infos = [oracles]Info{
	noPanic: {"S0", "no-panic", "no node panics, or breaks an invariant of its own", contract},
	incarnationMonotone: {"S1", "incarnation-monotone",
		"the incarnation that a member is seen at never falls, unless its row was removed", swimPaper},
	noResurrection: {"S2", "no-resurrection",
		"dead or left members are alive again at a higher incarnation only, or once their row was removed", swimPaper},
	legalTransitions: {"S3", "legal-transitions",
		"nobody suspects who is dead or has left, and who has left does not fail", swimPaper},
	issuedIncarnations: {"S4a", "issued-incarnations",
		"every incarnation that is seen anywhere was announced by the member itself before", swimPaper},
	oneIdentity: {"S4b", "one-identity",
		"address, metadata and versions are the same wherever a member is seen alive at one incarnation", here},
	noSelfDoubt: {"S5a", "no-self-doubt",
		"a running member is alive to itself, or has left if it was told to", swimPaper},
	datagramFits:  {"S7a", "datagram-fits", "no datagram is larger than the MTU", contract},
	queueBounded:  {"S7b", "queue-bounded", "no more than BroadcastsMax messages are queued", here},
	probeInterval: {"S9e", "probe-interval", "a member starts at most one probe in each ProbeInterval", "SWIM §3.1"},
	eventsOrdered: {"S11a", "events-ordered",
		"events about one member follow each other as its life does: none comes twice or out of order", here},
	eventsFold: {"S11b", "events-fold", "who folds the events of a member has its table", here},
	commandsComplete: {"C1", "commands-complete",
		"every command completes exactly once, within a minute", contract},
	transitionsChain: {"T1", "transitions-chain",
		"each transition begins where the last of that row ended: no change happens unseen", here},
	countsAgree:  {"T2", "counts-agree", "Info counts the rows that the transitions add up to", here},
	knownMembers: {"T3", "known-members", "nobody speaks of members that never existed", here},
	completeness: {"L1", "completeness", "in time, nobody holds for alive who is gone", "SWIM §3"},
	agreement: {"L2", "agreement",
		"in time, all members that run see each other alive, with the incarnation and the identity each has",
		swimPaper},
	leaversGone: {"L3", "leavers-gone", "in time, who has left is left, dead or unknown to everybody", here},
	journalPrefix: {"P1", "journal-prefix",
		"what a process finds in its journal is what some first part of its stores adds up to: no gap, nothing else",
		journals},
	journalDurable: {"P2", "journal-durable",
		"it finds all that was called durable, unless the disk broke its word", journals},
	recoveryRepeats: {"P3", "recovery-repeats", "recovery that is interrupted finds the same the next time", journals},
}
