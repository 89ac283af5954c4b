package main

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/nekton-go/nekton/sim"
	"github.com/nekton-go/nekton/sim/check"
)

// coverage is what a sweep has seen: faults that were drawn, what came of them, and branches of the protocol.
type coverage map[string]bool

func (seen coverage) add(c *sim.Case, r *sim.Result) {
	drawn := faultsOf(c)
	for _, f := range sim.Catalogue() {
		seen["fault "+f.Name] = seen["fault "+f.Name] || slices.Contains(drawn, f.Name)
	}
	for i, mark := range check.Marks() {
		seen["branch "+mark.Name] = seen["branch "+mark.Name] || r.Coverage[i] > 0
	}
	var counters map[string]uint64
	if text, err := json.Marshal(r.Faults); err == nil && json.Unmarshal(text, &counters) == nil {
		for name, n := range counters {
			seen[name] = seen[name] || n > 0
		}
	}
}

// missing lists what was never seen, sorted.
func (seen coverage) missing() []string {
	names := []string{}
	for _, name := range slices.Sorted(maps.Keys(seen)) {
		if !seen[name] {
			names = append(names, name)
		}
	}
	return names
}
