package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/internal/mutant"
	"github.com/nekton-go/nekton/sim"
	"github.com/nekton-go/nekton/sim/scenario"
)

// caseFlags say what to run: a scenario, a seed of a swarm, or what a file says.
type caseFlags struct {
	scenario string
	nodes    int
	lasts    time.Duration
	loss     int
	preset   string
	warm     bool

	swarm  string
	seed   uint64
	mask   []string
	mutant string
}

func defineCase(f *pflag.FlagSet) *caseFlags {
	o := new(caseFlags)
	f.StringVar(&o.scenario, "scenario", "", "`name` of a scenario; see: nekton sim list scenarios")
	f.IntVar(&o.nodes, "nodes", 16, "`number` of members of the scenario")
	f.DurationVar(&o.lasts, "for", 0, "virtual `time` of the scenario, such as 90s or 15m; default: its own")
	f.IntVar(&o.loss, "loss", 0, "packets to lose, all the time, in parts per million (`ppm`); 50000 is 5 %")
	f.StringVar(&o.preset, "preset", "lan", "timing: lan, wan or local, or one of them with -memberlist appended")
	f.BoolVar(&o.warm, "converged", false, "begin with all members knowing each other, instead of joining")
	f.StringVar(&o.swarm, "swarm", "", "`kind` of swarm to draw from the seed: "+strings.Join(sim.Profiles(), ", "))
	f.Uint64Var(&o.seed, "seed", 1, "`number` that decides everything left to chance")
	o.defineChanges(f)
	return o
}

// defineChanges is about what to change in a case, wherever it comes from.
func (o *caseFlags) defineChanges(f *pflag.FlagSet) {
	f.StringSliceVar(&o.mask, "mask", nil, "`faults` to leave out, separated by commas")
	f.StringVar(&o.mutant, "mutant", "", "`name` of a bug to switch on; see: nekton sim list mutants")
}

// ofScenario are the flags that only scenarios know.
var ofScenario = []string{"nodes", "for", "loss", "preset", "converged"}

// cases returns what to run: one case, but for files with a grid.
func (o *caseFlags) cases(c *cobra.Command, args []string) ([]scenario.Run, error) {
	given := c.Flags().Changed
	sources := len(args)
	for _, name := range []string{"scenario", "swarm"} {
		if given(name) {
			sources++
		}
	}
	if sources == 0 && given("seed") {
		o.swarm, sources = sim.Profiles()[0], 1
	}
	if sources != 1 {
		return nil, errors.New("say what to run: -scenario NAME, -swarm KIND, the -seed of a swarm, or one file")
	}
	if o.warm && c.Flags().Lookup("guest").Value.String() == "wasm" {
		return nil, errors.New("-converged is for -guest native: guests share no memory")
	}
	for _, name := range ofScenario {
		switch f := c.Flags().Lookup(name); {
		case !f.Changed:
		case !slices.Contains(sim.Scenarios(), o.scenario):
			return nil, fmt.Errorf("-%s is for scenarios that are drawn: %s", name, strings.Join(sim.Scenarios(), ", "))
		case f.Value.String() == "0" || f.Value.String() == "0s":
			if name != "loss" {
				return nil, fmt.Errorf("-%s must not be %s", name, f.Value)
			}
		}
	}
	runs, err := o.find(args)
	if err != nil {
		return nil, err
	}
	for i := range runs {
		if given("seed") {
			runs[i].Case.Seed = o.seed
		}
		if err := o.change(&runs[i].Case); err != nil {
			return nil, err
		}
	}
	return runs, nil
}

// single is cases where there can be but one.
func (o *caseFlags) single(c *cobra.Command, args []string) (sim.Case, error) {
	runs, err := o.cases(c, args)
	if err == nil && len(runs) > 1 {
		err = fmt.Errorf("%s: %d runs; take the grid out of the file", args[0], len(runs))
	}
	if err != nil {
		return sim.Case{}, err
	}
	return runs[0].Case, nil
}

func (o *caseFlags) find(args []string) ([]scenario.Run, error) {
	switch {
	case len(args) == 1:
		return readRuns(args[0])
	case o.swarm != "":
		return one(sim.Swarm(o.seed, o.swarm))
	case slices.Contains(scenario.Library(), o.scenario):
		text, err := scenario.File(o.scenario)
		if err != nil {
			return nil, err
		}
		return scenario.Parse(text)
	case !slices.Contains(sim.Scenarios(), o.scenario):
		return nil, fmt.Errorf("-scenario: there is none called %q; see: nekton sim list scenarios", o.scenario)
	}
	members, err := swim.Preset(o.preset)
	if err != nil {
		return nil, fmt.Errorf("-preset: %w", err)
	}
	return one(sim.Options{
		Scenario: o.scenario, Nodes: o.nodes, For: o.lasts, Seed: o.seed, LossPPM: o.loss, Preset: members,
		Converged: o.warm,
	}.Case())
}

func one(c sim.Case, err error) ([]scenario.Run, error) { return []scenario.Run{{Case: c}}, err }

// readRuns reads a file: what it holds follows from its name.
func readRuns(file string) ([]scenario.Run, error) {
	switch filepath.Ext(file) {
	case bundleExt:
		b, err := readBundle(file)
		if err != nil {
			return nil, err
		}
		return one(b.Case, nil)
	case ".toml", ".json":
	default:
		return nil, fmt.Errorf("%s: want a scenario (.toml), a case (.json) or a bundle (%s)", file, bundleExt)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if filepath.Ext(file) == ".toml" {
		runs, err := scenario.Parse(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		for i := range runs {
			runs[i].Case.Name = cmp.Or(runs[i].Case.Name, strings.TrimSuffix(filepath.Base(file), ".toml"))
		}
		return runs, nil
	}
	var c sim.Case
	if err := json.Unmarshal(text, &c); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return one(c, nil)
}

// change does to a case what -mask and -mutant say.
func (o *caseFlags) change(c *sim.Case) error {
	faults := faultsOf(c)
	for _, name := range o.mask {
		if !slices.Contains(faults, name) {
			return fmt.Errorf("-mask: there is no fault %q in this run, only %s", name, listed(faults))
		}
	}
	*c = c.Without(o.mask...)
	return mutate(c, o.mutant)
}

func mutate(c *sim.Case, name string) error {
	if name == "" {
		return nil // a case from a file may have one
	}
	id, err := mutant.Parse(name)
	if err != nil {
		return fmt.Errorf("-mutant: no bug is called %q; see: nekton sim list mutants", name)
	}
	c.Swim.Mutant = id
	return nil
}

// faultsOf lists the names of a case's faults, sorted.
func faultsOf(c *sim.Case) (names []string) {
	for _, op := range c.Ops {
		if op.Fault != "" {
			names = append(names, op.Fault)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func listed(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
