package demo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nekton-go/nekton/codec/cbor"
	"github.com/nekton-go/nekton/codec/seal"
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/stack"
	"github.com/nekton-go/nekton/core/swim"
	host "github.com/nekton-go/nekton/hosts/native"
	"github.com/nekton-go/nekton/runtime"
)

const wireMTU = 1400

// play is the cluster on stage.
type play struct {
	out     io.Writer
	begun   time.Time
	network network
	key     [32]byte // of the cluster; fresh for each play

	members  []*member      // those that run
	watching sync.WaitGroup // one per member ever started
	changed  chan struct{}  // some view may have changed

	mu     sync.Mutex
	failed []finding
}

// member is one of the cast.
type member struct {
	name, kind string
	cluster    *runtime.Cluster
}

// finding is one member's verdict on another.
type finding struct {
	by     string
	failed *swim.Failed
}

// native makes a node of this very program's code.
func native(c stack.Config) (core.Verbs, error) { return stack.New(c) }

// start brings up one member: a node of its kind, sealed, on a socket of its own, in the play's network.
func (p *play) start(ctx context.Context, name, kind string, make func(stack.Config) (core.Verbs, error)) error {
	if p.key == [32]byte{} {
		rand.Read(p.key[:]) // never fails
	}
	quiet := slog.New(slog.DiscardHandler)
	socket, err := host.Listen(host.Config{Bind: "127.0.0.1:0", Logger: quiet})
	if err != nil {
		return err
	}
	node, err := p.node(name, socket, make)
	if err != nil {
		return errors.Join(err, socket.Close())
	}
	cluster, err := runtime.Start(ctx, node, p.network.attach(socket), runtime.Config{Logger: quiet})
	if err != nil {
		return err
	}
	m := &member{name, kind, cluster}
	p.members = append(p.members, m)
	p.watching.Go(func() { p.watch(m) })
	return nil
}

func (p *play) node(name string, socket *host.Host, make func(stack.Config) (core.Verbs, error)) (core.Verbs, error) {
	sealed := seal.Config{Label: "nekton demo", Keys: [][]byte{p.key[:]}}
	rand.Read(sealed.Session[:])
	c := stack.Config{Swim: timing(), Dialect: cbor.New(cbor.Config{}), MTU: wireMTU - seal.Overhead(sealed)}
	rand.Read(c.Seed[:])
	c.Swim.Name, c.Swim.Addr = name, socket.Advertised()
	node, err := make(c)
	if err != nil {
		return nil, err
	}
	return seal.New(node, sealed)
}

// watch takes note of what one member sees until it ends.
func (p *play) watch(m *member) {
	sub := m.cluster.Subscribe()
	for d, err := range sub.Deltas(context.Background()) {
		if err != nil {
			return // the member has ended
		}
		if failed, ok := d.Event.(*swim.Failed); ok {
			p.mu.Lock()
			p.failed = append(p.failed, finding{m.name, failed})
			p.mu.Unlock()
		}
		select {
		case p.changed <- struct{}{}:
		default:
		}
	}
}

// await returns once what is expected has been seen.
func (p *play) await(ctx context.Context, what string, seen func() bool) error {
	for !seen() {
		select {
		case <-p.changed:
		case <-ctx.Done():
			return fmt.Errorf("waited in vain until %s: %w", what, ctx.Err())
		}
	}
	return nil
}

// awaitHarmony returns once everybody sees everybody alive.
func (p *play) awaitHarmony(ctx context.Context) error {
	return p.await(ctx, "views are equal", func() bool { return hold(p.members, p.members, swim.Alive) })
}

// hold reports whether each observer holds every other one of the subjects to be in a state.
func hold(observers, subjects []*member, state swim.State) bool {
	for _, o := range observers {
		for _, s := range subjects {
			if m, ok := o.cluster.Member(s.name); !ok || m.State != state {
				return false
			}
		}
	}
	return true
}

func (p *play) remove(m *member) {
	p.members = slices.DeleteFunc(slices.Clone(p.members), func(o *member) bool { return o == m })
}

// end lets the curtain fall.
func (p *play) end() {
	for _, m := range p.members {
		m.cluster.Close()
	}
	p.watching.Wait()
}

// tell adds a line to the story.
func (p *play) tell(what, format string, args ...any) {
	at := ""
	if what != "" {
		at = fmt.Sprintf("%.2fs", time.Since(p.begun).Seconds())
	}
	fmt.Fprintf(p.out, "%8s  %-9s  %s\n", at, what, fmt.Sprintf(format, args...))
}

func (p *play) cast() string {
	byKind := map[string][]*member{}
	for _, m := range p.members {
		byKind[m.kind] = append(byKind[m.kind], m)
	}
	var groups []string
	for _, kind := range []string{"native", "wasm"} {
		if group := byKind[kind]; len(group) > 0 {
			groups = append(groups, names(group)+" ("+kind+")")
		}
	}
	return strings.Join(groups, ", ")
}

func names(members []*member) string {
	var all []string
	for _, m := range members {
		all = append(all, m.name)
	}
	return strings.Join(all, " ")
}
