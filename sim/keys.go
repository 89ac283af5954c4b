package sim

import (
	"bytes"
	"encoding/binary"
	"slices"
	"time"

	"github.com/nekton-go/nekton/codec/seal"
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/internal/mix"
)

// Keys of sealed members. Each machine keeps a list, which the next process reads; the first seals. Changes go
// to the list and to the process, if one runs, as those of an agent do.

// Modes of Key.
const (
	install = "install" // it opens what others seal with it
	use     = "use"     // it seals from now on
	remove  = "remove"  // it is forgotten, unless it seals
)

// key is the secret with a name; that with the empty name is the one that all members begin with.
func (w *world) key(name string) []byte {
	if name == "" {
		return cluster.Keys[0]
	}
	hashed := uint64(0)
	for _, b := range []byte(name) {
		hashed = mix.Uint64(hashed<<8 | uint64(b))
	}
	secret := make([]byte, 16)
	for word := range len(secret) / 8 {
		binary.LittleEndian.PutUint64(secret[8*word:], draw(w.seed, forKey, hashed, 0, uint64(word)))
	}
	return secret
}

// keys are those that member i's next process begins with.
func (w *world) keys(i int) [][]byte {
	if own := w.nodes[i].keys; own != nil {
		return own
	}
	return cluster.Keys
}

// rekey changes member i's keys, as far as its node would.
func (w *world) rekey(i int, op *Op, id uint64) core.Command {
	secret, keys := w.key(op.Text), slices.Clone(w.keys(i))
	at := slices.IndexFunc(keys, func(k []byte) bool { return bytes.Equal(k, secret) })
	w.faults.KeysChanged++
	var c core.Command
	switch op.Mode {
	case install:
		if c = (seal.Install{ID: id, Key: secret}); at < 0 {
			keys = append(keys, secret)
		}
	case use:
		if c = (seal.Use{ID: id, Key: secret}); at > 0 {
			keys = slices.Insert(slices.Delete(keys, at, at+1), 0, secret)
		}
	default:
		if c = (seal.Remove{ID: id, Key: secret}); at > 0 {
			keys = slices.Delete(keys, at, at+1)
		}
	}
	w.nodes[i].keys = keys
	return c
}

// rotate draws a change of keys that some members miss, as those that are down do. At the end somebody sees to
// them as well. Members that are not sealed have no keys, and nothing happens.
func (g *generator) rotate() (ops []Op) {
	name := string(rune('a' + g.choose(4))) // few: a node holds 16 at most
	missed := g.some(g.choose(g.nodes))
	var rest []int
	for i := range g.nodes {
		if !slices.Contains(missed, i) {
			rest = append(rest, i)
		}
	}
	at, every := g.moment(g.from, g.from+(g.to-g.from)/2), g.span(time.Second, (g.to-g.from)/10)
	for _, nodes := range [][]int{rest, missed} {
		for k, mode := range []string{install, use} {
			if len(nodes) > 0 {
				ops = append(ops, Op{Kind: Key, At: at + time.Duration(k)*every, Nodes: nodes, Mode: mode, Text: name})
			}
		}
		at += 2 * every
	}
	return append(ops, Op{Kind: Key, At: at, Nodes: g.some(g.nodes), Mode: remove})
}
