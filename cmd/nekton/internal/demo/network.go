package demo

import (
	"net/netip"
	"sync"

	"github.com/nekton-go/nekton/core"
	host "github.com/nekton-go/nekton/hosts/native"
	"github.com/nekton-go/nekton/runtime"
)

// A network can be cut: members on different sides then send each other nothing, as if a cable had been
// pulled. Everything else about their sockets is real.
type network struct {
	mu   sync.RWMutex
	near map[netip.AddrPort]bool // one side of the cut; nil: the network is whole
}

func (n *network) cut(near []*member) {
	side := map[netip.AddrPort]bool{}
	for _, m := range near {
		side[m.cluster.Self().Addr] = true
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.near = side
}

func (n *network) mend() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.near = nil
}

func (n *network) open(a, b netip.AddrPort) bool {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.near == nil || n.near[a] == n.near[b]
}

// attach puts a host into the network.
func (n *network) attach(h *host.Host) runtime.Host { return &attached{h, n, h.Advertised()} }

type attached struct {
	runtime.Host
	network *network
	self    netip.AddrPort
}

// Do implements runtime.Host. A link that is up when the network is cut lives on: they are exchanges of a
// few milliseconds.
func (a *attached) Do(e core.Effect) {
	switch {
	case e.Kind == core.EffectSend && !a.network.open(a.self, e.To):
		return
	case e.Kind == core.EffectDial && !a.network.open(a.self, e.To):
		a.Post(core.Input{Kind: core.InputDown, Link: e.Link, From: e.To, Fault: core.FaultUnreachable})
		return
	}
	a.Host.Do(e)
}
