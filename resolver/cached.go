package resolver

import (
	"context"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// CacheConfig configures a Cached resolver. The zero value of a field means its default.
type CacheConfig struct {
	TTL        time.Duration    // how long an answer is good for; default 30 s
	FailureTTL time.Duration    // how long a failure is, so that a dead name is not asked for in a loop; default 1 s
	EntriesMax int              // names remembered; default 1,024
	Clock      func() time.Time // default time.Now
}

// Cached remembers the answers of another resolver.
type Cached struct {
	inner  Resolver
	config CacheConfig

	mu      sync.Mutex
	entries map[string]answer
}

type answer struct {
	addrs []netip.AddrPort
	err   error
	until time.Time
}

// NewCached returns a cache in front of inner.
func NewCached(inner Resolver, c CacheConfig) *Cached {
	if c.TTL == 0 {
		c.TTL = 30 * time.Second
	}
	if c.FailureTTL == 0 {
		c.FailureTTL = time.Second
	}
	if c.EntriesMax == 0 {
		c.EntriesMax = 1024
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	return &Cached{inner: inner, config: c, entries: map[string]answer{}}
}

// Lookup implements Resolver. A lookup that fails takes the place of an answer that has expired, so
// nothing stale is ever returned; one that fails because its context ended is not remembered.
func (c *Cached) Lookup(ctx context.Context, name string) ([]netip.AddrPort, error) {
	if a, ok := c.known(name); ok {
		return slices.Clone(a.addrs), a.err
	}
	addrs, err := c.inner.Lookup(ctx, name)
	if err != nil && ctx.Err() != nil {
		c.forget(func(n string, _ answer) bool { return n == name })
		return nil, err
	}
	ttl := c.config.TTL
	if err != nil {
		ttl = c.config.FailureTTL
	}
	c.remember(name, answer{slices.Clone(addrs), err, c.config.Clock().Add(ttl)})
	return addrs, err
}

// Failed says that nobody answers at an address: names that led there are asked for again.
func (c *Cached) Failed(addr netip.AddrPort) {
	c.forget(func(_ string, a answer) bool { return slices.Contains(a.addrs, addr) })
}

func (c *Cached) forget(which func(string, answer) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.entries, which)
}

func (c *Cached) known(name string) (answer, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, ok := c.entries[name]
	return a, ok && c.config.Clock().Before(a.until)
}

// remember stores an answer, in the place of the one that expires first if there is no room.
func (c *Cached) remember(name string, a answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.entries[name]; !ok && len(c.entries) >= c.config.EntriesMax {
		var first string
		for n, e := range c.entries {
			if first == "" || e.until.Before(c.entries[first].until) {
				first = n
			}
		}
		delete(c.entries, first)
	}
	c.entries[name] = a
}
