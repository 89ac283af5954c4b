package seal_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/codec/seal"
)

// The tests here open what a node sealed with nothing but what docs/PROTOCOL.md says.

// hkdf derives at most 32 bytes, which is one block of RFC 5869.
func hkdf(secret, salt []byte, info string, size int) []byte {
	if len(salt) == 0 {
		salt = make([]byte, sha256.Size)
	}
	mac := func(key, data []byte) []byte {
		h := hmac.New(sha256.New, key)
		h.Write(data)
		return h.Sum(nil)
	}
	return mac(mac(salt, secret), append([]byte(info), 1))[:size]
}

// unseal opens what a derived key sealed under a number.
func unseal(t *testing.T, key []byte, number uint64, sealed []byte) string {
	t.Helper()
	block, err := aes.NewCipher(key)
	require.NoError(t, err)
	gcm, err := cipher.NewGCM(block)
	require.NoError(t, err)
	plain, err := gcm.Open(nil, binary.BigEndian.AppendUint64(make([]byte, 4), number), sealed, nil)
	require.NoError(t, err)
	return string(plain)
}

func TestDatagramAsDocumented(t *testing.T) {
	for _, key := range [][]byte{key16, key24, key32} {
		n := newNode(t, seal.Config{Label: "reef", Keys: [][]byte{key}, Session: session(0xa1)})
		b := n.send("hello")
		id := hkdf(key, nil, "nekton seal 1 id", 8)
		require.Equal(t, hex.EncodeToString(id), string(n.keys(seal.List{}).Primary))
		label := sha256.Sum256([]byte("reef"))
		require.Equal(t, "e2"+hex.EncodeToString(label[:4])+hex.EncodeToString(id[:2])+
			strings.Repeat("a1", 16)+"0000000000000001", hex.EncodeToString(b[:31]))
		subkey := hkdf(key, b[7:23], "nekton seal 1 datagrams\x00reef", len(key))
		require.Equal(t, "hello", unseal(t, subkey, 1, b[31:]))
	}
}

func TestLinkAsDocumented(t *testing.T) {
	a, b := pair(t, key32)
	c := dial(t, a, b)
	there := write(a, c.dialed, "push")
	reads(b, c.accept, there)
	back := append(write(b, c.accept, "pull"), write(b, c.accept, "more")...)

	dialer, acceptor := there[7:31], back[7:31] // session and number of each
	subkey := hkdf(key32, dialer[:16], "nekton seal 1 link from dialer\x00"+string(dialer[16:])+"reef", 32)
	require.Equal(t, "push", unseal(t, subkey, 1, there[35:]))
	info := "nekton seal 1 link from acceptor\x00" + string(acceptor[16:]) + string(dialer) + "reef"
	subkey = hkdf(key32, acceptor[:16], info, 32)
	require.Equal(t, "pull", unseal(t, subkey, 1, back[35:55]))
	require.Equal(t, "more", unseal(t, subkey, 2, back[59:]))
}
