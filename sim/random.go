package sim

import (
	"math/bits"

	"github.com/nekton-go/nekton/internal/mix"
)

// purpose keeps draws for different things apart.
type purpose uint64

const (
	forNode      purpose = iota + 1 // seeds of nodes: (node, boot, word)
	forSchedule                     // what scenarios choose: (scenario's own)
	forLatency                      // packets: (from, to, n-th packet of the pair)
	forLoss                         // likewise
	forDuplicate                    // likewise
	forReorder                      // likewise
	forStream                       // latency of link chunks: (pair, n-th dial of the pair, chunk)
	forRetry                        // loss of link chunks: (pair, n-th dial of the pair, attempt)
	forCut                          // where reads are cut: (pair, n-th dial of the pair, chunk)
	forJournal                      // latency of writes: (node, boot, n-th write)
	forTurn                         // how a process catches up: (node, boot, n-th turn)
	forSwarm                        // what swarms choose: (fault or aspect by name, 0, n-th draw)
	forDiskSlow                     // how much longer a write takes: (node, boot, n-th write)
	forDiskFull                     // how much of a write still fits: (node, 0, n-th operation of the disk)
	forDiskError                    // which syncs and reads fail: (node, 0, n-th operation of the disk)
	forDiskTear                     // what survives a crash: (node, n-th crash, n-th change)
	forDiskRot                      // which bits flip: (node, n-th recovery, bit)
	forPower                        // when the power fails: (node, n-th crash, n-th choice)
	forSlack                        // how late timers are: (node, boot, deadline)
	forReceive                      // how late a slow receiver is: (node, boot, n-th)
	forSend                         // likewise a slow sender
	forRetune                       // other numbers: (node, 0, which)
)

// The network's own faults have numbers of their own, so that more of either shift nothing.
const (
	forDelay    purpose = iota + 200 // packets: (from, to, n-th packet), or (pair, dial, attempt)
	forFade                          // likewise
	forBurst                         // likewise
	forWeather                       // when paths are bad: (from, to, n-th block of time)
	forCorrupt                       // as forDelay
	forDamage                        // likewise
	forRefuse                        // likewise
	forReset                         // likewise
	forUnheard                       // ends of links that go unheard: (pair, dial, 0)
	forStranger                      // attacks: (when they begin, 0, n-th)
	forSession                       // of seals: (node, boot, word)
	forKey                           // keys of sealed members: (name, 0, word)
)

// draw returns 64 random bits that depend on nothing but its arguments. There is no generator and so
// no order of drawing: whether one packet is drawn for never changes what another one gets.
func draw(seed uint64, p purpose, a, b, n uint64) uint64 {
	x := mix.Uint64(seed + uint64(p)*0x9e3779b97f4a7c15)
	x = mix.Uint64(x ^ a*0xd1342543de82ef95 ^ b*0xaf251af3b0f025b5)
	return mix.Uint64(x + n*0x9e3779b97f4a7c15)
}

// below maps random bits to [0, n), evenly to within n/2^64.
func below(random uint64, n int64) int64 {
	hi, _ := bits.Mul64(random, uint64(max(n, 1)))
	return int64(hi)
}

// chance is true ppm times in a million.
func chance(random uint64, ppm int) bool { return below(random, million) < int64(ppm) }

const million = 1_000_000
