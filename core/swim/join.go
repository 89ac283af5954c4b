package swim

import (
	"fmt"
	"net/netip"

	"github.com/nekton-go/nekton/core"
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
}

// addressesMax bounds how many addresses of one name are tried.
const addressesMax = 16

// joinAtStart joins the configured seeds. It reports as a Join command with ID 0 would.
func (m *Machine) joinAtStart(t *core.Turn) {
	for _, addr := range m.remembered {
		m.rememberSeed(addr.String())
	}
	var names []string
	for i := range m.seeds {
		names = append(names, m.seeds[i].name)
	}
	if len(names) > 0 {
		m.join(t, Join{Seeds: names})
	}
}

func (m *Machine) join(t *core.Turn, c Join) {
	switch {
	case m.leaving:
		t.Emit(&JoinDone{ID: c.ID, Fault: core.FaultClosed, Errors: []string{"this member has left"}})
		return
	case len(c.Seeds) == 0:
		t.Emit(&JoinDone{ID: c.ID, Fault: core.FaultInvalid, Errors: []string{"name at least one seed, as host:port"}})
		return
	case len(c.Seeds) > m.cfg.SeedsMax:
		why := fmt.Sprintf("%d seeds; Config.SeedsMax is %d", len(c.Seeds), m.cfg.SeedsMax)
		t.Emit(&JoinDone{ID: c.ID, Fault: core.FaultTooLarge, Errors: []string{why}})
		return
	}
	j := &join{id: c.ID, pending: len(c.Seeds)}
	for _, seed := range c.Seeds {
		m.rememberSeed(seed)
		a := &attempt{join: j, seed: seed}
		m.resolving[t.Resolve(seed)] = a
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
	delete(m.resolving, in.Token)
	switch {
	case in.Fault != core.FaultNone:
		m.conclude(t, a, in.Fault, "cannot resolve the name")
	case len(in.Addrs) == 0:
		m.conclude(t, a, core.FaultNotFound, "the name has no addresses")
	default:
		a.addresses = append(a.addresses, in.Addrs[:min(len(in.Addrs), addressesMax)]...)
		m.tryNext(t, a)
	}
}

// tryNext dials an attempt's next address, once there is room for another exchange.
func (m *Machine) tryNext(t *core.Turn, a *attempt) {
	addr := a.addresses[0]
	switch {
	case addr == m.cfg.Addr:
		m.seedIsSelf(a.seed)
		m.conclude(t, a, core.FaultRefused, "that is this member itself")
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
	if j.pending > 0 {
		return
	}
	done := &JoinDone{ID: j.id, Reached: j.reached, Errors: j.errors}
	if j.reached == 0 {
		done.Fault = core.FaultUnreachable
	}
	t.Emit(done)
}
