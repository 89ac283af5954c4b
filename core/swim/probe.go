package swim

import (
	"math/bits"
	"time"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/internal/mutant"
)

// A prober asks one member after another whether it is there (SWIM §3.1, §4.3). A round is a ping; if
// that has no answer in time, pings by helpers and one over a link; and, at the end of the round, a
// verdict. At most one round runs at a time, and the next starts no earlier than this one ends.
type prober struct {
	next core.Instant // when the next round starts; core.Never while one runs

	pass     permutation // the order of the current pass
	position uint32
	first    urgent
	jumped   bool // the last round was out of turn: the next is not

	running    bool
	helped     bool // helpers have been asked
	target     ID
	generation uint16 // the verdict is about this tenant of the place only
	accused    uint32 // the incarnation the verdict is about
	seq        uint32 // of the ping; helper i gets seq+1+i
	sent       core.Instant
	patience   core.Instant // when helpers are asked
	verdict    core.Instant // when the round ends
	helpers    []ID
	nacked     uint32 // bit i: helper i has told that it has no answer
	nacks      int    // expected
	stream     core.Link
	streamEnd  core.Fault
	streamed   bool
}

const helpersMax = 16

// urgent is a member to be probed out of turn.
type urgent struct {
	wanted     bool
	id         ID
	generation uint16
}

// outOfTurn has a member probed next, unless another already is. Every other round stays in turn, so that
// nobody can keep the prober from the rest.
func (p *prober) outOfTurn(id ID, generation uint16) {
	if !p.first.wanted {
		p.first = urgent{true, id, generation}
	}
}

func (p *prober) deadline() core.Instant {
	switch {
	case !p.running:
		return p.next
	case !p.helped:
		return p.patience
	}
	return p.verdict
}

// probe does what the prober's deadline is for.
func (m *Machine) probe(t *core.Turn, due core.Instant) {
	p := &m.prober
	if p.running && !p.helped && p.patience <= due {
		m.askHelpers(t)
	}
	if p.running && p.verdict <= due {
		m.giveUp(t)
	}
	if !p.running && p.next <= due {
		m.startProbe(t)
	}
}

// startProbe begins a round, or waits another interval if there is nobody to probe.
func (m *Machine) startProbe(t *core.Turn) {
	p := &m.prober
	target, ok := m.nextTarget(t)
	if !ok {
		p.next = m.now.Add(m.cfg.ProbeInterval)
		return
	}
	row, who := m.table.Row(target), m.table.Identity(target)
	m.counters.Probes++
	*p = prober{
		next: core.Never, pass: p.pass, position: p.position, first: p.first, jumped: p.jumped, running: true,
		target: target, generation: row.Generation, accused: row.Incarnation,
		seq: t.Rand().Uint32(), sent: m.now, helpers: p.helpers[:0],
	}
	timeout := m.cfg.ProbeTimeout
	if m.cfg.Fidelity == Improved {
		timeout = m.patience(timeout) // Lifeguard stretches both; HashiCorp only the interval
	}
	p.patience = m.now.Add(timeout)
	p.verdict = m.now.Add(m.patience(m.cfg.ProbeInterval))
	m.ping = Ping{Seq: p.seq, Target: who.Name[m.bug(mutant.CutName):]}
	t.Send(who.Addr, &m.ping)
	if row.State == Suspect && !m.cfg.NoBuddy {
		// The buddy system (Lifeguard §IV-C): who is suspected hears of it from whoever pings it.
		t.Send(who.Addr, &Accuse{Node: who.Name, Incarnation: row.Incarnation, From: m.cfg.Name})
	}
}

// nextTarget walks the current pass to the next member worth probing; at its end it starts another.
func (m *Machine) nextTarget(t *core.Turn) (ID, bool) {
	p := &m.prober
	if u := p.first; u.wanted && !p.jumped {
		p.first, p.jumped = urgent{}, true
		if m.probeable(u.id) && m.table.Row(u.id).Generation == u.generation {
			return u.id, true
		}
	}
	p.jumped = false
	if bound := m.table.Bound(); p.pass.half == 0 || bound > int(p.pass.size()) {
		m.startPass(t) // members beyond the current pass must not wait for its end
	}
	for range 2 {
		for p.position < p.pass.size() {
			id := ID(p.pass.at(p.position))
			p.position++
			if int(id) < m.table.Bound() && m.probeable(id) {
				p.position -= uint32(m.bug(mutant.ProbeTwice)) &^ uint32(m.counters.Probes) // every other time
				return id, true
			}
		}
		m.startPass(t)
	}
	return 0, false
}

func (m *Machine) startPass(t *core.Turn) {
	m.reap(t)
	m.prober.pass, m.prober.position = newPermutation(t.Rand().Uint64(), m.table.Bound()), 0
}

