package sim

import (
	"fmt"
	"slices"
)

// Kind is what an Op does.
type Kind uint8

// The operations and faults of a schedule; Kinds describes them.
const (
	Start Kind = iota
	Join
	Leave
	Crash
	Pause
	Starve
	Cut
	Loss
	Duplicate
	Reorder
	Drop
	DiskSlow
	DiskFull
	DiskError
	DiskTorn
	DiskReorder
	DiskLose
	DiskRot
	DiskStale
	Call
	Latency
	Burst
	Fade
	Corrupt
	Bandwidth
	Clog
	MTU
	Refuse
	Reset
	HalfOpen
	Exile
	Stall
	Hostile
	Freeze
	CrashWithin
	SlowReceive
	SlowSend
	Slack
	ClockRate
	ClockGrain
	WallStep
	WallStop
	Retune
	SetMeta
	UserState
	SendUser
	Ping
	Forget
	Key
	kinds
)

// realm is the part of the world that a kind of operation changes.
type realm uint8

const (
	ofMembers  realm = iota // what their applications tell them to do
	ofProcess               // their processes: members are unwell from then on
	ofNetwork               // a rule of the network, while its window is open
	ofDisks                 // what is wrong with disks, likewise
	ofStranger              // somebody who is no member
)

// KindInfo describes one kind of operation.
type KindInfo struct {
	Name, Doc string
	Window    bool     // it lasts until Op.Until
	Modes     []string // of Op.Mode; none: it does not count

	params params
	needs  params // those that must be more than 0
	modes  []string
	realm  realm
	ails   bool // it is about the machine that processes run on, while its window is open
	most   int  // of PPM, which counts, if that is not 0
}

