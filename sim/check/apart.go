package check

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/nekton-go/nekton/core/swim"
)

// Apart proves that the members that count can never agree again: one has no room for all of them, or they fall
// into groups none of whose members has any reason to call anybody in another. Reasons are a row of its table, of
// whom did not say goodbye and lives where it did then, and a seed that it was told. Apart describes who has no
// room, or two such groups. It is empty if there are none: then nothing excuses disagreement.
func (c *Checker) Apart() string {
	if crowd := c.crowd(); crowd != "" {
		return crowd
	}
	return c.groups(func(r row) bool { return r.state != swim.Left }, true)
}

// Scattered describes two groups of the members that count none of which holds one of the other to be there. They
// may have reason to look for each other.
func (c *Checker) Scattered() string {
	return c.groups(func(r row) bool { return !r.state.Gone() }, false)
}

// groups describes two that no row that counts connects, nor a seed if seeds do.
func (c *Checker) groups(counts func(row) bool, seeds bool) string {
	group := make([]int, len(c.members)) // the lowest member that each is connected with
	for i := range group {
		group[i] = i
	}
	lowest := func(i int) int {
		for group[i] != i {
			i = group[i]
		}
		return i
	}
	join := func(a, b int) { group[max(lowest(a), lowest(b))] = min(lowest(a), lowest(b)) }
	for o := range c.members {
		if !c.members[o].present() {
			continue
		}
		for s := range c.members {
			if r := c.row(o, s); c.members[s].present() && r.known && counts(r) && c.lives(s, r) {
				join(o, s)
			}
		}
		for _, s := range c.members[o].seeds {
			if seeds && c.members[s].present() {
				join(o, int(s))
			}
		}
	}
	first, second := -1, -1
	for i := range c.members {
		switch {
		case !c.members[i].present():
		case first < 0:
			first = lowest(i)
		case lowest(i) != first && second < 0:
			second = lowest(i)
		}
	}
	if second < 0 {
		return ""
	}
	return fmt.Sprintf("%s know nobody among %s, nor they them", c.grouped(group, first), c.grouped(group, second))
}

// crowd finds a member that has not room for all that count.
func (c *Checker) crowd() string {
	present, least := 0, -1
	for i := range c.members {
		if !c.members[i].present() {
			continue
		}
		if present++; least < 0 || c.members[i].swim.MembersMax < c.members[least].swim.MembersMax {
			least = i
		}
	}
	if least < 0 || c.members[least].swim.MembersMax >= present {
		return ""
	}
	return fmt.Sprintf("%s has room for %d members, and %d run", Name(least), c.members[least].swim.MembersMax, present)
}

// lives reports whether a member lives where a row says.
func (c *Checker) lives(s int, r row) bool { return slices.Contains(c.members[s].here, r.identity) }

// grouped lists up to five members of a group.
func (c *Checker) grouped(group []int, lowest int) string {
	var names []string
	for i := range group {
		at := i
		for group[at] != at {
			at = group[at]
		}
		switch {
		case at != lowest || !c.members[i].present():
		case len(names) == 5:
			return strings.Join(names, " ") + " ..."
		default:
			names = append(names, Name(i))
		}
	}
	return strings.Join(names, " ")
}

// toldSeeds notes whom a member was told to join by way of.
func (c *Checker) toldSeeds(i int, j *swim.Join) {
	for _, seed := range j.Seeds {
		s := -1
		if addr, err := netip.ParseAddrPort(seed); err == nil {
			s = c.config.Locate(addr)
		} else if host, _, ok := strings.Cut(seed, ":"); ok {
			s = Index(host)
		}
		if s >= 0 && s < len(c.members) {
			c.members[i].seeds = append(c.members[i].seeds, int32(s))
		}
	}
}
