package scenario

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nekton-go/nekton/sim"
)

// Expect is one [[expect]]: a bound on something that the run measures. Times are in ms of virtual time.
type Expect struct {
	Metric  string
	AtMost  *int64 `toml:"at_most"`
	AtLeast *int64 `toml:"at_least"`
}

type metric struct {
	name string
	of   func(*sim.Result) int64
}

var metrics = []metric{
	{"violations", func(r *sim.Result) int64 { return int64(len(r.Violations)) }},
	{"false_positives", func(r *sim.Result) int64 { return int64(r.FalsePositives) }},
	{"false_positives_of_well", func(r *sim.Result) int64 { return int64(r.FalsePositivesOfWell) }},
	{"false_positives_among_well", func(r *sim.Result) int64 { return int64(r.FalsePositivesAmongWell) }},
	{"first_detection_ms", func(r *sim.Result) int64 { return r.FirstDetectionMS }},
	{"full_dissemination_ms", func(r *sim.Result) int64 { return r.FullDisseminationMS }},
	{"converged_ms", func(r *sim.Result) int64 { return r.ConvergedMS }},
	{"packets_per_node_s", func(r *sim.Result) int64 { return int64(r.PacketsPerNodeS) }},
	{"bytes_per_node_s", func(r *sim.Result) int64 { return int64(r.BytesPerNodeS) }},
}

func (e *Expect) find() int {
	return slices.IndexFunc(metrics, func(m metric) bool { return m.name == e.Metric })
}

func (e *Expect) validate() error {
	if e.find() < 0 {
		names := make([]string, len(metrics))
		for i := range metrics {
			names[i] = metrics[i].name
		}
		return bad("expect: nobody measures %q; use one of %s", e.Metric, strings.Join(names, ", "))
	}
	if e.AtMost == nil && e.AtLeast == nil {
		return bad("expect %s: say at_most or at_least", e.Metric)
	}
	return nil
}

// Unmet says which expectations a run did not meet, a line each.
func Unmet(expects []Expect, r *sim.Result) (lines []string) {
	for i := range expects {
		e := &expects[i]
		got := metrics[e.find()].of(r)
		if e.AtMost != nil && got > *e.AtMost {
			lines = append(lines, fmt.Sprintf("%s is %d, expected at most %d", e.Metric, got, *e.AtMost))
		}
		if e.AtLeast != nil && got < *e.AtLeast {
			lines = append(lines, fmt.Sprintf("%s is %d, expected at least %d", e.Metric, got, *e.AtLeast))
		}
	}
	return lines
}
