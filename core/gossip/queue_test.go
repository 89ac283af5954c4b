package gossip_test

import (
	"bytes"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/gossip"
)

// A sender is a queue in a node, for only nodes make datagrams.
type sender struct {
	queue gossip.Queue
	limit int
	node  *core.Node
	now   core.Instant
}

func newSender(mtu int) *sender {
	s := &sender{limit: 1}
	s.node = core.NewNode(core.Config{Dialect: lengths{}, Machines: []core.Mount{{Proto: 1, Machine: s}}, MTU: mtu, Check: true})
	return s
}

func (s *sender) Handle(t *core.Turn, _ *core.Input) { t.Gossip(peer) }
func (s *sender) Deadline() core.Instant             { return core.Never }
func (s *sender) Gossip(d *core.Datagram)            { s.queue.Fill(d, s.limit) }

// send is one datagram: the messages in it, each with a byte of length in front.
func (s *sender) send() []byte {
	s.now++
	s.node.Step(s.now, core.Input{Kind: core.InputWall})
	var sent []byte
	for e, ok := s.node.Next(); ok; e, ok = s.node.Next() {
		sent = append(sent, e.Data...)
	}
	return sent
}

// tickets takes everything that is spread.
func (s *sender) tickets() (tickets []gossip.Ticket) {
	for t, ok := s.queue.Spread(); ok; t, ok = s.queue.Spread() {
		tickets = append(tickets, t)
	}
	return tickets
}

var peer = netip.MustParseAddrPort("10.0.0.9:1")

// lengths is a dialect without messages: a datagram is its parts, each with a byte of length in front.
type lengths struct{}

func (lengths) AppendMessage(b []byte, _ core.Message) ([]byte, error)       { return b, core.FaultInvalid }
func (lengths) AppendFrame(b []byte, _ core.Message) ([]byte, error)         { return b, core.FaultInvalid }
func (lengths) Overhead(n int) int                                           { return n }
func (lengths) ReadDatagram([]byte, func(core.Message)) error                { return nil }
func (lengths) NewFrameReader() core.FrameReader                             { return lengths{} }
func (lengths) ReadFrames(b []byte, _ func(core.Message)) (n int, err error) { return len(b), nil }

func (lengths) AppendDatagram(b []byte, parts [][]byte) []byte {
	for _, p := range parts {
		b = append(append(b, byte(len(p))), p...)
	}
	return b
}

// A model is a queue done the obvious way: sorted anew whenever it matters.
type model struct {
	max     int
	items   []item
	ids     int
	spread  []gossip.Ticket
	dropped uint64
}

type item struct {
	key    gossip.Key
	ticket gossip.Ticket
	id     int
	sent   int
	data   []byte
}

func (m *model) sort() {
	slices.SortFunc(m.items, func(a, b item) int {
		switch {
		case a.sent != b.sent:
			return a.sent - b.sent
		case len(a.data) != len(b.data):
			return len(b.data) - len(a.data)
		}
		return b.id - a.id
	})
}

func (m *model) remove(i int) {
	if t := m.items[i].ticket; t != 0 {
		m.spread = append(m.spread, t)
	}
	m.items = slices.Delete(m.items, i, i+1)
}

func (m *model) cancel(key gossip.Key) {
	if i := slices.IndexFunc(m.items, func(it item) bool { return it.key == key }); i >= 0 {
		m.remove(i)
	}
}

func (m *model) put(key gossip.Key, ticket gossip.Ticket, data []byte) {
	if key != 0 {
		m.cancel(key)
	}
	if m.max > 0 && len(m.items) >= m.max {
		m.sort()
		victim := len(m.items) - 1
		for i := victim; i >= 0; i-- {
			if m.items[i].ticket == 0 {
				victim = i
				break
			}
		}
		m.remove(victim)
		m.dropped++
	}
	m.ids++
	m.items = append(m.items, item{key, ticket, m.ids, 0, data})
}

func (m *model) fill(mtu, limit int) (sent []byte) {
	m.sort()
	var kept []item
	for _, it := range m.items {
		if len(sent)+1+len(it.data) > mtu {
			kept = append(kept, it)
			continue
		}
		sent = append(append(sent, byte(len(it.data))), it.data...)
		if it.sent++; it.sent < limit {
			kept = append(kept, it)
		} else if it.ticket != 0 {
			m.spread = append(m.spread, it.ticket)
		}
	}
	m.items = kept
	return sent
}

// The queue and its model do the same, whatever is asked of them: the same messages in every datagram, in
// the same order, the same tickets, the same drops.
func TestQueueIsItsModel(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		mtu := 10 + r.IntN(60)
		s, m := newSender(mtu), &model{}
		if seed%3 == 0 {
			s.queue.Max = 1 + r.IntN(12)
			m.max = s.queue.Max
		}
		ticket := gossip.Ticket(0)
		for step := range 400 {
			switch what := r.IntN(10); {
			case what < 5:
				key := gossip.Key(r.IntN(12)) // 0 is unique
				data := bytes.Repeat([]byte{byte(step)}, 1+r.IntN(20))
				given := gossip.Ticket(0)
				if r.IntN(2) == 0 {
					ticket++
					given = ticket
				}
				s.queue.Put(key, given, data)
				m.put(key, given, slices.Clone(data))
				clear(data) // the queue has its own copy
			case what < 6:
				key := gossip.Key(1 + r.IntN(12))
				s.queue.Cancel(key)
				m.cancel(key)
			case what < 7:
				require.Equal(t, m.spread, s.tickets(), "seed %d, step %d", seed, step)
				m.spread = nil
			default:
				s.limit = 1 + r.IntN(4)
				require.Equal(t, m.fill(mtu, s.limit), s.send(), "seed %d, step %d", seed, step)
			}
			require.Equal(t, len(m.items), s.queue.Len(), "seed %d, step %d", seed, step)
			require.Equal(t, m.dropped, s.queue.Dropped, "seed %d, step %d", seed, step)
			require.Equal(t, len(m.spread) > 0, s.queue.HasSpread(), "seed %d, step %d", seed, step)
		}
	}
}

