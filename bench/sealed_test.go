package bench

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"slices"
	"testing"

	"github.com/hashicorp/memberlist"
	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/codec/seal"
	"github.com/nekton-go/nekton/core"
)

// BenchmarkPingAckSealed is BenchmarkPingAck with AES-256-GCM on both datagrams. Ours refuses replays, so
// each ping is sealed afresh, with the clock stopped; memberlist takes the same packet again and again.
func BenchmarkPingAckSealed(b *testing.B) {
	b.Run("nekton", func(b *testing.B) {
		node, err := seal.New(newNekton(b), sealConfig(2))
		require.NoError(b, err)
		pings := newSealer(b, nektonPing(b))
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if i%len(pings.batch) == 0 {
				b.StopTimer()
				pings.refill()
				b.StartTimer()
			}
			in := core.Input{Kind: core.InputDatagram, From: pinger, Data: pings.batch[i%len(pings.batch)]}
			if len(answer(node, in)) == 0 {
				b.Fatal("no answer")
			}
		}
	})
	b.Run("memberlist", func(b *testing.B) {
		benchmarkMemberlist(b, sealedMemberlistPing(b), func(c *memberlist.Config) { c.SecretKey = key })
	})
	b.Run("memberlist-uncompressed", func(b *testing.B) {
		benchmarkMemberlist(b, sealedMemberlistPing(b), func(c *memberlist.Config) {
			c.SecretKey, c.EnableCompression = key, false
		})
	})
}

func sealConfig(session byte) seal.Config {
	return seal.Config{Label: label, Keys: [][]byte{key}, Session: [seal.SessionSize]byte{session}}
}

// sealer is a sealed peer that sends the same datagram over and over.
type sealer struct {
	node  *seal.Node
	batch [1024][]byte
}

func newSealer(tb testing.TB, datagram []byte) *sealer {
	node, err := seal.New(&repeater{datagram: datagram}, sealConfig(1))
	require.NoError(tb, err)
	return &sealer{node: node}
}

func (s *sealer) refill() {
	for i := range s.batch {
		s.batch[i] = slices.Clone(answer(s.node, core.Input{Kind: core.InputWake}))
	}
}

// repeater is a core.Verbs that sends its datagram whenever it is stepped.
type repeater struct {
	datagram []byte
	pending  bool
}

func (r *repeater) Step(core.Instant, core.Input) { r.pending = true }
func (r *repeater) Deadline() core.Instant        { return core.Never }
func (r *repeater) Next() (core.Effect, bool) {
	pending := r.pending
	r.pending = false
	return core.Effect{Kind: core.EffectSend, To: answerer, Data: r.datagram}, pending
}

// sealedMemberlistPing is memberlistPing as memberlist encrypts it: version, nonce, ciphertext and tag.
func sealedMemberlistPing(tb testing.TB) []byte {
	block, err := aes.NewCipher(key)
	require.NoError(tb, err)
	aead, err := cipher.NewGCM(block)
	require.NoError(tb, err)
	nonce := bytes.Repeat([]byte{1}, aead.NonceSize())
	return aead.Seal(append([]byte{1}, nonce...), nonce, memberlistPing, nil)
}
