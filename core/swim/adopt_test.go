package swim_test

import (
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/codec/cbor"
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/stack"
	"github.com/nekton-go/nekton/core/swim"
)

// filled is a table of some records.
func filled(records ...swim.Record) swim.Table {
	table := swim.NewTable()
	for _, r := range records {
		id := table.Add(swim.Identity{Name: r.Name, Addr: r.Addr, Meta: r.Meta, Versions: r.Versions})
		row := *table.Row(id)
		row.State, row.Incarnation = r.State, r.Incarnation
		table.SetRow(id, row)
	}
	return table
}

// An heir is a member that starts with a view, and what came of it.
type heir struct {
	*host
	self  swim.Member
	known []swim.Member
	said  []string // events and datagrams, but for pings
}

// newHeir starts member "me", whose journal reserved incarnations up to one; 0 is an empty journal.
func newHeir(t *testing.T, table swim.Table, meta string, reserved uint32) *heir {
	c := swim.LAN()
	c.Name, c.Addr, c.Meta, c.Table = "me", record("me", 1, 0).Addr, []byte(meta), table
	node, err := stack.New(stack.Config{Swim: c, Dialect: cbor.New(cbor.Config{}), Check: true})
	require.NoError(t, err)
	h := &heir{host: newHost(t, node)}
	if reserved > 0 {
		record := binary.BigEndian.AppendUint32([]byte{'I'}, reserved)
		h.step(core.Input{Kind: core.InputReplay, Proto: swim.Proto, Data: record})
	}
	h.step(core.Input{Kind: core.InputWake})
	h.step(core.Input{Kind: core.InputStored, Token: h.stores[0]})
	return h
}

func (h *heir) step(in core.Input) {
	h.node.Step(h.now, in)
	for e, ok := h.node.Next(); ok; e, ok = h.node.Next() {
		switch ev := e.Event.(type) {
		case nil:
		case *swim.Ready:
			h.self = ev.Self
			if ev.Known != nil {
				h.known = slices.Collect(ev.Known)
			}
		default:
			text, _ := ev.AppendText(nil)
			h.said = append(h.said, string(text))
		}
		if e.Kind == core.EffectSend {
			require.NoError(h.t, h.dialect.ReadDatagram(e.Data, func(m core.Message) {
				if _, ping := m.(*swim.Ping); !ping {
					text, _ := m.AppendText(nil)
					h.said = append(h.said, string(text))
				}
			}))
		}
		h.perform(e)
	}
}

func (h *heir) until(end core.Instant) {
	for h.node.Deadline() <= end {
		h.now = max(h.now, h.node.Deadline())
		h.step(core.Input{Kind: core.InputWake})
	}
	h.now = end
}

// TestAdoptedMembersAreKnown: who starts from a view that still holds says nothing, and probes at once.
func TestAdoptedMembersAreKnown(t *testing.T) {
	me, a, b := record("me", 1, 7), record("a", 2, 1), record("b", 3, 4)
	me.Meta, b.Meta = []byte("mine"), []byte("theirs")
	h := newHeir(t, filled(a, me, b), "mine", 0)
	require.EqualValues(t, 7, h.self.Incarnation)
	require.Equal(t, []swim.Member{{Record: a}, {Record: b}}, h.known)
	h.until(core.Instant(time.Second))
	require.NotZero(t, h.pinged)
	require.Empty(t, h.said)
}

// TestAdoptedSelf: whatever has changed about this member since takes an incarnation above it, and is news.
func TestAdoptedSelf(t *testing.T) {
	for _, c := range []struct {
		name     string
		state    swim.State
		meta     string
		reserved uint32
		want     uint32
	}{
		{"other metadata", swim.Alive, "new", 0, 8},
		{"it had left", swim.Left, "mine", 0, 8},
		{"it was suspect", swim.Suspect, "mine", 0, 8},
		{"its journal knows of more", swim.Alive, "mine", 65, 66},
		{"its journal knows of less", swim.Alive, "mine", 3, 7},
	} {
		t.Run(c.name, func(t *testing.T) {
			me := record("me", 1, 7)
			me.State, me.Meta = c.state, []byte("mine")
			h := newHeir(t, filled(me, record("a", 2, 1)), c.meta, c.reserved)
			require.Equal(t, c.want, h.self.Incarnation)
			require.Equal(t, c.meta, string(h.self.Meta))
			require.Equal(t, swim.Alive, h.self.State)
			h.until(core.Instant(400 * time.Millisecond))
			news := slices.ContainsFunc(h.said, func(s string) bool { return s[:12] == "announce me@" })
			require.Equal(t, c.want != 7, news, "%v", h.said)
		})
	}
	h := newHeir(t, filled(record("a", 2, 1)), "", 0)
	require.EqualValues(t, 1, h.self.Incarnation, "a view without this member")
	require.Len(t, h.known, 1)
}

// TestAdoptedStatesGoOn: the suspect are convicted in the end, and the gone stay gone for their time.
func TestAdoptedStatesGoOn(t *testing.T) {
	suspect, dead, left := record("s", 2, 1), record("d", 3, 1), record("l", 4, 1)
	suspect.State, dead.State, left.State = swim.Suspect, swim.Dead, swim.Left
	h := newHeir(t, filled(suspect, dead, left), "", 0)
	require.Len(t, h.known, 3)
	h.until(core.Instant(time.Minute))
	events := func() (about []string) {
		for _, s := range h.said {
			if s[:5] == "faile" || s[:5] == "reape" {
				about = append(about, s[:8])
			}
		}
		return about
	}
	require.Equal(t, []string{"failed s"}, events())
	h.until(core.Instant(49 * time.Hour))
	require.Equal(t, []string{"failed s", "reaped d", "reaped l", "reaped s"}, events())
}

// TestAdoptedTableHasRoom: a table that is already too large is refused.
func TestAdoptedTableHasRoom(t *testing.T) {
	c := swim.LAN()
	c.Name, c.Addr, c.MembersMax = "me", record("me", 1, 0).Addr, 2
	c.Table = filled(record("a", 2, 1))
	require.NoError(t, c.Validate())
	c.Table = filled(record("a", 2, 1), record("b", 3, 1))
	require.ErrorContains(t, c.Validate(), "MembersMax, 2")
}
