package main

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/nekton-go/nekton/sim"
)

// coverage is what a sweep has seen: faults that were drawn, and what came of them.
type coverage map[string]bool

func (seen coverage) add(c *sim.Case, r *sim.Result) {
	drawn := faultsOf(c)
	for _, f := range sim.Catalogue() {
		seen["fault "+f.Name] = seen["fault "+f.Name] || slices.Contains(drawn, f.Name)
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
