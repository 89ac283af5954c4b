package accept

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/sim"
)

// Lifeguard is the suite of "Lifeguard: Local Health Awareness for More Accurate Failure Detection" (Dadgar,
// Phillips, Currey, 2017; DSN-W 2018): 128 members, of which some, again and again, do not get to what they
// receive. A quick one takes seconds: it has fewer kinds of anomalies and runs of each.
func Lifeguard(quick bool) *Suite {
	s := &Suite{}
	s.detection(quick)
	s.anomalies(quick)
	s.ablation(quick)
	s.buddies(quick)
	s.variants(quick)
	return s
}

// anomalyNodes is the size of the paper's clusters, anomalyTime the length of its runs.
const (
	anomalyNodes = 128
	anomalyTime  = 2 * time.Minute
)

// A mode is which of Lifeguard's three components are on.
type mode struct {
	name                    string
	probe, suspicion, buddy bool
}

var (
	swimMode  = mode{"SWIM", false, false, false}
	lifeguard = mode{"Lifeguard", true, true, true}
	singles   = []mode{
		{"LHA-Probe", true, false, false}, {"LHA-Suspicion", false, true, false}, {"Buddy", false, false, true},
	}
)

// config is the LAN preset in that mode.
func (m mode) config() swim.Config {
	c := swim.LAN()
	if !m.probe {
		c.HealthMax = 0
	}
	if !m.suspicion {
		c.SuspicionScale = 1
	}
	c.NoBuddy = !m.buddy
	return c
}

// An anomaly is a cell of the grid: some members, all at once, receive nothing for a time, then get to it for
// another, again and again. What they send leaves and their timers run; what arrives waits, up to 1024 datagrams,
// and takes them 20 to 50 µs each to get through.
type anomaly struct {
	members    int
	deaf, hear time.Duration
	variant    string // of sim.Starve
}

// receive is the variant of the paper, as far as we know it.
const receive = "receive"

func (a anomaly) String() string {
	return fmt.Sprintf("C=%d D=%v I=%v %s", a.members, a.deaf, a.hear, a.variant)
}

// cells are the first columns of a row about it.
func (a anomaly) cells() []string {
	return []string{strconv.Itoa(a.members), a.deaf.String(), a.hear.String()}
}

// grid is every combination.
func grid(members []int, deaf, hear []time.Duration) (cells []anomaly) {
	for _, c := range members {
		for _, d := range deaf {
			for _, i := range hear {
				cells = append(cells, anomaly{c, d, i, receive})
			}
		}
	}
	return cells
}

// harm is what came of an anomaly, in all runs together. Members that nothing is the matter with are well.
type harm struct {
	ofWell    int // declarations that a well member is dead: the paper's FP
	amongWell int // those of them that well members made: its FP-
	packets   float64
	bytes     float64 // per member and second
}

// ordeal is an anomaly in one mode.
type ordeal struct {
	anomaly
	mode
}

// suffer plans runs of one anomaly in one mode, unless they are planned already, and returns where their harms
// will be.
func (s *Suite) suffer(a anomaly, m mode, runs int) []harm {
	if planned := s.ordeals[ordeal{a, m}]; planned != nil {
		return planned
	}
	harms := make([]harm, runs)
	if s.ordeals == nil {
		s.ordeals = map[ordeal][]harm{}
	}
	s.ordeals[ordeal{a, m}] = harms
	s.add(fmt.Sprintf("%v, %s", a, m.name), runs, func(k int, seed uint64) error {
		end := settled + anomalyTime
		c := cluster(m.name, anomalyNodes, seed, m.config(), end)
		c.Mark = end
		c.Ops = append(c.Ops, sim.Op{
			Kind: sim.Starve, Mode: a.variant, At: settled, Until: end,
			Nodes: span(0, a.members), Extra: a.deaf, Every: a.deaf + a.hear,
		})
		r, err := simulate(c, watcher{})
		harms[k] = harm{r.FalsePositivesOfWell, r.FalsePositivesAmongWell, r.PacketsPerNodeS, r.BytesPerNodeS}
		return err
	})
	return harms
}

func sum(harms []harm) (all harm) {
	for _, h := range harms {
		all.ofWell += h.ofWell
		all.amongWell += h.amongWell
		all.packets += h.packets
		all.bytes += h.bytes
	}
	return all
}

