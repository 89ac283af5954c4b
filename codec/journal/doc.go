// Package journal is a node's journal on disk: the bytes, the order in which they are written, and what is
// made of them after a crash. It decides; a [Dir] does. So a host with real files and a simulator with
// broken ones run the same code:
//
//	j, past, err := journal.Open(dir) // past.Inputs go to the node before its first wake
//	batch := []journal.Store{{Proto: e.Proto, Snapshot: e.Kind == core.EffectCompact, Data: e.Data}}
//	err = j.Commit(batch)             // one write and one sync, or one new file, for each machine in it
//	batch[0].Err                      // nil: it is durable
//
// # Files
//
// Each machine has a file of its own, "proto-<number>.journal": a header, the text "nekton journal 1" and a
// newline, then records. A record is
//
//	length  uint32, little-endian, of data
//	sum     uint32, CRC-32C of kind and data
//	check   uint32, CRC-32C of the eight bytes above
//	kind    'S', a snapshot, which can only be the first; or 'R'
//	data
//
// The second sum tells a record that was cut short, whose length can be believed, from a damaged one.
//
// # Writing
//
// Records are appended and synced. A snapshot, and the first record of all, makes a new file: it is written
// beside the old one and synced, renamed over it, and the directory is synced. So a crash leaves one of the
// two, whole. After a write or sync that failed, nobody knows what the file holds: nothing is appended to it
// any more, and a snapshot replaces it.
//
// # Recovery
//
// The longest run of good records from the beginning is what was stored: all that Commit called durable, as
// long as the disk keeps what it synced, and perhaps some that were under way. What follows is removed; if
// it was not cut short but has changed, a copy of the whole file is kept beside it, as "<file>.<n>.damaged".
// Recovery that is itself interrupted can begin again.
package journal
