package swim

import (
	"fmt"
	"net/netip"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/timer"
	"github.com/nekton-go/nekton/internal/mutant"
)

// A join is a Join command under way: one attempt for each seed.
type join struct {
	id      uint64
	pending int
	reached int
	errors  []string
}

// An attempt is one seed of a join: its name is resolved, then its addresses are tried in order.
type attempt struct {
	join      *join
	seed      string
	addresses []netip.AddrPort
	token     core.Token // of the resolution under way
	timer     timer.Timer[*attempt]
}

// addressesMax bounds how many addresses of one name are tried.
const addressesMax = 16

// joinAtStart joins the configured seeds, and the members that an earlier life saw last. It reports as a
// Join command with ID 0 would.
func (m *Machine) joinAtStart(t *core.Turn) {
	var names []string
	for i := range m.seeds {
		names = append(names, m.seeds[i].name)
	}
	for _, addr := range m.remembered {
		names = append(names, addr.String())
	}
	if len(names) > 0 {
		m.startJoin(t, 0, names)
	}
}

func (m *Machine) join(t *core.Turn, c Join) {
	refuse := func(f core.Fault, why string) {
		t.Emit(&JoinDone{ID: c.ID, Fault: f, Errors: []string{why}})
	}
	switch {
	case m.leaving:
		refuse(core.FaultClosed, "this member has left")
	case len(c.Seeds) == 0:
		refuse(core.FaultInvalid, "name at least one seed, as host:port")
	case len(c.Seeds) > m.cfg.SeedsMax:
		refuse(core.FaultTooLarge, fmt.Sprintf("%d seeds; Config.SeedsMax is %d", len(c.Seeds), m.cfg.SeedsMax))
	case m.joins >= m.cfg.PingsMax:
		refuse(core.FaultBusy, "Config.PingsMax joins are under way")
	default:
		for _, name := range c.Seeds {
			m.rememberSeed(name)
		}
		m.startJoin(t, c.ID, c.Seeds)
	}
}

func (m *Machine) startJoin(t *core.Turn, id uint64, names []string) {
	m.joins++
	j := &join{id: id, pending: len(names)}
	for _, name := range names {
		a := &attempt{join: j, seed: name, token: t.Resolve(name)}
		m.resolving[a.token] = a
		m.resolveTimers.Set(&a.timer, a, m.now.Add(m.cfg.StreamTimeout))
	}
}

// resolved continues the attempt that waited for a name.
func (m *Machine) resolved(t *core.Turn, in *core.Input) {
	if in.Token == m.heal.token {
		m.healResolved(t, in)
		return
	}
	a := m.resolving[in.Token]
	if a == nil {
		return
	}
	delete(m.resolving, a.token)
	m.resolveTimers.Stop(&a.timer)
	a.addresses = m.others(in.Addrs)
	switch {
	case in.Fault != core.FaultNone:
		m.conclude(t, a, in.Fault, "cannot resolve the name")
	case len(in.Addrs) == 0:
		m.conclude(t, a, core.FaultNotFound, "the name has no addresses")
	case len(a.addresses) == 0:
		m.meetSeed(a.seed, m.cfg.Addr)
		m.conclude(t, a, core.FaultRefused, "that is this member itself")
	default:
		m.tryNext(t, a)
	}
}

// others are the addresses of a name that are not this member's own, at most addressesMax of them.
func (m *Machine) others(addrs []netip.AddrPort) []netip.AddrPort {
	var others []netip.AddrPort
	for _, a := range addrs {
		if a = unmap(a); a != m.cfg.Addr && a.IsValid() && a.Port() != 0 && len(others) < addressesMax {
			others = append(others, a)
		}
	}
	return others
}

// unmap is an address in the one form it has on the wire: IPv4 is not written as IPv6.
func unmap(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }

// expireResolutions gives up on names that take too long.
func (m *Machine) expireResolutions(t *core.Turn, due core.Instant) {
	for a, ok := m.resolveTimers.Due(due); ok; a, ok = m.resolveTimers.Due(due) {
		delete(m.resolving, a.token)
		m.conclude(t, a, core.FaultTimeout, "cannot resolve the name")
	}
	if m.heal.token != 0 && m.heal.until <= due {
		m.heal.token, m.heal.running = 0, false
	}
}

// tryNext dials an attempt's next address, once there is room for another exchange.
func (m *Machine) tryNext(t *core.Turn, a *attempt) {
	addr := a.addresses[0]
	switch {
	case m.leaving:
		m.conclude(t, a, core.FaultClosed, "this member has left")
	case m.joining >= m.cfg.ExchangesMax:
		m.backlog = append(m.backlog, a)
	default:
		m.joining++
		a.addresses = a.addresses[1:]
		m.dial(t, addr, &exchange{kind: joinPull, attempt: a, until: m.now.Add(m.cfg.StreamTimeout)})
	}
}

// attempted handles the outcome of one dialed address.
func (m *Machine) attempted(t *core.Turn, a *attempt, addr netip.AddrPort, fault core.Fault, why string) {
	m.joining--
	if fault == core.FaultNone {
		m.meetSeed(a.seed, addr)
	}
	if fault != core.FaultNone && len(a.addresses) > 0 {
		m.backlog = append(m.backlog, a)
	} else {
		m.conclude(t, a, fault, why)
	}
	for len(m.backlog) > 0 && m.joining < m.cfg.ExchangesMax {
		next := m.backlog[0]
		m.backlog = m.backlog[1:]
		m.tryNext(t, next)
	}
}

// conclude settles one seed, and the join with the last one.
func (m *Machine) conclude(t *core.Turn, a *attempt, fault core.Fault, why string) {
	j := a.join
	j.pending--
	if fault == core.FaultNone {
		j.reached++
	} else {
		line := a.seed + ": " + fault.String()
		if why != "" {
			line += ", " + why
		}
		j.errors = append(j.errors, line)
	}
	if j.pending > 0 || m.cfg.Mutant == mutant.LoseJoin {
		return
	}
	m.joins--
	m.snapshot(t) // a crash soon after must not forget whom we just met
	done := &JoinDone{ID: j.id, Reached: j.reached, Errors: j.errors}
	if j.reached == 0 {
		done.Fault = core.FaultUnreachable
	}
	t.Emit(done)
	m.settleIfAlone(t)
}
