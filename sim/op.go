package sim

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nekton-go/nekton/sim/check"
)

// An Op is one entry of a schedule: what happens to whom, and when. Which fields count depends on its Kind:
// see Kinds. In faults of the network no Nodes, or no Peers, means all of them.
type Op struct {
	At, Until time.Duration // since the beginning of the run; Until 0: to its end
	Kind      Kind
	// Fault names the entry of the catalogue that this operation comes from. Operations of one fault are
	// masked together; empty for what is no fault.
	Fault string

	Nodes, Peers []int
	OneWay       bool          // from Nodes to Peers, not back
	Lost         bool          // without what the process had written down
	PPM          int           // how many in a million
	Extra        time.Duration // how much later, or longer
	Every        time.Duration // the period of what comes and goes
	Size         int           // bytes; for who is stopped, datagrams
	Nth          int           // which packet of the pair, from 1 and from the beginning of the run; which effect
	Mode         string        // which variant
	Text         string        // for Call; what is sent or set
}

// params are the fields of an Op that count.
type params uint16

const (
	hasNodes params = 1 << iota // at least one; otherwise none means all
	hasPeers                    // likewise
	anyNodes                    // Nodes, none means all
	anyPair                     // Nodes and Peers, none means all
	hasPPM
	hasExtra
	hasEvery
	hasSize
	hasNth
	isWindow // Until counts
)

// IsFault reports whether the operation is something that goes wrong, and not something that members do.
func (o *Op) IsFault() bool {
	return o.Kind < kinds && kindTable[o.Kind].realm != ofMembers
}

// Loses reports whether all that the operation does is to lose packets at random.
func (o *Op) Loses() bool {
	return o.Kind == Loss || o.Kind == Burst || o.Kind == Fade || o.Kind == Corrupt && o.Mode == ""
}

// validate says why an operation makes no sense among so many members.
func (o *Op) validate(nodes int) error {
	if o.Kind >= kinds {
		return fmt.Errorf("there is no such kind of operation")
	}
	info := &kindTable[o.Kind]
	for _, group := range [...][]int{o.Nodes, o.Peers} {
		for _, i := range group {
			if i < 0 || i >= nodes {
				return fmt.Errorf("member %d does not exist; there are %d, counted from 0", i, nodes)
			}
		}
	}
	switch {
	case o.At < 0 || o.At > forMax || o.Until < 0 || o.Until > forMax:
		return fmt.Errorf("times must be from 0 to %v", forMax)
	case o.Until > 0 && o.Until <= o.At:
		return fmt.Errorf("it ends before it begins")
	case o.Until > 0 && info.params&isWindow == 0:
		return fmt.Errorf("it happens at one moment: leave out the end")
	case info.params&hasNodes != 0 && len(o.Nodes) == 0:
		return fmt.Errorf("say which members")
	case info.params&hasPeers != 0 && len(o.Peers) == 0:
		return fmt.Errorf("say by way of which members")
	case o.Kind == Drop && (o.Nth < 1 || len(o.Nodes) != 1 || len(o.Peers) != 1):
		return fmt.Errorf("name one sender, one receiver, and which packet, from 1")
	case o.PPM < 0 || o.PPM > million:
		return fmt.Errorf("%d in a million; use 0 to %d", o.PPM, million)
	case o.Extra < 0 || o.Extra > forMax || o.Every < 0 || o.Every > forMax:
		return fmt.Errorf("durations must be from 0 to %v", forMax)
	case o.Size < 0:
		return fmt.Errorf("a size of %d bytes", o.Size)
	case len(info.modes) > 0 && !slices.Contains(info.modes, o.Mode):
		return fmt.Errorf("there is no mode %q; use one of %q", o.Mode, info.modes)
	case info.needs&isWindow != 0 && o.Until == 0:
		return fmt.Errorf("say when it ends")
	case info.needs&hasExtra != 0 && o.Extra == 0:
		return fmt.Errorf("say for how long")
	case info.needs&hasEvery != 0 && o.Every == 0:
		return fmt.Errorf("say how often")
	case info.needs&hasSize != 0 && o.Size == 0:
		return fmt.Errorf("say how many bytes")
	case (o.Kind == Cut || o.Kind == Burst || o.Kind == Starve) && o.Every > 0 && (o.Extra == 0 || o.Extra >= o.Every):
		return fmt.Errorf("for %v of every %v; use more than 0, and less than the period", o.Extra, o.Every)
	case info.most > 0 && o.PPM > info.most:
		return fmt.Errorf("%d in a million; use at most %d", o.PPM, info.most)
	case o.Kind == CrashWithin && o.Nth < 1:
		return fmt.Errorf("say after how many effects, from 1")
	}
	return nil
}

// String puts the operation on one line, without its beginning.
func (o Op) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v %s", o.Kind, members(o.Nodes))
	if o.Kind < kinds && kindTable[o.Kind].params&(hasPeers|anyPair) != 0 {
		arrow := map[bool]string{false: " - ", true: " > "}[o.OneWay]
		b.WriteString(arrow + members(o.Peers))
	}
	if o.Mode != "" {
		b.WriteString(" " + o.Mode)
	}
	if o.Text != "" {
		fmt.Fprintf(&b, " %q", o.Text)
	}
	if o.PPM > 0 {
		fmt.Fprintf(&b, " %d ppm", o.PPM)
	}
	if o.Nth > 0 {
		fmt.Fprintf(&b, " %s %d", map[bool]string{false: "packet", true: "effect"}[o.Kind == CrashWithin], o.Nth)
	}
	if o.Size > 0 {
		fmt.Fprintf(&b, " %d %s", o.Size, o.Kind.size())
	}
	if o.Extra > 0 {
		fmt.Fprintf(&b, " %s %v", o.Kind.extra(), o.Extra)
	}
	if o.Every > 0 {
		fmt.Fprintf(&b, " every %v", o.Every)
	}
	if o.Lost {
		b.WriteString(" lost")
	}
	if o.Until > 0 {
		fmt.Fprintf(&b, " until %v", o.Until)
	}
	return b.String()
}

// extra puts into words what Op.Extra is.
func (k Kind) extra() string {
	switch k {
	case Latency:
		return "of"
	case Cut, Burst:
		return "for"
	}
	return "up to"
}

// size puts into words what Op.Size counts.
func (k Kind) size() string {
	switch k {
	case Pause, Starve, Freeze:
		return "datagrams"
	}
	return "bytes"
}

// members names some members, runs of neighbours as n0..n9.
func members(nodes []int) string {
	if len(nodes) == 0 {
		return "all"
	}
	var parts []string
	for i := 0; i < len(nodes); {
		j := i
		for j+1 < len(nodes) && nodes[j+1] == nodes[j]+1 {
			j++
		}
		switch part := check.Name(nodes[i]); {
		case j > i+1:
			parts = append(parts, part+".."+check.Name(nodes[j]))
			i = j + 1
		default:
			parts = append(parts, part)
			i++
		}
	}
	return strings.Join(parts, " ")
}
