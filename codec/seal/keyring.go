package seal

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/nekton-go/nekton/core"
)

// A KeyID names a key without telling it: 16 hex digits derived from it.
type KeyID string

// ID returns the name of a key. The error is core.FaultInvalid for a size no cipher takes.
func ID(secret []byte) (KeyID, error) {
	k, err := newKey(secret)
	if err != nil {
		return "", err
	}
	return k.id, nil
}

// A hint is the front of a key's id in every header, so that the right key is tried at once.
type hint [2]byte

// key is one secret of the cluster.
type key struct {
	secret []byte
	id     KeyID
	hint   hint
	own    root // of this node's session; nil until it is used
}

func newKey(secret []byte) (*key, error) {
	if len(secret) != 16 && len(secret) != 24 && len(secret) != 32 {
		return nil, fmt.Errorf("seal: key of %d bytes; use 16, 24 or 32: %w", len(secret), core.FaultInvalid)
	}
	id := extract(secret, nil).expand("nekton seal 1 id", 8)
	return &key{secret: bytes.Clone(secret), id: KeyID(hex.EncodeToString(id)), hint: hint(id)}, nil
}

// A root is what the keys of one session are derived from, by the second half of HKDF-SHA256 (RFC 5869). It is as
// secret as the key it is extracted from.
type root []byte

func extract(secret, salt []byte) root {
	r, err := hkdf.Extract(sha256.New, secret, salt)
	if err != nil {
		panic("seal: " + err.Error()) // SHA-256 is always there
	}
	return r
}

func (r root) expand(info string, size int) []byte {
	b, err := hkdf.Expand(sha256.New, r, info, size)
	if err != nil {
		panic("seal: " + err.Error()) // for sizes beyond 8,160 bytes only
	}
	return b
}

// What a derived key is for. Every one seals under a counter of its own, starting at 1.
const (
	forDatagrams = "nekton seal 1 datagrams\x00"
	forDialer    = "nekton seal 1 link from dialer\x00"
	forAcceptor  = "nekton seal 1 link from acceptor\x00"
)

// root returns where the keys of a session come from under k. That of this node's own session is kept with k,
// that of a peer's with its sender.
func (n *Node) root(k *key, session *[SessionSize]byte) root {
	if *session == n.config.Session {
		if k.own == nil {
			k.own = extract(k.secret, session[:])
		}
		return k.own
	}
	if from := n.senders.known[*session]; from != nil && from.key == k {
		return from.root
	}
	return extract(k.secret, session[:])
}

// aead derives the key that a session with root r uses for one purpose under k. Context and label are part of it,
// so that what was sealed elsewhere does not open here.
func (k *key) aead(r root, purpose, context, label string) cipher.AEAD {
	block, err := aes.NewCipher(r.expand(purpose+context+label, len(k.secret)))
	if err != nil {
		panic("seal: " + err.Error()) // newKey has checked the size
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		panic("seal: " + err.Error()) // AES has the block size that GCM wants
	}
	return gcm
}

// keyring holds the keys installed. Its first is the primary, if sealing is on.
type keyring struct {
	keys    []*key
	primary *key
	max     int
}

func (r *keyring) find(secret []byte) *key {
	for _, k := range r.keys {
		if bytes.Equal(k.secret, secret) {
			return k
		}
	}
	return nil
}

// install adds a key that only opens.
func (r *keyring) install(secret []byte) error {
	if r.find(secret) != nil {
		return nil
	}
	k, err := newKey(secret)
	if err != nil {
		return err
	}
	if len(r.keys) >= r.max {
		return fmt.Errorf("seal: %d keys are installed; remove one first: %w", len(r.keys), core.FaultBusy)
	}
	r.keys = append(r.keys, k)
	return nil
}

// use makes an installed key the primary.
func (r *keyring) use(secret []byte) error {
	k := r.find(secret)
	if k == nil {
		return fmt.Errorf("seal: the key is not installed; install it on every node first: %w", core.FaultNotFound)
	}
	r.primary = k
	return nil
}

// remove forgets a key and returns it.
func (r *keyring) remove(secret []byte) (*key, error) {
	k := r.find(secret)
	switch {
	case k == nil:
		return nil, fmt.Errorf("seal: the key is not installed: %w", core.FaultNotFound)
	case k == r.primary:
		return nil, fmt.Errorf("seal: the key is in use; use another first: %w", core.FaultRefused)
	}
	for i := range r.keys {
		if r.keys[i] == k {
			r.keys = append(r.keys[:i:i], r.keys[i+1:]...)
			break
		}
	}
	return k, nil
}
