// Package scenario reads scenario files: a cluster, what happens to it and what to expect, as TOML.
//
//	name = "one-way-loss"
//	nodes = 100
//	for = "5m"
//
//	[swim]
//	SuspicionMult = 5
//
//	[[op]]
//	kind = "loss"
//	nodes = { pick = 1 }
//	one_way = true
//	ppm = 800_000
//	from = "30s"
//	to = "150s"
//
//	[[expect]]
//	metric = "false_positives"
//	at_most = 0
//
//	[grid]
//	"op.0.ppm" = [200_000, 800_000]
//	seed = [1, 2, 3]
//
// A file is one run, or, with a grid, one for each combination of its values, in the order of the file. Every
// key that nobody knows is an error, and so is every value that cannot be meant. What a run does in detail is
// in the [sim.Case] that it expands to.
//
// # Keys
//
// All may be left out. Durations are text, such as "500ms" or "1h"; times count from the beginning of the run.
//
//	name     what the run is called; default none
//	doc      what happens in it, for readers
//	seed     decides all that is left to chance; 0 or more, default 1
//	nodes    how many members, all of which start and join at the beginning: 1 to 4096, default 16
//	for      how long the run takes, past its last disturbance; default as long as members may need to agree
//	preset   timing of the members: lan (default), wan or local, or one of them with -memberlist appended
//
//	[net]    how packets travel: see sim.Network
//	latency  the least and the most; default ["500us", "1.5ms"], whatever the shape
//	shape    how latencies are distributed between them: constant, even, exponential, log-normal or pareto
//	mean     of latencies, which each shape needs
//	sealed   whether members encrypt what they say; default false
//
//	[swim]   fields of swim.Config, spelt as there: numbers, and durations as text
//
//	[[op]]   one thing that happens, as often as there are some
//	kind     what: required; nekton sim list operations says which there are and which keys each of them needs
//	nodes    to whom: "all", "n3", ["n1", "n2"], { pick = 3 } for three that the seed draws, { percent = 10 }
//	peers    likewise; "others" are all that nodes are not
//	at       when, for what is over at once; or
//	from, to when it begins and ends; without to it lasts to the end of the run
//	one_way, lost, ppm, extra, every, size, nth, mode, text
//	         as the fields of sim.Op
//
//	[[expect]]
//	metric   one of violations, false_positives, false_positives_of_well, false_positives_among_well,
//	         first_detection_ms, full_dissemination_ms, converged_ms, packets_per_node_s, bytes_per_node_s;
//	         what did not happen measures -1
//	at_most, at_least
//	         whole numbers, one or both of them
//
//	[grid]   keys of the file, "op.0.ppm" for that of the first op, each with a list of values
//
// The library holds a file for each thing that users of such clusters report; see Library.
package scenario

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/sim"
)

// ErrFile is wrapped by every error about what a file says.
var ErrFile = errors.New("bad scenario file")

func bad(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrFile}, args...)...)
}

// A Run is one run that a file asks for.
type Run struct {
	Case    sim.Case
	Expects []Expect
	Point   string // where in the grid: "op.0.ppm=200000 seed=1", empty without one
}

// file is what a scenario file says, one point of its grid chosen.
type file struct {
	Name   string
	Doc    string
	Seed   int64 // TOML has no others
	Nodes  int
	For    duration
	Preset string
	Net    network
	Swim   swimConfig
	Ops    []operation `toml:"op"`
	Expect []Expect
	Grid   map[string][]any
}

// network is [net]: how packets travel, and whether a seal goes around them. See sim.Network.
type network struct {
	Latency []duration // the least and the most
	Mean    duration
	Shape   string
	Sealed  bool
}

// duration is written as "1.5s".
type duration time.Duration

func (d *duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is no duration; write 500ms, 30s or 10m", text)
	}
	*d = duration(v)
	return nil
}

// Parse reads a file. Errors wrap ErrFile and name the key.
func Parse(text []byte) ([]Run, error) {
	points, err := expand(string(text))
	if err != nil {
		return nil, err
	}
	runs := make([]Run, 0, len(points))
	for _, p := range points {
		f, err := decode(p.text)
		if err != nil {
			return nil, err
		}
		c, err := f.build()
		if err != nil {
			if p.name != "" {
				err = fmt.Errorf("at %s: %w", p.name, err)
			}
			return nil, err
		}
		runs = append(runs, Run{Case: c, Expects: f.Expect, Point: p.name})
	}
	return runs, nil
}

// decode reads one run. A key that nobody knows is an error.
func decode(text string) (file, error) {
	f := file{Nodes: 16, Seed: 1, Preset: "lan"}
	meta, err := toml.Decode(text, &f)
	if err != nil {
		return f, bad("%v", err)
	}
	if extra := meta.Undecoded(); len(extra) > 0 {
		names := make([]string, len(extra))
		for i, key := range extra {
			names[i] = key.String()
		}
		return f, bad("nobody knows %s", strings.Join(names, ", "))
	}
	for i := range f.Expect {
		if err := f.Expect[i].validate(); err != nil {
			return f, err
		}
	}
	return f, nil
}

// build makes the case of one run.
func (f *file) build() (sim.Case, error) {
	members, err := swim.Preset(f.Preset)
	if err != nil {
		return sim.Case{}, bad("preset: %v", err)
	}
	if err := f.Swim.apply(&members); err != nil {
		return sim.Case{}, err
	}
	if f.Nodes < 1 || f.Nodes > nodesMax {
		return sim.Case{}, bad("nodes = %d; use 1 to %d", f.Nodes, nodesMax)
	}
	if f.Seed < 0 {
		return sim.Case{}, bad("seed = %d; use 0 or more", f.Seed)
	}
	c := sim.NewCase(f.Name, f.Nodes, uint64(f.Seed), members)
	if err := f.Net.apply(&c); err != nil {
		return c, err
	}
	for i := range f.Ops {
		op, err := f.Ops[i].build(&c, i)
		if err != nil {
			return c, fmt.Errorf("op.%d: %w", i, err)
		}
		c.Ops = append(c.Ops, op)
	}
	c.For = time.Duration(f.For)
	if f.For == 0 {
		c.Expect()
	} else {
		asked := c.For
		if c.Expect(); c.Mark >= asked {
			return c, bad("for = %v, but its last disturbance ends at %v", asked, c.Mark)
		}
		c.For = asked
	}
	if err := c.Validate(); err != nil {
		return c, bad("%v", err)
	}
	return c, nil
}

const nodesMax = 1 << 16 // far beyond what a run holds; Case.Validate knows

func (n *network) apply(c *sim.Case) error {
	c.Sealed, c.Network.Shape, c.Network.LatencyMean = n.Sealed, n.Shape, time.Duration(n.Mean)
	switch len(n.Latency) {
	case 0:
	case 2:
		c.Network.LatencyMin, c.Network.LatencyMax = time.Duration(n.Latency[0]), time.Duration(n.Latency[1])
	default:
		return bad(`net.latency: give the least and the most, as ["500us", "1.5ms"]`)
	}
	return nil
}