func (m *Machine) probeable(id ID) bool {
	row := m.table.Row(id)
	return row.Used && id != m.self && !row.State.Gone() && (m.cfg.Mutant != mutant.LeaveOut || id%4 != 1)
}

// askHelpers starts the second half of a round.
func (m *Machine) askHelpers(t *core.Turn) {
	p := &m.prober
	p.helped = true
	who := m.table.Identity(p.target)
	k := min(m.cfg.IndirectProbes, helpersMax) + m.bug(mutant.ExtraHelper)
	p.helpers = append(p.helpers[:0], m.pick(t, k, func(id ID, row *Row) bool {
		return m.aliveOther(id, row) && id != p.target
	})...)
	for i, id := range p.helpers {
		helper := m.table.Identity(id)
		nack := helper.Versions.ProtocolMax >= protocolNack
		if nack {
			p.nacks++
		}
		m.indirect = IndirectPing{Seq: p.seq + 1 + uint32(i), Target: who.Name, TargetAddr: who.Addr, Nack: nack}
		t.Send(helper.Addr, &m.indirect)
	}
	if !m.cfg.NoStreamPing && who.Versions.ProtocolMax >= protocolStreamPing {
		p.streamed = true
		p.streamEnd = core.FaultTimeout
		p.stream = m.dial(t, who.Addr, &exchange{kind: streamPing, seq: p.seq, until: p.verdict})
	}
}

// answered handles an Ack. It reports whether a probe of ours was waiting for it.
func (m *Machine) answered(t *core.Turn, seq uint32, at core.Instant) bool {
	p := &m.prober
	nth := seq - p.seq
	if !p.running || nth > uint32(len(p.helpers)) || m.ignores() {
		return false
	}
	if nth == 0 {
		m.measure(p.target, p.generation, at.Sub(p.sent))
	} else {
		m.counters.IndirectAcks++
	}
	m.endProbe(t, -1)
	return true
}

// measure remembers a member's round-trip time.
func (m *Machine) measure(id ID, generation uint16, rtt time.Duration) {
	if m.table.Row(id).Generation == generation {
		m.table.SetRTT(id, max(rtt, 0))
	}
}

// streamAnswered ends a round that only the ping on a link has answered.
func (m *Machine) streamAnswered(t *core.Turn, l core.Link) {
	if p := &m.prober; p.running && p.streamed && p.stream == l && !m.ignores() {
		m.counters.StreamAcks++
		m.endProbe(t, -1)
	}
}

// streamFailed notes how the ping on a link ended.
func (m *Machine) streamFailed(l core.Link, f core.Fault) {
	if p := &m.prober; p.running && p.streamed && p.stream == l {
		p.streamEnd = f
	}
}

// nacked notes that a helper had no answer either.
func (m *Machine) nacked(seq uint32) {
	p := &m.prober
	nth := seq - p.seq
	if p.running && 0 < nth && nth <= uint32(len(p.helpers)) {
		p.nacked |= 1 << (nth - 1)
	}
}

// giveUp ends a round without an answer. Helpers that did not even say so count against our own health,
// not the target's (Lifeguard §IV-A).
func (m *Machine) giveUp(t *core.Turn) {
	p := &m.prober
	if row := m.table.Row(p.target); row.Generation != p.generation || row.State.Gone() {
		m.endProbe(t, 0) // it has left or died meanwhile, which says nothing about us
		return
	}
	m.counters.ProbesFailed++
	heard := bits.OnesCount32(p.nacked)
	missed := 1
	if p.nacks > 0 {
		missed = p.nacks - heard
	}
	if m.cfg.Fidelity == Improved {
		missed = min(missed, 1)
	}
	evidence := Evidence{ProbeSent: p.sent, Nacks: heard}
	if p.streamed {
		evidence.StreamPing = p.streamEnd
	}
	for _, id := range p.helpers {
		evidence.Helpers = append(evidence.Helpers, m.table.Identity(id).Name)
	}
	accused := p.accused + uint32(m.bug(mutant.InventIncarnation))
	m.claim = Accuse{Node: m.table.Identity(p.target).Name, Incarnation: accused, From: m.cfg.Name}
	m.endProbe(t, missed)
	m.accuse(t, &m.claim, CauseProbe, &evidence)
}

// endProbe closes the round and schedules the next: no earlier than this one would have ended, so that
// an unwell member also probes less (Lifeguard §IV-A).
func (m *Machine) endProbe(t *core.Turn, health int) {
	p := &m.prober
	p.running = false
	p.next = max(p.verdict, m.now).Add(m.cfg.ProbeInterval * time.Duration(m.bug(mutant.SlowProber)))
	if p.streamed {
		m.hangUp(t, p.stream)
	}
	m.feel(t, health)
}
