// Package demo is a play in which a cluster of native and WebAssembly members on real sockets meets everything
// that happens to clusters: it forms, loses a member, splits, heals, and one says goodbye. Every step is
// observed in every member's own view, or the play fails.
package demo

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/stack"
	"github.com/nekton-go/nekton/core/swim"
)

const (
	// MembersMin is how many members the play needs: one dies, and both sides of the split have one left.
	MembersMin = 4
	// MembersMax is what one process on one machine does with ease.
	MembersMax = 64

	stepPatience = time.Minute // for each step; they take seconds
)

// Config says who plays.
type Config struct {
	Native, Wasm int // members of each kind; together MembersMin to MembersMax
	// Guest makes the node of a WebAssembly member. Required if there are any.
	Guest func(c stack.Config) (core.Verbs, error)
	Out   io.Writer // where the story is told
}

// A Result says how long each step took, in ms; -1 if it was never reached.
type Result struct {
	ConvergedMS int64 `json:"converged_ms"` // from the first start until every view was equal
	DetectedMS  int64 `json:"detected_ms"`  // from a member's end until all others held it dead
	HealedMS    int64 `json:"healed_ms"`    // from the end of the split until every view was equal
	LeftMS      int64 `json:"left_ms"`      // from the call of Leave until all others knew
	NodesNative int   `json:"nodes_native"`
	NodesWasm   int   `json:"nodes_wasm"`
	OK          bool  `json:"ok"`
}

// timing is that of members on one machine, a little faster still, for the sake of the audience.
func timing() swim.Config {
	c := swim.Local()
	c.ProbeInterval = 500 * time.Millisecond
	c.PushPullInterval = 5 * time.Second
	c.HealInterval = 2 * time.Second
	c.SuspicionScale = 3 // in half of a small cluster there may be nobody to give a second opinion
	c.RetransmitMult = 6 // so that news in a cluster this small hardly ever waits for a full exchange
	return c
}

// Run plays. The result is good as far as it goes if there is an error.
func Run(ctx context.Context, c Config) (Result, error) {
	r := Result{-1, -1, -1, -1, c.Native, c.Wasm, false}
	p := &play{out: c.Out, begun: time.Now(), changed: make(chan struct{}, 1)}
	defer p.end()
	for _, step := range []func(context.Context) error{
		func(ctx context.Context) error { return p.form(ctx, &c, &r.ConvergedMS) },
		func(ctx context.Context) error {
			return p.kill(ctx, p.members[c.Native-min(c.Native, 1)], &r.DetectedMS)
		},
		p.split,
		func(ctx context.Context) error { return p.heal(ctx, &r.HealedMS) },
		func(ctx context.Context) error { return p.leave(ctx, p.members[len(p.members)-1], &r.LeftMS) },
	} {
		ctx, cancel := context.WithTimeout(ctx, stepPatience)
		err := step(ctx)
		cancel()
		if err != nil {
			return r, err
		}
	}
	r.OK = true
	return r, nil
}

// form starts all members and lets them join by way of the first.
func (p *play) form(ctx context.Context, c *Config, took *int64) error {
	start := time.Now()
	for i := range c.Native + c.Wasm {
		name, kind, node := fmt.Sprintf("n%d", i+1), "native", native
		if i >= c.Native {
			name, kind, node = fmt.Sprintf("w%d", i-c.Native+1), "wasm", c.Guest
		}
		if err := p.start(ctx, name, kind, node); err != nil {
			return fmt.Errorf("start %s: %w", name, err)
		}
	}
	p.tell("start", "%s; sealed with AES-256", p.cast())
	for _, m := range p.members[1:] {
		if _, err := m.cluster.Join(ctx, p.members[0].cluster.Self().Addr.String()); err != nil {
			return fmt.Errorf("join %s: %w", m.name, err)
		}
	}
	if err := p.awaitHarmony(ctx); err != nil {
		return err
	}
	*took = time.Since(start).Milliseconds()
	p.tell("converged", "all %d see all %d, %d ms after the first one started", len(p.members), len(p.members), *took)
	return nil
}

// kill ends one member as a crash would.
func (p *play) kill(ctx context.Context, victim *member, took *int64) error {
	p.tell("kill", "%s, without a goodbye", victim.name)
	start := time.Now()
	p.remove(victim)
	if err := victim.cluster.Close(); err != nil {
		return err
	}
	others := func() bool { return hold(p.members, []*member{victim}, swim.Dead) }
	if err := p.await(ctx, victim.name+" is found dead", others); err != nil {
		return err
	}
	*took = time.Since(start).Milliseconds()
	p.tell("detected", "all %d others hold %s dead, %d ms after the fact", len(p.members), victim.name, *took)
	for _, line := range p.evidence(victim.name) {
		p.tell("", "%s", line)
	}
	return nil
}

// split cuts the cluster in two until each side holds the other dead.
func (p *play) split(ctx context.Context) error {
	var near, far []*member
	for i, m := range p.members {
		if i%2 == 0 {
			near = append(near, m)
		} else {
			far = append(far, m)
		}
	}
	p.tell("split", "%s | %s: nothing gets across", names(near), names(far))
	start := time.Now()
	p.network.cut(near)
	apart := func() bool { return hold(near, far, swim.Dead) && hold(far, near, swim.Dead) }
	if err := p.await(ctx, "each side holds the other dead", apart); err != nil {
		return err
	}
	p.tell("apart", "each side holds the other dead, after %d ms", time.Since(start).Milliseconds())
	return nil
}

// heal ends the split. Nobody tells the members: they find each other again.
func (p *play) heal(ctx context.Context, took *int64) error {
	p.tell("mend", "the network is whole again; nobody tells the members")
	start := time.Now()
	p.network.mend()
	if err := p.awaitHarmony(ctx); err != nil {
		return err
	}
	*took = time.Since(start).Milliseconds()
	p.tell("healed", "all %d see all %d again, after %d ms", len(p.members), len(p.members), *took)
	return nil
}

// leave lets one member say goodbye.
func (p *play) leave(ctx context.Context, m *member, took *int64) error {
	p.tell("leave", "%s says goodbye", m.name)
	start := time.Now()
	p.remove(m)
	if err := m.cluster.Leave(ctx); err != nil {
		return fmt.Errorf("leave: %w", err)
	}
	gone := func() bool { return hold(p.members, []*member{m}, swim.Left) }
	if err := p.await(ctx, "all know that "+m.name+" has left", gone); err != nil {
		return err
	}
	*took = time.Since(start).Milliseconds()
	p.tell("left", "all %d others know that it left, after %d ms", len(p.members), *took)
	return m.cluster.Close()
}
