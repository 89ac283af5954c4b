package check

import (
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
)

// Coverage counts how often runs have come by the branches of the protocol that matter. A sweep that never
// came by one has not tested it. Counts of several runs add up.
type Coverage [marks]uint64

type mark uint8

const (
	markRefuted mark = iota
	markRisen
	markReturned
	markAccused
	markReminded
	markReused
	markStaleClaim
	markSelfRefuted
	markConfirmed
	markWarned
	markExpired
	markTold
	markPulledDeath
	markHealed
	markHealTried
	markIndirectAck
	markStreamAck
	markNack
	markRelay
	markRelayRefused
	markUnwell
	markLeft
	markUpdated
	markMoved
	markConflict
	markReaped
	markReserved
	markSnapshot
	markReplayed
	markReplaced
	markOverflow
	markTableFull
	markPullFailed
	marks
)

// markInfos name the marks.
var markInfos = [marks]MarkInfo{
	markRefuted:      {"refuted", "a suspect member turned out to be alive"},
	markRisen:        {"risen", "a member that had been declared dead was alive again"},
	markReturned:     {"returned", "a member that had left was back"},
	markAccused:      {"accused", "an accusation reached the accused"},
	markReminded:     {"reminded", "a member was told what it had announced in an earlier life"},
	markReused:       {"reused", "a member was told that it had announced its incarnation before, as another"},
	markStaleClaim:   {"stale-claim", "somebody gone claimed to be alive, at an incarnation that was over"},
	markSelfRefuted:  {"self-refuted", "a member raised its incarnation"},
	markConfirmed:    {"confirmed", "another accuser shortened a suspicion"},
	markWarned:       {"warned", "a suspect was warned by who was about to declare it dead"},
	markExpired:      {"expired", "a suspicion ran out"},
	markTold:         {"told", "a death was known from somebody else's word"},
	markPulledDeath:  {"pulled-death", "a push/pull told of a member that was suspected, dead or gone"},
	markHealed:       {"healed", "a push/pull found a member that had been dead"},
	markHealTried:    {"heal-tried", "an exchange was started with a lost member or a seed"},
	markIndirectAck:  {"indirect-ack", "a helper's ping saved a member from suspicion"},
	markStreamAck:    {"stream-ack", "a ping on a link saved a member from suspicion"},
	markNack:         {"nack", "a helper said that it had no answer either"},
	markRelay:        {"relay", "a member pinged another for a third"},
	markRelayRefused: {"relay-refused", "an indirect ping was refused"},
	markUnwell:       {"unwell", "a member's health got worse"},
	markLeft:         {"left", "a member was known to have left"},
	markUpdated:      {"updated", "a member changed its metadata, versions or address"},
	markMoved:        {"moved", "a member came back at another address"},
	markConflict:     {"conflict", "two members claimed one name"},
	markReaped:       {"reaped", "a tombstone's time was over"},
	markReserved:     {"reserved", "incarnations were reserved in the journal"},
	markSnapshot:     {"snapshot", "a snapshot replaced the journal"},
	markReplayed:     {"replayed", "a member started from a journal"},
	markReplaced:     {"replaced", "news replaced news that was still being spread"},
	markOverflow:     {"overflow", "a broadcast was dropped for want of room"},
	markTableFull:    {"table-full", "a member was refused for want of room"},
	markPullFailed:   {"pull-failed", "an exchange failed"},
}

// A MarkInfo describes one branch of the protocol.
type MarkInfo struct{ Name, Doc string }

// Marks describes the branches, in the order in which a Coverage counts them.
func Marks() []MarkInfo { return append([]MarkInfo{}, markInfos[:]...) }

// Plus returns the sum of two runs, or of two sums.
func (c Coverage) Plus(d Coverage) Coverage {
	for k := range c {
		c[k] += d[k]
	}
	return c
}

// Missing names the branches that were never come by.
func (c *Coverage) Missing() []string {
	missing := []string{}
	for k, n := range c {
		if n == 0 {
			missing = append(missing, markInfos[k].Name)
		}
	}
	return missing
}

// Coverage is what this run has come by so far.
func (c *Checker) Coverage() Coverage { return c.coverage }

func (c *Coverage) hit(m mark) { c[m]++ }

// event counts what an event shows.
func (c *Coverage) event(ev core.Event) {
	switch ev := ev.(type) {
	case *swim.Refuted:
		c.hit(markRefuted)
	case *swim.Departed:
		c.hit(markLeft)
	case *swim.Updated:
		c.hit(markUpdated)
	case *swim.Conflict:
		c.hit(markConflict)
	case *swim.Reaped:
		c.hit(markReaped)
	case *swim.HealthChanged:
		if ev.Score > ev.Was {
			c.hit(markUnwell)
		}
	}
}

func (c *Coverage) journal(e *core.Effect) {
	if e.Kind == core.EffectCompact {
		c.hit(markSnapshot)
	} else {
		c.hit(markReserved)
	}
}

// transition counts what a change of a row shows.
func (c *Coverage) transition(t *swim.Transition, self bool) {
	switch {
	case t.Gone || !t.Known:
	case self:
		if t.New.State == swim.Alive {
			c.hit(markSelfRefuted)
		}
	case t.New.State == swim.Alive && t.Old.State == swim.Dead:
		c.hit(markRisen)
		if t.Cause == swim.CausePushPull {
			c.hit(markHealed)
		}
	case t.New.State == swim.Alive && t.Old.State == swim.Left:
		c.hit(markReturned)
	case t.New.State == swim.Dead && t.Cause == swim.CauseSuspicion:
		c.hit(markExpired)
	case t.New.State == swim.Dead && t.Cause == swim.CauseBury:
		c.hit(markTold)
	case t.New.State != swim.Alive && t.Cause == swim.CausePushPull:
		c.hit(markPulledDeath)
	}
	if t.Known && !t.Gone && t.New.State == swim.Alive && t.Old.Addr != t.New.Addr {
		c.hit(markMoved)
	}
}

// counted adds what a process counted itself since it was asked last.
func (c *Coverage) counted(now, before *swim.Counters) {
	for _, n := range [...]struct {
		mark        mark
		now, before uint64
	}{
		{markStreamAck, now.StreamAcks, before.StreamAcks},
		{markHealTried, now.Heals, before.Heals},
		{markRelayRefused, now.RelaysRefused, before.RelaysRefused},
		{markOverflow, now.BroadcastsDropped, before.BroadcastsDropped},
		{markTableFull, now.MembersDropped, before.MembersDropped},
		{markPullFailed, now.PushPullsFailed, before.PushPullsFailed},
	} {
		c[n.mark] += n.now - n.before
	}
}
