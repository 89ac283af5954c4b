package check

import "github.com/nekton-go/nekton/core"

// An Oracle watches a run and reports what must not be to a Log. It is told of every input of every node just
// before the node handles it, of every effect in order, and of the end, unless the run is of a truncated case. It
// must not keep or change in or e: what they hold is borrowed. Checker.Watch takes an application's own.
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

// Oracles lists the oracles of a Checker. Those whose ID begins with S say what must never happen, with L what
// must happen once the faults have stopped, and with P what members may cost or get wrong; C is for commands, J
// for journals, N for the network, W for the wire and T for what the other oracles rely on.
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
	incarnationKept
	refutationHigher
	addressBound
	datagramFits
	queueBounded
	transmissionsBounded
	relaysBounded
	helpersBounded
	probePasses
	probeGap
	probePace
	suspicionMin
	suspicionMax
	distinctAccusers
	healthRange
	probeInterval
	suspectWarned
	answersAsked
	nackInTime
	accusedUnheard
	eventsOrdered
	eventsFold
	completeness
	agreement
	leaversGone
	queuesDrain
	noFalsePositives
	detectionTime
	loadBounded
	loadAtRest
	commandsComplete
	journalPrefix
	journalDurable
	recoveryRepeats
	canonicalBytes
	packetsConserved
	transitionsChain
	countsAgree
	knownMembers
	oracles
)

const (
	failureDetector = "SWIM §3.1"
	roundRobin      = "SWIM §4.3"
	rumours         = "SWIM §4.2"
	piggyback       = "SWIM §4.1"
	localHealth     = "Lifeguard §IV-A"
	dynamicTimeout  = "Lifeguard §IV-B"
	contract        = "package core"
	here            = "package core/swim"
	journals        = "package codec/journal"
)

var infos = [oracles]Info{
	noPanic: {"S0", "no-panic", "no node panics, or breaks an invariant of its own", contract},
	incarnationMonotone: {"S1", "incarnation-monotone",
		"the incarnation that a member is seen at never falls, unless its row was removed", rumours},
	noResurrection: {"S2", "no-resurrection",
		"dead or left members are alive again at a higher incarnation only, or once their row was removed", rumours},
	legalTransitions: {"S3", "legal-transitions",
		"nobody suspects who is dead or has left, and who has left does not fail", rumours},
	issuedIncarnations: {"S4a", "issued-incarnations",
		"every incarnation that is seen anywhere was announced by the member itself before", rumours},
	oneIdentity: {"S4b", "one-identity",
		"address, metadata and versions are the same wherever a member is seen alive at one incarnation", here},
	noSelfDoubt: {"S5a", "no-self-doubt",
		"a running member is alive to itself, or has left if it was told to", rumours},
	incarnationKept: {"S5b", "incarnation-kept",
		"a member with a journal starts above every incarnation that it ever announced", here},
	refutationHigher: {"S5c", "refutation-higher",
		"who raises its incarnation raises it above every accusation that it has heard", rumours},
	addressBound: {"S6", "address-bound", "a name keeps its address until it is dead or has left", here},
	datagramFits: {"S7a", "datagram-fits", "no datagram is larger than the MTU", contract},
	queueBounded: {"S7b", "queue-bounded", "no more than BroadcastsMax messages are queued", here},
	transmissionsBounded: {"S7c", "transmissions-bounded",
		"each broadcast leaves at most RetransmitMult × ⌈log10(members+1)⌉ times", piggyback},
	relaysBounded: {"S7d", "relays-bounded", "at most RelaysMax indirect pings are served at one time", here},
	helpersBounded: {"S7e", "helpers-bounded",
		"at most IndirectProbes others are asked for help in a probe", failureDetector},
	probePasses: {"S8a", "probe-passes", "each pass of probes visits every member once", roundRobin},
	probeGap: {"S8b", "probe-gap",
		"while the members are the same, nobody is left out for more than 2n-1 probes", roundRobin},
	probePace: {"S8c", "probe-pace",
		"while there is somebody to probe, a probe begins as soon as one may", failureDetector},
	suspicionMin: {"S9a", "suspicion-min",
		"no suspicion runs out before the time that its confirmations leave", dynamicTimeout},
	suspicionMax: {"S9b", "suspicion-max",
		"every suspicion ends by the time that its confirmations leave", dynamicTimeout},
	distinctAccusers: {"S9c", "distinct-accusers",
		"confirmations are by different members, and at most Confirmations count", dynamicTimeout},
	healthRange: {"S9d", "health-range",
		"health lies between 0 and HealthMax and moves by one", localHealth},
	probeInterval: {"S9e", "probe-interval",
		"the next probe begins no earlier than ProbeInterval × (health+1) after the last, and helpers are asked no " +
			"earlier than ProbeTimeout × (health+1)", localHealth},
	suspectWarned: {"S9f", "suspect-warned",
		"whoever is declared dead has been told by who declares it that it is suspect", here},
	answersAsked: {"S10a", "answers-asked",
		"acks and nacks answer what was asked, once, and a helper passes on what it was told", failureDetector},
	nackInTime: {"S10b", "nack-in-time",
		"a helper without an answer says so exactly at NackPercent of the time-out", localHealth},
	accusedUnheard: {"S10c", "accused-unheard",
		"nobody is accused after a probe that it, or a helper, answered in time", failureDetector},
	eventsOrdered: {"S11a", "events-ordered",
		"events about one member follow each other as its life does: none comes twice or out of order", here},
	eventsFold: {"S11b", "events-fold", "who folds the events of a member has its table", here},

	completeness: {"L1", "completeness", "in time, nobody holds for alive who is gone", "SWIM §3"},
	agreement: {"L2", "agreement",
		"in time, all members that run see each other alive, with the incarnation and the identity each has",
		rumours},
	leaversGone: {"L3", "leavers-gone", "in time, who has left is left, dead or unknown to everybody", here},
	queuesDrain: {"L4", "queues-drain", "without news, nothing stays queued", piggyback},

	noFalsePositives: {"P1", "no-false-positives",
		"in calm, nobody who runs is declared failed", "SWIM §4.2"},
	detectionTime: {"P2", "detection-time",
		"a member that crashes in calm is known to be gone after the time of 50 probes, a suspicion and two push/pulls",
		"SWIM §3.3"},
	loadBounded: {"P3a", "load-bounded",
		"no more datagrams of gossip than GossipNodes in each GossipInterval, however many members there are",
		piggyback},
	loadAtRest: {"P3b", "load-at-rest", "without news, members send probes and answers and nothing else", "SWIM §3.2"},

	commandsComplete: {"C1", "commands-complete", "every command completes exactly once, within a minute", contract},
	journalPrefix: {"J1", "journal-prefix",
		"what a process finds in its journal is what some first part of its stores adds up to: no gap, nothing else",
		journals},
	journalDurable: {"J2", "journal-durable",
		"it finds all that was called durable, unless the disk broke its word", journals},
	recoveryRepeats: {"J3", "recovery-repeats", "recovery that is interrupted finds the same the next time", journals},
	canonicalBytes: {"W1", "canonical-bytes",
		"datagrams can be read, and come out the same when they are written again", "docs/PROTOCOL.md"},
	transitionsChain: {"T1", "transitions-chain",
		"each transition begins where the last of that row ended: no change happens unseen", here},
	countsAgree:  {"T2", "counts-agree", "Info counts the rows that the transitions add up to", here},
	knownMembers: {"T3", "known-members", "nobody speaks of members that never existed", here},
	packetsConserved: {"N1", "packets-conserved",
		"every datagram that set out came to some end, or is on its way", "package sim"},
}
