package swim_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/codec/cbor"
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/stack"
	"github.com/nekton-go/nekton/core/swim"
)

// mourner is a member that counts whom it forgets.
type mourner struct {
	*host
	reaped map[string]core.Instant
}

func newMourner(t *testing.T, c swim.Config) *mourner {
	c.Name, c.Addr = "n1", addrs[1]
	node, err := stack.New(stack.Config{Swim: c, Dialect: cbor.New(cbor.Config{}), Check: true})
	require.NoError(t, err)
	m := &mourner{host: newHost(t, node), reaped: map[string]core.Instant{}}
	m.step(core.Input{Kind: core.InputWake})
	m.answerAll()
	return m
}

func (m *mourner) step(in core.Input) {
	m.node.Step(m.now, in)
	for e, ok := m.node.Next(); ok; e, ok = m.node.Next() {
		if r, ok := e.Event.(*swim.Reaped); ok {
			m.reaped[r.Name] = m.now
		}
		m.perform(e)
	}
}

func (m *mourner) hear(msg core.Message) {
	part, err := m.dialect.AppendMessage(nil, msg)
	require.NoError(m.t, err)
	m.step(core.Input{Kind: core.InputDatagram, From: addrs[2], Data: m.dialect.AppendDatagram(nil, [][]byte{part})})
}

func (m *mourner) until(end core.Instant) {
	for m.node.Deadline() <= end {
		m.now = max(m.now, m.node.Deadline())
		m.step(core.Input{Kind: core.InputWake})
	}
	m.now = end
}

func record(name string, i byte, incarnation uint32) swim.Record {
	return swim.Record{
		Name: name, Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 1, i}), 7946),
		Incarnation: incarnation, Versions: swim.LAN().Versions,
	}
}

// A member that dies and comes back five hundred times is forgotten once: TombstoneTime after its last death.
func TestTombstoneOfARestlessMember(t *testing.T) {
	c := swim.LAN()
	c.TombstoneTime, c.PushPullInterval, c.HealInterval = time.Minute, 720*time.Hour, 0
	m := newMourner(t, c)
	var died core.Instant
	for i := range uint32(500) {
		m.hear(&swim.Announce{Record: record("n2", 2, 2*i+1)})
		m.until(m.now.Add(10 * time.Millisecond))
		m.hear(&swim.Bury{Node: "n2", Incarnation: 2*i + 1, From: "n3"})
		died = m.now
		m.until(m.now.Add(100 * time.Millisecond))
		require.Empty(t, m.reaped)
	}
	m.until(died.Add(c.TombstoneTime - 1))
	require.Empty(t, m.reaped)
	m.until(died.Add(c.TombstoneTime + 2*c.ProbeInterval))
	require.Contains(t, m.reaped, "n2")
	require.GreaterOrEqual(t, m.reaped["n2"], died.Add(c.TombstoneTime))
}

// Members are forgotten in the order they went, each at its time; who has come back is not.
func TestTombstonesInOrder(t *testing.T) {
	c := swim.LAN()
	c.TombstoneTime, c.PushPullInterval, c.HealInterval = time.Minute, 720*time.Hour, 0
	m := newMourner(t, c)
	went := map[string]core.Instant{}
	for i := range byte(100) {
		name := string([]byte{'a' + i/26, 'a' + i%26})
		m.hear(&swim.Announce{Record: record(name, i+2, 1)})
		m.hear(&swim.Bury{Node: name, Incarnation: 1, From: name})
		went[name] = m.now
		if i%3 == 0 {
			m.hear(&swim.Announce{Record: record(name, i+2, 2)})
			m.hear(&swim.Bury{Node: name, Incarnation: 2, From: name})
		}
		m.until(m.now.Add(300 * time.Millisecond))
	}
	m.until(m.now.Add(2 * time.Minute))
	require.Len(t, m.reaped, 100)
	for name, at := range m.reaped {
		require.GreaterOrEqual(t, at, went[name].Add(c.TombstoneTime), name)
		require.LessOrEqual(t, at, went[name].Add(c.TombstoneTime+2*c.ProbeInterval), name)
	}
}
