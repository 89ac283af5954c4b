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
	kinds
)

// realm is the part of the world that a kind of operation changes.
type realm uint8

const (
	ofMembers realm = iota // what their applications tell them to do
	ofProcess              // their processes: members are unwell from then on
	ofNetwork              // a rule of the network, while its window is open
	ofDisks                // what is wrong with disks, likewise
)

// KindInfo describes one kind of operation.
type KindInfo struct {
	Name, Doc string
	Window    bool     // it lasts until Op.Until
	Modes     []string // of Op.Mode; none: it does not count

	params params
	modes  []string
	realm  realm
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
		Name: "crash", params: hasNodes | isWindow, realm: ofProcess,
		Doc: "Nodes stop at once, and start again at the end; Lost: without journal and wall clock",
	},
	Pause: {
		Name: "pause", params: hasNodes | isWindow, realm: ofProcess,
		modes: wakeOrders[:],
		Doc: "Nodes do nothing; what arrives waits, or is dropped once too much does. Mode says what comes " +
			"first afterwards, as for starve",
	},
	Starve: {
		Name: "starve", params: hasNodes | hasExtra | hasEvery | isWindow, realm: ofProcess,
		modes: append(wakeOrders[:], deaf),
		Doc: "Nodes do nothing for Extra, again every Every if that is set, then catch up, 20 to 50 µs for each " +
			"thing. Mode says what comes first: nothing, as if timers and messages were in time; timers-first, " +
			"messages-first, random; or it is receive: timers run all the time, only messages wait",
	},
	Cut: {
		Name: "cut", params: anyPair | isWindow, realm: ofNetwork,
		Doc: "nothing gets through between Nodes and Peers",
	},
	Loss: {
		Name: "loss", params: anyPair | hasPPM | isWindow, realm: ofNetwork,
		Doc: "PPM of the packets between Nodes and Peers are lost",
	},
	Duplicate: {
		Name: "duplicate", params: anyPair | hasPPM | isWindow, realm: ofNetwork,
		Doc: "PPM of the packets arrive twice",
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
