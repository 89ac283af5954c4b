package cbor

// A message's type is the first element of its array. Numbers are never reused: a message that changes
// becomes a new type. Those below 24 take one byte, so later protocols have a few of them as well.
//
//	0          never used
//	1 – 15     membership (swim)
//	16         opaque: messages of machines that bring their own encoding
//	17 – 23    the busiest messages of later protocols
//	24 – 63    events, queries and tags (serf)
//	64 – 127   actors
//	128 –      unassigned
const (
	typePing uint64 = iota + 1
	typeAck
	typeNack
	typeIndirectPing
	typeAnnounce
	typeAccuse
	typeBury
	typeUser
	typePushPull
	typeRefuse
	swimTypes // one past the last
)

const typeOpaque uint64 = 16
