package wasm

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/codec/abi"
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/stack"
	"github.com/nekton-go/nekton/core/swim"
)

// echo appends what it is replayed.
type echo struct{}

func (echo) Deadline() core.Instant { return core.Never }
func (echo) Handle(t *core.Turn, in *core.Input) {
	if in.Kind == core.InputReplay {
		t.Append(in.Data)
	}
}

func mountEcho(c *abi.NodeConfig) ([]core.Mount, error) {
	if string(c.Custom) == "no" {
		return nil, errors.New("not today")
	}
	c.Swim.Admit = func(*swim.Record) bool { return true } // code is the guest's to set
	return []core.Mount{{Proto: stack.FirstFree, Machine: echo{}}}, nil
}

func nodeConfig(custom string) abi.NodeConfig {
	c := abi.NodeConfig{Swim: swim.LAN(), Custom: []byte(custom)}
	c.Swim.Name, c.Swim.Addr = "a", netip.MustParseAddrPort("10.0.0.1:7946")
	return c
}

// host writes records into a guest's buffer, as hosts do.
type host struct {
	t *testing.T
	g *guest
}

func (h host) write(record []byte) uint32 {
	copy(h.g.inbuf(uint32(len(record))), record)
	return uint32(len(record))
}

func (h host) create(c abi.NodeConfig) (node uint32, why string) {
	record, err := abi.AppendNodeConfig(nil, &c)
	require.NoError(h.t, err)
	node, why, err = abi.ReadMade(h.g.create(h.write(record)))
	require.NoError(h.t, err)
	return node, why
}

func (h host) step(node uint32, in core.Input) (effects []core.Effect) {
	record, err := abi.NewCatalog().AppendInput(nil, &in)
	require.NoError(h.t, err)
	_, n, rest, err := abi.ReadOutput(h.g.step(node, 1, h.write(record)))
	require.NoError(h.t, err)
	for range n {
		var e core.Effect
		rest, err = abi.NewCatalog().ReadEffect(rest, &e)
		require.NoError(h.t, err)
		effects = append(effects, e)
	}
	require.Empty(h.t, rest)
	return effects
}

func TestNodesComeAndGo(t *testing.T) {
	h := host{t, newGuest(mountEcho)}
	for n := uint32(1); n <= 3; n++ {
		node, why := h.create(nodeConfig(""))
		require.Equal(t, n, node, why)
	}
	h.g.free(2)
	h.g.free(2)
	require.Nil(t, h.g.step(2, 1, 0))
	require.Nil(t, h.g.stats(2))
	require.Nil(t, h.g.step(0, 1, 0))
	require.Nil(t, h.g.step(9, 1, 0))
	node, _ := h.create(nodeConfig(""))
	require.Equal(t, uint32(2), node)
	node, _ = h.create(nodeConfig(""))
	require.Equal(t, uint32(4), node)
	h.step(4, core.Input{Kind: core.InputWake})
	stats, err := abi.ReadStats(h.g.stats(4))
	require.NoError(t, err)
	require.Equal(t, uint64(1), stats.Steps)
}

func TestANodeThatCannotBe(t *testing.T) {
	h := host{t, newGuest(mountEcho)}
	node, why := h.create(nodeConfig("no"))
	require.Zero(t, node)
	require.Equal(t, "not today", why)
	node, why, err := abi.ReadMade(h.g.create(h.write([]byte("garbage"))))
	require.NoError(t, err)
	require.Zero(t, node)
	require.Contains(t, why, "invalid")
}

func TestRecordsLargerThanTheBuffers(t *testing.T) {
	h := host{t, newGuest(mountEcho)}
	node, why := h.create(nodeConfig(""))
	require.Empty(t, why)
	large := make([]byte, 3<<20)
	for _, data := range [][]byte{large, large[:10], large, large[:abi.InputBuffer]} {
		effects := h.step(node, core.Input{Kind: core.InputReplay, Proto: stack.FirstFree, Data: data})
		require.Len(t, effects, 1)
		require.Equal(t, data, effects[0].Data)
		require.Nil(t, h.g.large)
	}
	require.LessOrEqual(t, cap(h.g.begin()), outputKeep)
	require.Nil(t, h.g.inbuf(abi.InputMax+1))
}

func TestACommandThatTheGuestDoesNotKnowEnds(t *testing.T) {
	h := host{t, newGuest(nil)}
	node, _ := h.create(nodeConfig(""))
	catalog := abi.NewCatalog(func(c *abi.Catalog) { abi.Command[unknown](c, "test.unknown") })
	record, err := catalog.AppendInput(nil, &core.Input{Kind: core.InputCommand, Command: unknown{ID: 5}})
	require.NoError(t, err)
	_, n, rest, err := abi.ReadOutput(h.g.step(node, 1, h.write(record)))
	require.NoError(t, err)
	require.Equal(t, 1, n)
	var e core.Effect
	_, err = catalog.ReadEffect(rest, &e)
	require.NoError(t, err)
	detail := `the guest has no command "test.unknown" in its catalog`
	require.Equal(t, &core.Done{ID: 5, Fault: core.FaultNotFound, Detail: detail}, e.Event)
	require.Panics(t, func() { h.g.step(node, 1, h.write([]byte("no input"))) }, "a broken host")
}

type unknown struct{ ID uint64 }

func (unknown) Proto() core.Proto   { return swim.Proto }
func (u unknown) CommandID() uint64 { return u.ID }

func TestServeDecidesWhatIsServed(t *testing.T) {
	defer Serve(nil)
	require.NotNil(t, served, "a guest that forgot to Serve has membership")
	Serve(mountEcho)
	node, why := host{t, served}.create(nodeConfig("no"))
	require.Zero(t, node)
	require.Equal(t, "not today", why)
}
