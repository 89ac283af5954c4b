package scenario

import (
	"fmt"
	"slices"
	"time"

	"github.com/nekton-go/nekton/sim"
	"github.com/nekton-go/nekton/sim/check"
)

// operation is one [[op]].
type operation struct {
	Kind   string
	Nodes  selector
	Peers  selector
	At     duration // when it is over at once
	From   duration // when it lasts
	To     duration
	OneWay bool `toml:"one_way"`
	Lost   bool
	PPM    int
	Extra  duration
	Every  duration
	Size   int
	Nth    int
	Mode   string
	Text   string
}

// build makes the operation, the index-th of the file.
func (o *operation) build(c *sim.Case, index int) (sim.Op, error) {
	kind, err := sim.ParseKind(o.Kind)
	if err != nil {
		return sim.Op{}, bad("kind: %v; see: nekton sim list operations", err)
	}
	if o.At != 0 && (o.From != 0 || o.To != 0) {
		return sim.Op{}, bad("give at, or from and to")
	}
	op := sim.Op{
		At: time.Duration(o.At + o.From), Until: time.Duration(o.To), Kind: kind, Fault: kind.String(),
		OneWay: o.OneWay, Lost: o.Lost, PPM: o.PPM, Extra: time.Duration(o.Extra), Every: time.Duration(o.Every),
		Size: o.Size, Nth: o.Nth, Mode: o.Mode, Text: o.Text,
	}
	if !op.IsFault() {
		op.Fault = ""
	}
	if op.Nodes, err = o.Nodes.choose(c, 2*index, nil); err != nil {
		return op, fmt.Errorf("nodes: %w", err)
	}
	if op.Peers, err = o.Peers.choose(c, 2*index+1, op.Nodes); err != nil {
		return op, fmt.Errorf("peers: %w", err)
	}
	return op, nil
}

// selector says which members: "all", "n3", ["n1", "n2"], { pick = 3 } for so many at random,
// { percent = 1 } for a share of all, at least one, and, for peers, "others".
type selector struct {
	names []string
	by    string // "pick" or "percent"; empty for names
	size  int    // of what is picked
}

// UnmarshalTOML implements toml.Unmarshaler.
func (s *selector) UnmarshalTOML(value any) error {
	switch v := value.(type) {
	case string:
		s.names = []string{v}
		return nil
	case []any:
		for _, one := range v {
			name, ok := one.(string)
			if !ok {
				return fmt.Errorf("%v is no member; write n0, n1 and so on", one)
			}
			s.names = append(s.names, name)
		}
		return nil
	case map[string]any:
		for _, by := range []string{"pick", "percent"} {
			if n, ok := v[by].(int64); ok && len(v) == 1 {
				s.by, s.size = by, int(n)
				return nil
			}
		}
	}
	return fmt.Errorf(`which members? write "all", "n3", ["n1", "n2"], { pick = 3 } or { percent = 10 }`)
}

// choose lists the members. Picks are drawn by the case's seed, the operation and its side.
func (s *selector) choose(c *sim.Case, key int, nodes []int) ([]int, error) {
	switch {
	case s.by == "percent" && (s.size < 1 || s.size > 100):
		return nil, bad("percent = %d; use 1 to 100", s.size)
	case s.by == "percent":
		return sim.Pick(c.Seed, key, c.Nodes, max(1, c.Nodes*s.size/100)), nil
	case s.by == "pick" && (s.size < 1 || s.size > c.Nodes):
		return nil, bad("pick = %d of %d members; use 1 to %d", s.size, c.Nodes, c.Nodes)
	case s.by == "pick":
		return sim.Pick(c.Seed, key, c.Nodes, s.size), nil
	case len(s.names) == 1 && s.names[0] == "all":
		return span(0, c.Nodes), nil
	case len(s.names) == 1 && s.names[0] == "others":
		if len(nodes) == 0 {
			return nil, bad("others than whom? say which nodes")
		}
		return slices.DeleteFunc(span(0, c.Nodes), func(i int) bool { return slices.Contains(nodes, i) }), nil
	}
	var all []int
	for _, name := range s.names {
		i := check.Index(name)
		if i < 0 || i >= c.Nodes {
			return nil, bad("%q is no member; there are n0 to n%d", name, c.Nodes-1)
		}
		all = append(all, i)
	}
	return all, nil
}

func span(from, to int) (all []int) {
	for i := from; i < to; i++ {
		all = append(all, i)
	}
	return all
}
