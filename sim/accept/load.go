package accept

import (
	"fmt"
	"strconv"
	"time"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/sim"
)

// traffic is what members send.
type traffic struct {
	packets, bytes   int // datagrams
	links, linkBytes int // push/pull: links dialed, and bytes written at both ends
}

// load measures what membership costs each member while nothing happens: one ping and one ack sent in each
// period, whatever the size of the cluster (SWIM §5). Datagrams are counted where they are sent, from whole
// periods, in the LAN preset. Push/pull is ours, not SWIM's, and grows with the cluster: it is shown apart.
func (s *Suite) load(quick bool) {
	sizes, periods := []int{32, 128, 512, 1024, 2048, 4096}, 20
	if quick {
		sizes, periods = []int{32, 128, 512}, 10
	}
	sums := make([]traffic, len(sizes))
	for i, n := range sizes {
		s.add(fmt.Sprintf("load of %d", n), 1, func(_ int, seed uint64) (err error) {
			sums[i], err = calmTraffic(n, seed, periods)
			return err
		})
	}
	s.conclude(func(r *Report) {
		t := Table{Title: "What each member sends in one period, nothing happening", Rows: [][]string{
			{"members", "datagrams", "bytes in them", "push/pull links dialed", "bytes on links"},
		}}
		for i, n := range sizes {
			each := func(sum int) float64 { return float64(sum) / float64(n*periods) }
			r.around(fmt.Sprintf("swim 4: datagrams sent per member and period, n=%d", n),
				2, 0.05, each(sums[i].packets))
			t.Rows = append(t.Rows, []string{
				strconv.Itoa(n), figure(each(sums[i].packets)), figure(each(sums[i].bytes)),
				figure(each(sums[i].links)), figure(each(sums[i].linkBytes)),
			})
		}
		r.Tables = append(r.Tables, t)
	})
}

func calmTraffic(n int, seed uint64, periods int) (sum traffic, err error) {
	members := swim.LAN()
	end := settled + time.Duration(periods)*members.ProbeInterval
	_, err = simulate(cluster("load", n, seed, members, end), watcher{step: func(step *sim.Step) {
		if step.At < core.Instant(settled) || step.At >= core.Instant(end) {
			return
		}
		for i := range step.Effects {
			sum.add(&step.Effects[i])
		}
	}})
	return sum, err
}

func (t *traffic) add(e *core.Effect) {
	switch e.Kind {
	case core.EffectSend:
		t.packets++
		t.bytes += len(e.Data)
	case core.EffectDial:
		t.links++
	case core.EffectWrite:
		t.linkBytes += len(e.Data)
	}
}

// figure shows a number to three digits behind the point.
func figure(x float64) string { return strconv.FormatFloat(x, 'f', 3, 64) }
