// Package sim runs a whole cluster in virtual time, on one goroutine, with faults: the same nodes that
// run in production, byte for byte what they would send, and the same outcome every time.
//
//	result, err := sim.Run(sim.Options{Scenario: "crash", Nodes: 128, Seed: 1})
//
//	c, err := sim.Swarm(7, "default") // members, configuration and faults, all drawn from the seed
//	result, err := sim.Simulate(c, sim.Harness{})
//
// What runs is a [Case]: data that says it all, but for code, which is the [Harness]. Cases come from a scenario
// ([Options]), from the seed of a swarm ([Swarm]), from a file (package scenario, or JSON), or are written by hand
// ([NewCase]). All hold an explicit schedule of operations and faults ([Op]; [Kinds] and [Catalogue] list what
// there is). Everything that is left to chance, such as the delay of one packet, is drawn by a key, for that packet
// alone: taking a fault out of a schedule leaves every other draw as it was. Events are ordered by time, then class
// (schedule, input, deadline), then age, and nothing iterates over a map, reads a clock or computes with
// floats. So a run is a function of its Case, and [Result].TraceHash, which covers every input and
// every effect of every node, is its fingerprint: equal on every platform, and for any [Factory] whose
// nodes behave alike, native or guest.
//
// Package check watches every step; what it found is in Result.Violations. After the last disturbance, and again at
// the end, every view of those who are not gone or cut off for good must equal the truth, within a bound that
// follows from the configuration; unless nobody could mend it ([Result].Apart).
//
// Around it, package simtest makes Go tests of runs, shrink makes failing cases small, slice finds what led to a
// failure, repro keeps runs in files, and accept compares what runs measure with the papers.
//
// # The world
//
// Datagrams take as long as [Network] says, drawn for each, and may be lost, doubled, late, held, crowded out and
// damaged. Links are connections between machines that stay up while processes die: ordered, resent when lost,
// refused by a dead process, timed out across a cut, read in pieces, and torn, stalled or half closed by faults.
// Damage is found by a checksum, as on machines that work, unless a case asks for worse. Whoever must withstand
// that, or strangers who lie well, seals: Case.Sealed. Each member has a disk, to which the real journal
// (codec/journal) writes: a crash loses what was not synced, and faults of the disk lose, tear, shuffle and
// change more. Names "n0:7946", "n1:7946" ... resolve to the members' addresses.
//
// A process that is stopped, once or in cycles, hears later what arrived in time: Op.Mode says whether it is
// told so (core.Input.At), or finds its overdue timers first. It may also be deaf, mute or slow, and it may
// die between two effects of one step. Members read clocks of their own, and may come back at other addresses.
package sim
