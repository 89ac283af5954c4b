package sim

import (
	"time"

	"github.com/nekton-go/nekton/core/swim"
)

const lossMax = 900_000 // ppm; beyond it nothing is left to test

// Options say which scenario to run. The zero value of a field means its default.
type Options struct {
	Scenario string        // one of Scenarios; required
	Nodes    int           // 2 (restart: 4) to 4096, or to 16,384 that are Converged; default 16
	For      time.Duration // virtual time, up to 24 h and past the last fault; default: the scenario's own
	Seed     uint64
	LossPPM  int         // of all packets, all the time; 0 to 900,000; default 0, in loss 50,000
	Network  Network     // how packets travel
	Preset   swim.Config // of every member; default swim.LAN
	// Converged begins with all members knowing each other, in place of starts and joins: see Case.
	Converged bool
	Harness
}

// Run runs one scenario to its end. Errors are those of Simulate.
func Run(o Options) (Result, error) {
	c, err := o.Case()
	if err != nil {
		return Result{}, err
	}
	return Simulate(c, o.Harness)
}

// Case writes out the run that the options ask for. Errors wrap ErrOptions.
func (o Options) Case() (Case, error) {
	sc, err := o.complete()
	if err != nil {
		return Case{}, err
	}
	p := sc.build(setting{nodes: o.Nodes, seed: o.Seed, swim: o.Preset, converged: o.Converged})
	if o.For <= p.mark {
		return Case{}, badOption("%v; %s with %d nodes needs more than %v: its last disturbance comes then",
			o.For, sc.name, o.Nodes, p.mark)
	}
	if o.LossPPM > 0 {
		p.ops = append([]Op{{Kind: Loss, PPM: o.LossPPM, Fault: Loss.String()}}, p.ops...)
	}
	c := Case{
		Name: sc.name, Seed: o.Seed, Nodes: o.Nodes, Converged: o.Converged,
		Mark: p.mark, Within: p.within, For: o.For, Victim: p.victim,
		Network: o.Network, Swim: o.Preset, Ops: p.ops,
	}
	return c, c.Validate()
}

// complete fills in defaults and refuses nonsense.
func (o *Options) complete() (scenario, error) {
	sc, err := find(o.Scenario)
	if err != nil {
		return sc, err
	}
	o.Nodes = orElse(o.Nodes, 16)
	o.For = orElse(o.For, sc.usual)
	if o.LossPPM == 0 && sc.name == "loss" {
		o.LossPPM = usualLoss
	}
	if o.Preset.ProbeInterval == 0 {
		o.Preset = swim.LAN()
	}
	o.Network = o.Network.defaulted()
	switch {
	case o.Nodes < sc.nodes || o.Nodes > most(o.Converged):
		return sc, badOption("%d nodes; %s takes %d to %d%s",
			o.Nodes, sc.name, sc.nodes, most(o.Converged), moreIf(o.Converged))
	case o.For < 0 || o.For > forMax:
		return sc, badOption("a duration of %v; use more than 0 and at most %v", o.For, forMax)
	case o.LossPPM < 0 || o.LossPPM > lossMax:
		return sc, badOption("a loss of %d ppm; use 0 to %d", o.LossPPM, lossMax)
	}
	return sc, nil
}

func orElse[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}