// Replacing the only message must not make room for a newcomer to be taken for another: four messages of one
// length, of which two share a key, are three.
func TestReplacingTheOnlyMessageLosesNoOther(t *testing.T) {
	s := newSender(100)
	s.limit = 2
	s.queue.Put(1, 1, []byte("n1"))
	s.queue.Put(1, 2, []byte("N1"))
	s.queue.Put(2, 3, []byte("n2"))
	s.queue.Put(3, 4, []byte("n3"))
	require.Equal(t, 3, s.queue.Len())
	require.Equal(t, []gossip.Ticket{1}, s.tickets(), "replaced, so nobody need wait for it")
	require.Equal(t, "\x02n3\x02n2\x02N1", string(s.send()))
	require.Equal(t, "\x02n3\x02n2\x02N1", string(s.send()))
	require.Equal(t, []gossip.Ticket{4, 3, 2}, s.tickets())
	require.Zero(t, s.queue.Len())
	require.Empty(t, s.send())
}

// A queue that runs empty while filling, with others to reinsert, keeps them apart too.
func TestRunningEmptyKeepsIDsApart(t *testing.T) {
	s := newSender(100)
	s.limit = 2
	s.queue.Put(0, 1, []byte("aa"))
	s.send()
	s.queue.Put(0, 2, []byte("bb"))
	s.queue.Put(0, 3, []byte("cc"))
	require.Equal(t, "\x02cc\x02bb\x02aa", string(s.send()), "what left least often first, then the newest")
	require.Equal(t, []gossip.Ticket{1}, s.tickets())
	require.Equal(t, "\x02cc\x02bb", string(s.send()))
	require.Equal(t, []gossip.Ticket{3, 2}, s.tickets())
}

func TestEveryMessageLeavesExactlyAsOftenAsItShould(t *testing.T) {
	s := newSender(20) // room for two of the ten
	s.limit = 5
	left := map[string]int{}
	for i := range 10 {
		s.queue.Put(gossip.Key(i+1), gossip.Ticket(i+1), []byte{'0' + byte(i), 1, 2, 3, 4, 5, 6, 7})
	}
	for datagrams := 0; s.queue.Len() > 0; datagrams++ {
		require.Less(t, datagrams, 25, "ten messages, five times each, two in a datagram")
		for b := s.send(); len(b) > 0; b = b[1+b[0]:] {
			left[string(b[1:1+b[0]])]++
		}
	}
	require.Len(t, left, 10)
	for data, times := range left {
		require.Equal(t, 5, times, "%q", data)
	}
	require.Len(t, s.tickets(), 10)
}

// A message larger than any datagram waits for ever, but for nothing else.
func TestTooLargeAMessageHoldsNothingUp(t *testing.T) {
	s := newSender(10)
	s.queue.Put(0, 1, make([]byte, 50))
	s.queue.Put(0, 2, []byte("small"))
	require.Equal(t, "\x05small", string(s.send()))
	require.Empty(t, s.send())
	require.Equal(t, 1, s.queue.Len())
	require.Equal(t, []gossip.Ticket{2}, s.tickets())
}

// When the queue is full, what has left most often goes, but rather nothing that somebody waits for.
func TestAFullQueueDropsWhatIsLeastMissed(t *testing.T) {
	s := newSender(100)
	s.limit = 3
	s.queue.Max = 2
	s.queue.Put(1, 7, []byte("awaited"))
	s.queue.Put(2, 0, []byte("news"))
	s.queue.Put(3, 0, []byte("newer"))
	require.Equal(t, "\x07awaited\x05newer", string(s.send()))
	require.EqualValues(t, 1, s.queue.Dropped)
	require.Empty(t, s.tickets())

	s.queue.Put(3, 8, []byte("newest")) // in place of newer: nothing is dropped
	require.EqualValues(t, 1, s.queue.Dropped)
	s.queue.Put(4, 0, []byte("x")) // both are awaited: the one that has left goes
	require.EqualValues(t, 2, s.queue.Dropped)
	require.Equal(t, []gossip.Ticket{7}, s.tickets())
}

func TestFillingAllocatesNothing(t *testing.T) {
	s := newSender(100)
	s.limit = 1 << 30
	for i := range 20 {
		s.queue.Put(gossip.Key(i+1), 0, []byte("something to say"))
	}
	step := func() {
		s.now++
		s.node.Step(s.now, core.Input{Kind: core.InputWall})
		for _, ok := s.node.Next(); ok; _, ok = s.node.Next() {
		}
	}
	step()
	require.Zero(t, testing.AllocsPerRun(100, step))
}
