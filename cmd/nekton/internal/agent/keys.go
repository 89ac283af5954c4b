package agent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/nekton-go/nekton/codec/seal"
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/runtime"
)

var errNoKeys = errors.New("this agent runs without encryption; start all of them with -key-file")

// keyring is the agent's copy of the secrets that its node holds, and of the file that a restart will read.
// The node names keys by their IDs only, in the order of their installation, which is that of secrets.
type keyring struct {
	cluster *runtime.Cluster
	file    string

	mu      sync.Mutex // held throughout a change, so that node and file change in the same order
	secrets [][]byte
	primary []byte
}

func newKeyring(cluster *runtime.Cluster, file string, keys [][]byte) *keyring {
	r := &keyring{cluster: cluster, file: file}
	for _, k := range keys {
		if r.index(k) < 0 {
			r.secrets = append(r.secrets, k)
		}
	}
	if len(keys) > 0 {
		r.primary = keys[0]
	}
	return r
}

func (r *keyring) index(secret []byte) int {
	return slices.IndexFunc(r.secrets, func(k []byte) bool { return bytes.Equal(k, secret) })
}

func (r *keyring) list(ctx context.Context) (Keys, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.do(ctx, func(id uint64) core.Command { return seal.List{ID: id} })
}

// install makes the node, now and after a restart, open what is sealed with secret.
func (r *keyring) install(ctx context.Context, secret []byte) (Keys, error) {
	if err := checkKey(secret); err != nil {
		return Keys{}, &runtime.CommandError{Fault: core.FaultInvalid, Detail: err.Error()}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	after := r.secrets
	if r.index(secret) < 0 {
		after = append(slices.Clip(after), secret)
	}
	return r.change(ctx, after, r.primary, func(id uint64) core.Command {
		return seal.Install{ID: id, Key: secret}
	})
}

// use makes the node seal with the key of that ID.
func (r *keyring) use(ctx context.Context, key string) (Keys, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	secret, err := r.secret(key)
	if err != nil {
		return Keys{}, err
	}
	return r.change(ctx, r.secrets, secret, func(id uint64) core.Command {
		return seal.Use{ID: id, Key: secret}
	})
}

// remove makes the node forget the key of that ID.
func (r *keyring) remove(ctx context.Context, key string) (Keys, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	secret, err := r.secret(key)
	if err != nil {
		return Keys{}, err
	}
	at := r.index(secret)
	return r.change(ctx, slices.Delete(slices.Clone(r.secrets), at, at+1), r.primary, func(id uint64) core.Command {
		return seal.Remove{ID: id, Key: secret}
	})
}

// change writes the file first, so that no restart can undo what the node has confirmed, and puts it back
// if the node says no.
func (r *keyring) change(
	ctx context.Context, secrets [][]byte, primary []byte, command func(id uint64) core.Command,
) (Keys, error) {
	if r.primary == nil {
		return Keys{}, errNoKeys
	}
	if err := writeKeys(r.file, primaryFirst(secrets, primary)); err != nil {
		return Keys{}, fmt.Errorf("nothing has changed: %w", err)
	}
	keys, err := r.do(ctx, command)
	if err != nil {
		return Keys{}, errors.Join(err, writeKeys(r.file, primaryFirst(r.secrets, r.primary)))
	}
	r.secrets, r.primary = secrets, primary
	return keys, nil
}

func (r *keyring) do(ctx context.Context, command func(id uint64) core.Command) (Keys, error) {
	if r.primary == nil {
		return Keys{}, errNoKeys
	}
	done, err := r.cluster.Do(ctx, command)
	keys, ok := done.(*seal.Keys)
	if !ok {
		return Keys{}, err
	}
	out := Keys{Primary: string(keys.Primary)}
	for _, id := range keys.All {
		out.Keys = append(out.Keys, string(id))
	}
	return out, err
}

// secret finds the secret behind the ID of a key.
func (r *keyring) secret(key string) ([]byte, error) {
	if r.primary == nil {
		return nil, errNoKeys
	}
	for _, secret := range r.secrets {
		if id, err := seal.ID(secret); err == nil && string(id) == key {
			return secret, nil
		}
	}
	return nil, &runtime.CommandError{Fault: core.FaultNotFound, Detail: "no key has the ID " + key}
}

func primaryFirst(secrets [][]byte, primary []byte) [][]byte {
	ordered := [][]byte{primary}
	for _, k := range secrets {
		if !bytes.Equal(k, primary) {
			ordered = append(ordered, k)
		}
	}
	return ordered
}
