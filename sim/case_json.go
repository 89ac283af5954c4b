package sim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/nekton-go/nekton/core/swim"
)

// Cases and operations as JSON, for people to read and compare: durations as text ("1.5s"), kinds by name,
// nothing that has its default, and of the members' configuration what differs from swim.LAN. A field that
// nobody knows is an error.

// span is a duration that is written as text.
type span time.Duration

func (s span) MarshalText() ([]byte, error) { return []byte(time.Duration(s).String()), nil }

func (s *span) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	*s = span(d)
	return err
}

type caseJSON struct {
	Name      string          `json:"name,omitempty"`
	Seed      uint64          `json:"seed"`
	Nodes     int             `json:"nodes"`
	Converged bool            `json:"converged,omitempty"`
	Mark      span            `json:"mark"`
	Within    span            `json:"within"`
	For       span            `json:"for"`
	Search    span            `json:"search,omitempty"`
	Truncated bool            `json:"truncated,omitempty"`
	Victim    *int            `json:"victim,omitempty"`
	Sealed    bool            `json:"sealed,omitempty"`
	Latencies [2]span         `json:"latency"`
	Mean      span            `json:"latency_mean,omitempty"`
	Shape     string          `json:"latency_shape,omitempty"`
	Swim      json.RawMessage `json:"swim"`
	Ops       []Op            `json:"ops"`
}

// MarshalJSON implements json.Marshaler.
func (c Case) MarshalJSON() ([]byte, error) {
	members, err := difference(c.Swim)
	if err != nil {
		return nil, err
	}
	j := caseJSON{
		Name: c.Name, Seed: c.Seed, Nodes: c.Nodes, Converged: c.Converged,
		Mark: span(c.Mark), Within: span(c.Within), For: span(c.For), Search: span(c.Search),
		Truncated: c.Truncated, Sealed: c.Sealed,
		Latencies: [2]span{span(c.Network.LatencyMin), span(c.Network.LatencyMax)},
		Mean:      span(c.Network.LatencyMean), Shape: c.Network.Shape, Swim: members, Ops: c.Ops,
	}
	if c.Victim >= 0 {
		j.Victim = &c.Victim
	}
	return json.Marshal(j)
}

// UnmarshalJSON implements json.Unmarshaler.
func (c *Case) UnmarshalJSON(text []byte) error {
	j := caseJSON{}
	if err := strictly(text, &j); err != nil {
		return err
	}
	members := swim.LAN()
	if len(j.Swim) > 0 {
		if err := strictly(j.Swim, &members); err != nil {
			return err
		}
	}
	*c = Case{
		Name: j.Name, Seed: j.Seed, Nodes: j.Nodes, Converged: j.Converged, Victim: never,
		Mark: time.Duration(j.Mark), Within: time.Duration(j.Within), For: time.Duration(j.For),
		Search: time.Duration(j.Search), Truncated: j.Truncated, Sealed: j.Sealed,
		Network: Network{
			LatencyMin: time.Duration(j.Latencies[0]), LatencyMax: time.Duration(j.Latencies[1]),
			LatencyMean: time.Duration(j.Mean), Shape: j.Shape,
		},
		Swim: members, Ops: j.Ops,
	}
	if j.Victim != nil {
		c.Victim = *j.Victim
	}
	return nil
}

func strictly(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

// difference is an object of the fields of c that differ from swim.LAN.
func difference(c swim.Config) (json.RawMessage, error) {
	mine, err := fields(c)
	if err != nil {
		return nil, err
	}
	lan, err := fields(swim.LAN())
	if err != nil {
		return nil, err
	}
	return object(slices.DeleteFunc(mine, func(f []byte) bool { return contains(lan, f) })), nil
}

// fields lists a config's fields as JSON members ("name":value), in order.
func fields(c swim.Config) (all [][]byte, err error) {
	text, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
		all = append(all, fmt.Appendf(nil, "%q:%s", name, value))
	}
	return all, nil
}

// Tuned lists the fields of Swim that differ from swim.LAN, but for the mutant.
func (c *Case) Tuned() (names []string) {
	mine, _ := fields(c.Swim) // a Config is always JSON
	lan, _ := fields(swim.LAN())
	for _, f := range mine {
		if !contains(lan, f) && name(f) != "Mutant" {
			names = append(names, name(f))
		}
	}
	return names
}

// Untuned returns the case with some fields of Swim as in swim.LAN.
func (c Case) Untuned(names ...string) Case {
	lan, _ := fields(swim.LAN())
	lan = slices.DeleteFunc(lan, func(f []byte) bool { return !slices.Contains(names, name(f)) })
	members := c.Swim // what is no data stays
	if json.Unmarshal(object(lan), &members) == nil {
		c.Swim = members
	}
	return c
}

func contains(all [][]byte, member []byte) bool {
	return slices.ContainsFunc(all, func(f []byte) bool { return bytes.Equal(f, member) })
}

// object puts members into braces.
func object(members [][]byte) []byte {
	return append(append([]byte{'{'}, bytes.Join(members, []byte{','})...), '}')
}

// name is the name in a JSON member ("name":value).
func name(member []byte) string {
	n, _, _ := bytes.Cut(member[1:], []byte{'"'})
	return string(n)
}

type opJSON struct {
	At     span   `json:"at"`
	Until  span   `json:"until,omitempty"`
	Kind   Kind   `json:"kind"`
	Fault  string `json:"fault,omitempty"`
	Nodes  []int  `json:"nodes,omitempty"`
	Peers  []int  `json:"peers,omitempty"`
	OneWay bool   `json:"one_way,omitempty"`
	Lost   bool   `json:"lost,omitempty"`
	PPM    int    `json:"ppm,omitempty"`
	Extra  span   `json:"extra,omitempty"`
	Every  span   `json:"every,omitempty"`
	Size   int    `json:"size,omitempty"`
	Nth    int    `json:"nth,omitempty"`
	Mode   string `json:"mode,omitempty"`
	Text   string `json:"text,omitempty"`
}

// MarshalJSON implements json.Marshaler.
func (o Op) MarshalJSON() ([]byte, error) {
	return json.Marshal(opJSON{
		span(o.At), span(o.Until), o.Kind, o.Fault, o.Nodes, o.Peers, o.OneWay, o.Lost, o.PPM,
		span(o.Extra), span(o.Every), o.Size, o.Nth, o.Mode, o.Text,
	})
}

// UnmarshalJSON implements json.Unmarshaler.
func (o *Op) UnmarshalJSON(text []byte) error {
	var j opJSON
	if err := strictly(text, &j); err != nil {
		return err
	}
	*o = Op{
		time.Duration(j.At), time.Duration(j.Until), j.Kind, j.Fault, j.Nodes, j.Peers, j.OneWay, j.Lost, j.PPM,
		time.Duration(j.Extra), time.Duration(j.Every), j.Size, j.Nth, j.Mode, j.Text,
	}
	return nil
}

// MarshalText implements encoding.TextMarshaler.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (k *Kind) UnmarshalText(text []byte) (err error) {
	*k, err = ParseKind(string(text))
	return err
}