var kindTable = [kinds]KindInfo{
	Start: {
		Name: "start", params: hasNodes,
		Doc: "Nodes begin to run",
	},
	Join: {
		Name: "join", params: hasNodes | hasPeers,
		Doc: "Nodes join by way of Peers",
	},
	Leave: {
		Name: "leave", params: hasNodes,
		Doc: "Nodes leave gracefully; the process stays",
	},
	Crash: {
		Name: "crash", params: hasNodes | isWindow, realm: ofProcess, modes: []string{"", moved, swapped, wiped},
		Doc: "Nodes stop at once, and start again at the end; Lost: without journal and wall clock. Mode moved: " +
			"at another address; swapped: each at that of the next; wiped: without journal, by the wall clock",
	},
	Pause: {
		Name: "pause", params: hasNodes | hasSize | isWindow, realm: ofProcess,
		modes: wakeOrders[:],
		Doc: "Nodes do nothing; what arrives waits, and is dropped once Size datagrams do, 1024 by default. Mode " +
			"says what comes first afterwards, as for starve",
	},
	Starve: {
		Name: "starve", params: hasNodes | hasExtra | hasEvery | hasSize | isWindow, needs: hasExtra, realm: ofProcess,
		modes: append(wakeOrders[:], deaf, mute, both),
		Doc: "Nodes do nothing for Extra, again every Every if that is set, then catch up, 20 to 50 µs for each " +
			"thing. Mode says what comes first: nothing, as if timers and messages were in time; timers-first, " +
			"messages-first, random. Or timers run all the time, and what waits is what a node receives " +
			"(receive), sends (send), or both (network); Size as for pause",
	},
	Cut: {
		Name: "cut", params: anyPair | hasEvery | hasExtra | isWindow, realm: ofNetwork,
		Doc: "nothing gets through between Nodes and Peers; with Every, for the first Extra of each Every",
	},
	Loss: {
		Name: "loss", params: anyPair | hasPPM | isWindow, realm: ofNetwork,
		Doc: "PPM of the packets between Nodes and Peers are lost",
	},
	Duplicate: {
		Name: "duplicate", params: anyPair | hasPPM | hasExtra | isWindow, realm: ofNetwork,
		Doc: "PPM of the packets arrive twice, the second time up to Extra later",
	},
	Reorder: {
		Name: "reorder", params: anyPair | hasPPM | hasExtra | isWindow, realm: ofNetwork,
		Doc: "PPM of the packets are late by up to Extra",
	},
	Drop: {
		Name: "drop", params: anyPair | hasNth, realm: ofNetwork,
		Doc: "the Nth packet from Nodes to Peers is lost",
	},
	DiskSlow: {
		Name: "disk-slow", params: hasNodes | hasExtra | isWindow, realm: ofDisks,
		Doc: "writes to the disks of Nodes take up to Extra longer, as in every fault of disks",
	},
	DiskFull: {
		Name: "disk-full", params: hasNodes | hasExtra | isWindow, realm: ofDisks,
		Doc: "there is no room for another write, only for a part of it",
	},
	DiskError: {
		Name: "disk-error", params: hasNodes | hasExtra | hasPPM | isWindow, realm: ofDisks,
		Doc: "PPM of the syncs fail, and forget what they should have written; PPM of the reads fail",
	},
	DiskTorn: {
		Name: "disk-torn", params: hasNodes | hasExtra | isWindow, realm: ofDisks,
		Doc: "a crash leaves the beginning of what was under way, up to any byte",
	},
	DiskReorder: {
		Name: "disk-reorder", params: hasNodes | hasExtra | isWindow, realm: ofDisks,
		Doc: "a crash leaves any pieces of what was under way",
	},
	DiskLose: {
		Name: "disk-lose", params: hasNodes | hasExtra | isWindow, realm: ofDisks,
		Doc: "syncs do nothing and say that they did; what is written until the next that does is lost at a crash",
	},
	DiskRot: {
		Name: "disk-rot", params: hasNodes | hasExtra | hasPPM | isWindow, realm: ofDisks,
		Doc: "PPM of the bits on the disk flip at every start",
	},
	DiskStale: {
		Name: "disk-stale", params: hasNodes | hasExtra | isWindow, realm: ofDisks,
		Doc: "whoever starts finds the disk as it was when the window began",
	},
	Call: {
		Name: "call", params: hasNodes,
		Doc: "Nodes are given the command that the application's harness makes of Text",
	},
	Latency: {
		Name: "latency", params: anyPair | hasExtra | isWindow, needs: hasExtra, modes: shapes, realm: ofNetwork,
		Doc: "all packets are late, by Extra on average and at most 100 times that, distributed as Mode says: " +
			"constant, even (from 0), exponential, log-normal, pareto",
	},
	Burst: {
		Name: "burst", params: anyPair | hasPPM | hasExtra | hasEvery | isWindow, needs: hasExtra | hasEvery,
		realm: ofNetwork,
		Doc: "each way between Nodes and Peers is bad about once in Every, for Extra on average: then PPM of " +
			"its packets are lost (Gilbert-Elliott)",
	},
	Fade: {
		Name: "fade", params: anyPair | isWindow, needs: isWindow, realm: ofNetwork,
		Doc: "more and more packets are lost, from none at the beginning to all at the end",
	},
	Corrupt: {
		Name: "corrupt", params: anyPair | hasPPM | isWindow, modes: append([]string{""}, damages...),
		realm: ofNetwork,
		Doc: "PPM of the packets are damaged. Without Mode a checksum finds out and they are lost; otherwise they " +
			"arrive, changed as it says: flip (a bit), set (a byte), truncate, extend, splice (two packets), version " +
			"(of the first bytes), any",
	},
	Bandwidth: {
		Name: "bandwidth", params: anyPair | hasSize | hasEvery | hasExtra | isWindow, needs: hasSize | hasEvery,
		realm: ofNetwork,
		Doc: "each sender has Size bytes in Every for all it sends between Nodes and Peers; the rest waits, and is " +
			"dropped if that would take more than Extra",
	},
	Clog: {
		Name: "clog", params: anyPair | isWindow, needs: isWindow, realm: ofNetwork,
		Doc: "packets between Nodes and Peers are held until the end, then all let go",
	},
	MTU: {
		Name: "mtu", params: anyPair | hasSize | isWindow, needs: hasSize, realm: ofNetwork,
		Doc: "datagrams of more than Size bytes are dropped",
	},
	Refuse: {
		Name: "refuse", params: anyPair | hasPPM | isWindow, realm: ofNetwork,
		Doc: "PPM of the attempts to open a link are refused",
	},
	Reset: {
		Name: "reset", params: anyPair | hasPPM | isWindow, realm: ofNetwork,
		Doc: "PPM of the chunks written to links end the link, at both ends, instead of arriving",
	},
	HalfOpen: {
		Name: "half-open", params: anyPair | hasPPM | isWindow, realm: ofNetwork,
		Doc: "PPM of the links that end at one side go on at the other, which never hears of it",
	},
	Exile: {
		Name: "exile", params: hasNodes, needs: hasNodes, realm: ofNetwork,
		Doc: "Nodes are cut off from everybody for good, and nobody waits for them to agree",
	},
	Stall: {
		Name: "stall", params: anyPair | isWindow, needs: isWindow, realm: ofNetwork,
		Doc: "what is written to links between Nodes and Peers is not read before the end",
	},
	Hostile: {
		Name: "hostile", params: anyNodes | hasEvery | isWindow, needs: hasEvery, modes: attacks, realm: ofStranger,
		Doc: "somebody who is no member attacks Nodes about once in Every, as Mode says: garbage, truncated, replay, " +
			"forged (accusations), oversized (counts), links, mutated; empty: any of these but mutated",
	},
	Freeze: {
		Name: "freeze", params: hasNodes | hasSize | isWindow, realm: ofProcess, ails: true,
		Doc: "as pause, and the clocks of Nodes stand, as those of a machine that migrates",
	},
	CrashWithin: {
		Name: "crash-within", params: hasNodes | hasNth | isWindow, realm: ofProcess,
		Doc: "Nodes stop in the first step that asks for more than Nth effects, after so many, and start again " +
			"at the end; Lost as for crash",
	},
	SlowReceive: {
		Name: "slow-receive", params: hasNodes | hasExtra | isWindow, needs: hasExtra, realm: ofProcess, ails: true,
		Doc: "Nodes hear of what they receive up to Extra later, in order",
	},
	SlowSend: {
		Name: "slow-send", params: hasNodes | hasExtra | isWindow, needs: hasExtra, realm: ofProcess, ails: true,
		Doc: "what Nodes send leaves up to Extra later, in order",
	},
	Slack: {
		Name: "slack", params: hasNodes | hasExtra | isWindow, needs: hasExtra, realm: ofProcess, ails: true,
		Doc: "the timers of Nodes are up to Extra late",
	},
	ClockRate: {
		Name: "clock-rate", params: hasNodes | hasPPM | isWindow, realm: ofProcess, ails: true,
		modes: []string{"", slower}, most: rateMax,
		Doc: "the clocks of Nodes are faster by PPM, or slower",
	},
	ClockGrain: {
		Name: "clock-grain", params: hasNodes | hasExtra | isWindow, needs: hasExtra, realm: ofProcess, ails: true,
		Doc: "the clocks of Nodes only tell multiples of Extra",
	},
	WallStep: {
		Name: "wall-step", params: hasNodes | hasExtra | isWindow, needs: hasExtra, realm: ofProcess, ails: true,
		modes: []string{"", back},
		Doc:   "the wall clocks of Nodes are ahead by Extra, or back",
	},
	WallStop: {
		Name: "wall-stop", params: hasNodes | isWindow, realm: ofProcess, ails: true,
		Doc: "the wall clocks of Nodes stand",
	},
	Retune: {
		Name: "retune", params: hasNodes | hasPPM | isWindow, realm: ofProcess, ails: true,
		modes: []string{"", shorter, numbers}, most: 900_000,
		Doc: "whoever of Nodes starts has intervals longer by PPM, or shorter; or with numbers, other numbers of " +
			"helpers, confirmations, transmissions and so on, which the seed chooses",
	},
	SetMeta: {
		Name: "set-meta", params: hasNodes | hasSize,
		Doc: "Nodes change their metadata to Text, or to Size bytes",
	},
	UserState: {
		Name: "user-state", params: hasNodes | hasSize,
		Doc: "Nodes add Text, or Size bytes, to every push/pull from now on",
	},
	SendUser: {
		Name: "send-user", params: hasNodes | hasPeers | hasSize, modes: []string{"", reliable},
		Doc: "Nodes send Text, or Size bytes, to each of Peers, in a datagram, or reliably over a link",
	},
	Ping: {
		Name: "ping", params: hasNodes | hasPeers,
		Doc: "Nodes ping each of Peers",
	},
	Forget: {
		Name: "forget", params: hasNodes | hasPeers,
		Doc: "Nodes forget Peers that are dead or have left",
	},
	Key: {
		Name: "key", params: hasNodes, modes: []string{install, use, remove},
		Doc: "Nodes of a sealed cluster install, use or remove the key named Text, now and when they start; the " +
			"one that all begin with has no name",
	},
}

// Kinds describes every kind of operation.
func Kinds() []KindInfo {
	all := make([]KindInfo, kinds)
	for k := range all {
		all[k] = kindTable[k]
		all[k].Window, all[k].Modes = all[k].params&isWindow != 0, slices.Clone(all[k].modes)
	}
	return all
}

// String names the kind.
func (k Kind) String() string {
	if k < kinds {
		return kindTable[k].Name
	}
	return "kind?"
}

// ParseKind returns the kind of that name.
func ParseKind(name string) (Kind, error) {
	for k := range kindTable {
		if kindTable[k].Name == name {
			return Kind(k), nil
		}
	}
	return 0, fmt.Errorf("there is no kind of operation called %q", name)
}