// detection measures what Lifeguard must not cost: how long a member that has really died goes undetected. The
// first ping after the crash comes after T on average, its round ends T later, and the shortest suspicion takes
// SuspicionMult·log10(n)·T; the two further accusers that it takes to be shortest are found long before.
func (s *Suite) detection(quick bool) {
	runs := 100
	if quick {
		runs = 30
	}
	for _, m := range []mode{swimMode, lifeguard} {
		took := make([]int64, runs)
		s.add("crash, "+m.name, runs, func(k int, seed uint64) error {
			c := cluster("crash", anomalyNodes, seed, m.config(), settled+crashPatience)
			c.Mark, c.Victim = settled, 0
			c.Ops = append(c.Ops, sim.Op{Kind: sim.Crash, At: settled, Nodes: []int{0}})
			r, err := simulate(c, watcher{})
			if took[k] = r.FirstDetectionMS; err == nil && took[k] < 0 {
				err = fmt.Errorf("crash, %s, seed %d: nobody noticed in %v", m.name, seed, crashPatience)
			}
			return err
		})
		s.conclude(func(r *Report) {
			slices.Sort(took)
			const log10Of128 = 2.10721
			expected := float64(float64(m.config().SuspicionMult)*log10Of128) + 2
			name := fmt.Sprintf("lifeguard 1: seconds until a crash is detected, median of %d, %s", runs, m.name)
			r.around(name, expected, 0.10, float64(took[runs/2-1]+took[runs/2])/2000)
		})
	}
}

// crashPatience is how long a crash may go undetected: the shortest suspicion and then as long again.
const crashPatience = 25 * time.Second

// anomalies compares Lifeguard with SWIM over a grid.
func (s *Suite) anomalies(quick bool) {
	ms := time.Millisecond
	deaf := []time.Duration{2048 * ms, 8192 * ms, 16384 * ms, 32768 * ms}
	hear := []time.Duration{64 * ms, 512 * ms, 4096 * ms}
	cells, runs, least := grid([]int{1, 4, 16, 32}, deaf, hear), 10, 20
	if quick {
		cells, runs, least = []anomaly{{16, 16384 * ms, 64 * ms, receive}, {4, 2048 * ms, 64 * ms, receive}}, 1, 1
	}
	off, on := make([][]harm, len(cells)), make([][]harm, len(cells))
	for i, a := range cells {
		off[i], on[i] = s.suffer(a, swimMode, runs), s.suffer(a, lifeguard, runs)
	}
	s.conclude(func(r *Report) {
		c := comparison{least: 1 << 30, runs: len(cells) * runs}
		t := Table{
			Title: fmt.Sprintf("False positives: well members declared dead (by well ones), %d runs each", runs),
			Rows:  [][]string{{"C", "D", "I", "SWIM", "Lifeguard", "datagrams", "bytes"}},
		}
		for i, a := range cells {
			t.Rows = append(t.Rows, c.compare(a, sum(off[i]), sum(on[i])))
		}
		r.Tables = append(r.Tables, t)
		c.gates(r, float64(least))
	})
}

// comparison is what the grid comes to.
type comparison struct {
	counted        int     // cells in which SWIM does harm enough for a ratio to mean something
	least          float64 // of their ratios, SWIM : Lifeguard
	worse          int     // by how much more harm Lifeguard does, in the worst cell
	runs           int     // of Lifeguard
	off, on        harm
	packets, bytes float64 // the largest ratios, Lifeguard : SWIM
}

// enough is how many false positives SWIM must have in a cell for the ratio to be counted.
const enough = 200

// compare adds one cell and returns its row of the table.
func (c *comparison) compare(a anomaly, off, on harm) []string {
	if off.ofWell >= enough {
		c.counted++
		c.least = min(c.least, float64(off.ofWell)/float64(max(on.ofWell, 1)))
	}
	c.worse = max(c.worse, on.ofWell-off.ofWell)
	packets, bytes := on.packets/off.packets, on.bytes/off.bytes
	c.packets, c.bytes = max(c.packets, packets), max(c.bytes, bytes)
	c.off, c.on = sum([]harm{c.off, off}), sum([]harm{c.on, on})
	return append(a.cells(), off.String(), on.String(), ratio(packets), ratio(bytes))
}

