package sim

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
)

// TestStorm throws every kind of fault at a small cluster, at random, for three minutes: no rule may
// break. Then all faults end, and every view must become right.
func TestStorm(t *testing.T) {
	var total Faults
	for seed := range uint64(20) {
		s := setting{nodes: []int{3, 5, 8, 13}[seed%4], seed: seed}
		s.swim = swim.LAN()
		p := storm(s)
		w := emptyWorld(s.nodes, seed, Harness{})
		for _, op := range p.ops {
			w.schedule(op)
		}
		w.inspectFrom(inspectEvery)
		at := w.phases(&Case{Mark: p.mark, For: p.mark + time.Minute, Within: p.within})
		about := fmt.Sprintf("seed %d\n%s", seed, lines(p.ops))
		require.NoError(t, w.err, about)
		require.Empty(t, w.check.Log().Violations(), about)
		require.Zero(t, w.check.Wrong(), "%v\n%s", w.check.Disagreements(5), about)
		require.NotEqual(t, core.Instant(never), at, about)
		total = w.faults.plus(total)
	}
	t.Logf("%+v", total)
	for _, n := range []uint64{
		total.PacketsCut, total.PacketsLost, total.PacketsDuplicated, total.PacketsReordered, total.DialRetries,
		total.DialTimeouts, total.DialsRefused, total.ChunksResent, total.LinksReset,
		total.ReadsCut, total.Crashes, total.Restarts, total.Pauses, total.InputsLate, total.JournalsLost,
	} {
		require.NotZero(t, n, "a kind of fault that never happened: %+v", total)
	}
}

// storm is a plan of thirty random faults, each up to twenty seconds long.
func storm(s setting) plan {
	p := calm(s)
	k := 0
	choose := func(n int) int {
		k++
		return s.choose(k, n)
	}
	moment := func(d time.Duration) time.Duration {
		k++
		return s.moment(k, d)
	}
	some := func() []int { return s.shuffled()[:1+choose(s.nodes-1)] }
	from := p.mark + 10*time.Second
	for range 30 {
		op := Op{At: from + moment(3*time.Minute), OneWay: choose(2) == 0, Lost: choose(2) == 0}
		op.Until = op.At + time.Second + moment(20*time.Second)
		op.Kind = []Kind{Leave, Crash, Crash, Pause, Cut, Cut, Loss, Duplicate, Reorder}[choose(9)]
		one := []int{choose(s.nodes)}
		switch op.Kind {
		case Leave: // and its process ends some time later
			p.ops = append(p.ops, Op{At: op.At, Kind: Leave, Nodes: one})
			op.Kind, op.At = Crash, op.At+time.Duration(choose(int(op.Until-op.At)))
			op.Nodes = one
		case Crash, Pause:
			op.Nodes = one
		default:
			op.Nodes, op.Peers = one, some()
			op.PPM, op.Extra = 1000*(50+choose(400)), time.Duration(choose(int(2*time.Second)))
		}
		p.mark = max(p.mark, op.Until)
		p.ops = append(p.ops, op)
		if op.Kind == Crash {
			seed := (one[0] + 1 + choose(s.nodes-1)) % s.nodes
			p.ops = append(p.ops, Op{At: op.Until + 1, Kind: Join, Nodes: one, Peers: []int{seed}})
		}
	}
	p.within = s.settle() + s.heal()
	return p
}

func (f Faults) plus(g Faults) Faults {
	sum, more := reflect.ValueOf(&f).Elem(), reflect.ValueOf(g)
	for i := range sum.NumField() {
		sum.Field(i).SetUint(sum.Field(i).Uint() + more.Field(i).Uint())
	}
	return f
}
