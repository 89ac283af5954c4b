package core_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/core"
)

// TestPackingLosesNothing sends random messages to random addresses and checks what leaves: every
// message once, in order for each address, in datagrams that fit, none of which could have taken the
// first message of the next.
func TestPackingLosesNothing(t *testing.T) {
	const mtu = 64
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 0))
		want := map[netip.AddrPort][]string{}
		talker := &machine{handle: func(t *core.Turn, in *core.Input) {
			for i := range rng.IntN(30) {
				to := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(rng.IntN(4))}), 1)
				text := fmt.Sprintf("%d%s", i, strings.Repeat(".", rng.IntN(mtu)))
				if fits := t.Send(to, &note{1, text}); fits {
					want[to] = append(want[to], text)
				} else if len(text)+2 <= mtu {
					panic("refused what fits")
				}
			}
		}}
		n := core.NewNode(core.Config{
			Dialect: &plain{}, MTU: mtu, Machines: []core.Mount{{Proto: 1, Machine: talker}}, Check: true,
		})
		got, room := map[netip.AddrPort][]string{}, map[netip.AddrPort]int{}
		for _, e := range step(n, 0, core.Input{Kind: core.InputWall}) {
			require.LessOrEqual(t, len(e.Data), mtu)
			first := true
			require.NoError(t, new(plain).ReadDatagram(e.Data, func(m core.Message) {
				text := m.(*note).text
				if before, ok := room[e.To]; ok && first {
					require.Greater(t, len(text)+2, before, "it fitted into the datagram before")
				}
				first = false
				got[e.To] = append(got[e.To], text)
			}))
			room[e.To] = mtu - len(e.Data)
		}
		require.Equal(t, want, got, "seed %d", seed)
	}
}

// TestLinksDoNotCareHowBytesAreCut reads one stream in random pieces.
func TestLinksDoNotCareHowBytesAreCut(t *testing.T) {
	var stream []byte
	var want []string
	for i := range 40 {
		text := strings.Repeat(string(rune('a'+i%26)), i*5%250)
		stream, _ = new(plain).AppendFrame(stream, &note{1, text})
		want = append(want, text)
	}
	for seed := range uint64(100) {
		rng := rand.New(rand.NewPCG(seed, 0))
		var got []string
		n := nodeOf(&machine{handle: func(t *core.Turn, in *core.Input) {
			if in.Kind == core.InputMessage {
				got = append(got, in.Message.(*note).text)
			}
		}})
		step(n, 0, core.Input{Kind: core.InputUp, Link: core.Accepted(1), From: peer})
		for rest := stream; len(rest) > 0; {
			size := min(len(rest), 1+rng.IntN(1+rng.IntN(400)))
			lent := slices.Clone(rest[:size])
			step(n, 0, core.Input{Kind: core.InputRead, Link: core.Accepted(1), Data: lent})
			clear(lent) // the loan is over
			rest = rest[size:]
		}
		require.Equal(t, want, got, "seed %d", seed)
	}
}

// FuzzNode drives a node by arbitrary inputs: whatever the network, the disk and the timing do, it keeps
// its contract and its bounds. Each byte pair of the script is one input.
func FuzzNode(f *testing.F) {
	f.Add([]byte("\x00\x00\x01\x05\x02\x01\x03\x21\x04\x01\x05\x01\x06\x00\x07\x00\x08\x01\x09\x03"))
	f.Fuzz(func(t *testing.T, script []byte) {
		const accepted = 4
		n := core.NewNode(core.Config{
			Dialect: &plain{}, Check: true, MTU: 100, LinkWindow: 50, FrameMax: 100, AcceptedMax: accepted,
			Machines: []core.Mount{{Proto: 1, Machine: newPuppet(1)}, {Proto: 2, Machine: newPuppet(2)}},
		})
		up, open := map[core.Link]bool{}, map[core.Link]bool{}
		var links []core.Link
		var now core.Instant
		for ; len(script) >= 2; script = script[2:] {
			kind, arg := script[0]%12, script[1]
			in := core.Input{Kind: core.InputKind(kind), From: peer}
			link := core.Accepted(uint64(arg % 16))
			if len(links) > 0 && arg >= 128 {
				link = links[int(arg)%len(links)]
			}
			now += core.Instant(arg) * 1e8
			switch in.Kind {
			case core.InputDatagram, core.InputRestore, core.InputReplay:
				in.Proto, in.Data = core.Proto(arg%4), script[2:min(len(script), 2+int(arg))]
			case core.InputUp:
				if in.Link = link; up[link] {
					continue // hosts do not say this twice
				}
				if up[link] = true; link.Accepted() {
					open[link] = true
				}
			case core.InputRead:
				in.Link, in.Data = link, script[2:min(len(script), 2+int(arg%32))]
			case core.InputFlushed:
				in.Link, in.Size = link, int(arg)
			case core.InputDown:
				in.Link, in.Fault = link, core.FaultClosed
				delete(open, link)
				delete(up, link)
			case core.InputResolved, core.InputStored:
				in.Token = core.Token(uint64(arg) << 54)
			case core.InputCommand:
				words := [][]string{{"dial", peer.String()}, {"emit", "x"}, {"send", peer.String(), "x"}, {"timer", "0s"}}
				in.Command = order{proto: core.Proto(arg % 3), words: words[int(arg/3)%4]}
			}
			for _, e := range step(n, now, in) {
				switch e.Kind {
				case core.EffectDial:
					links = append(links, e.Link)
				case core.EffectClose:
					delete(open, e.Link)
					delete(up, e.Link)
				case core.EffectSend:
					require.LessOrEqual(t, len(e.Data), 100)
				}
			}
			require.LessOrEqual(t, len(open), accepted, "links accepted and not closed")
		}
	})
}