func (c *comparison) gates(r *Report, cells float64) {
	const unbounded = 1e6
	r.between("lifeguard 2: cells in which SWIM has 200 or more false positives", cells, cells, unbounded,
		float64(c.counted))
	r.between("lifeguard 2: false positives, SWIM : Lifeguard, the least of these cells", 20, 20, unbounded, c.least)
	r.between("lifeguard 2: false positives, SWIM : Lifeguard, all cells", 500, 500, unbounded,
		float64(c.off.ofWell)/float64(max(c.on.ofWell, 1)))
	r.between("lifeguard 2: false positives more than by SWIM, the worst cell", 0, 0, 2, float64(c.worse))
	// These were chance: a refutation passed somebody by. That one now warns the suspect before its verdict.
	r.between("lifeguard 2: false positives at well members, share of SWIM's, all cells", 0, 0, 0.005,
		float64(c.on.amongWell)/float64(max(c.off.amongWell, 1)))
	r.between("lifeguard 2: false positives at well members in each run, all cells", 0, 0, 0.01,
		float64(c.on.amongWell)/float64(c.runs))
	r.between("lifeguard 2: datagrams, Lifeguard : SWIM, the most of all cells", 1, 0, 1.25, c.packets)
	r.between("lifeguard 2: bytes, Lifeguard : SWIM, the most of all cells", 1, 0, 1.15, c.bytes)
}

// String shows both counts.
func (h harm) String() string { return fmt.Sprintf("%d (%d)", h.ofWell, h.amongWell) }

func ratio(x float64) string { return strconv.FormatFloat(x, 'f', 2, 64) }

// ablation shows what each component does alone.
func (s *Suite) ablation(quick bool) {
	ms := time.Millisecond
	cells, runs := grid([]int{4, 16}, []time.Duration{8192 * ms, 16384 * ms, 32768 * ms}, []time.Duration{64 * ms}), 10
	if quick {
		cells, runs = []anomaly{{16, 16384 * ms, 64 * ms, receive}}, 1
	}
	modes := append([]mode{swimMode}, singles...)
	modes = append(modes, lifeguard)
	harms := make([][][]harm, len(cells))
	for i, a := range cells {
		for _, m := range modes {
			harms[i] = append(harms[i], s.suffer(a, m, runs))
		}
	}
	s.conclude(func(r *Report) {
		head := []string{"C", "D", "I"}
		for _, m := range modes {
			head = append(head, m.name)
		}
		t := Table{Title: fmt.Sprintf("What each component does alone, %d runs each", runs), Rows: [][]string{head}}
		all := make([]harm, len(modes))
		for i, a := range cells {
			row := a.cells()
			for j := range modes {
				h := sum(harms[i][j])
				all[j] = sum([]harm{all[j], h})
				row = append(row, h.String())
			}
			t.Rows = append(t.Rows, row)
		}
		r.Tables = append(r.Tables, t)
		for j, m := range modes[:3] {
			if j > 0 {
				name := "lifeguard 3: false positives of SWIM that are left with " + m.name + " alone"
				r.between(name, 0, 0, 0.5, float64(all[j].ofWell)/float64(max(all[0].ofWell, 1)))
			}
		}
	})
}

// variants shows what the gates leave out: members that run, or listen, for too short a time to catch up, so that
// they never hear what would correct them. Nothing local can help there for longer than the longest suspicion, and
// must not: a partition looks the same from inside. It also shows the other kinds of starvation, in which the whole
// process stands still: what a process does first when it goes on decides who is blamed.
func (s *Suite) variants(quick bool) {
	if quick {
		return
	}
	const runs = 3
	kinds := []string{receive, "timers-first", "random", "messages-first", ""}
	off, on := make([][]harm, len(kinds)), make([][]harm, len(kinds))
	for i, kind := range kinds {
		a := anomaly{16, 16384 * time.Millisecond, 4 * time.Millisecond, kind}
		off[i], on[i] = s.suffer(a, swimMode, runs), s.suffer(a, lifeguard, runs)
	}
	s.conclude(func(r *Report) {
		t := Table{
			Title: fmt.Sprintf("Members that cannot keep up: C=16, D=16.384s, I=4ms, %d runs each", runs),
			Rows:  [][]string{{"what stands still", "SWIM", "Lifeguard"}},
		}
		for i, what := range []string{
			"what it receives", "all; timers first", "all; in any order", "all; messages first",
			"all; in order of time",
		} {
			t.Rows = append(t.Rows, []string{what, sum(off[i]).String(), sum(on[i]).String()})
		}
		r.Tables = append(r.Tables, t)
	})
}
