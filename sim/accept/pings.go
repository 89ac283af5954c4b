package accept

import (
	"github.com/nekton-go/nekton/codec/cbor"
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/sim"
)

// pings is the watcher that sees every ping that leaves: those of probers, and those that helpers send for them.
type pings struct {
	dialect core.Dialect
	each    func(core.Message)
	step    *sim.Step
}

// newPings returns one that calls sent for each ping.
func newPings(sent func(at core.Instant, from, to int)) *pings {
	p := &pings{dialect: cbor.New(cbor.Config{})}
	p.each = func(m core.Message) {
		if ping, ok := m.(*swim.Ping); ok {
			sent(p.step.At, p.step.Node, subject(ping.Target))
		}
	}
	return p
}

func (p *pings) watch(s *sim.Step) {
	p.step = s
	for i := range s.Effects {
		if e := &s.Effects[i]; e.Kind == core.EffectSend {
			// The sender has just written it: that it can be read is for other tests to show.
			_ = p.dialect.ReadDatagram(e.Data, p.each)
		}
	}
}
