package agent

import (
	"net/netip"
	"time"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
)

// A Member is one member as the agent sees it.
type Member struct {
	Name        string         `json:"name"`
	Addr        netip.AddrPort `json:"addr"`
	State       string         `json:"state"` // alive, suspect, dead or left
	Incarnation uint32         `json:"incarnation"`
	Since       time.Time      `json:"since"` // when it entered this state, as seen here
	Meta        []byte         `json:"meta,omitempty"`
}

// Members answers GET /v1/members.
type Members struct {
	Members []Member `json:"members"`
}

// Info answers GET /v1/info.
type Info struct {
	Name        string            `json:"name"`
	Addr        netip.AddrPort    `json:"addr"`
	Incarnation uint32            `json:"incarnation"`
	Health      int               `json:"health"`  // 0 is well
	Members     int               `json:"members"` // alive or suspect, this one included
	Dead        int               `json:"dead"`
	Left        int               `json:"left"`
	Broadcasts  int               `json:"broadcasts"` // queued
	Leaving     bool              `json:"leaving"`
	Counters    map[string]uint64 `json:"counters"` // what membership did
	Refused     map[string]uint64 `json:"refused"`  // what was refused: garbage, and what exceeds a bound
	Version     string            `json:"version"`
	Started     time.Time         `json:"started"`
}

// Health answers GET /v1/health.
type Health struct {
	Status string `json:"status"` // running, leaving or closed
}

// Join is the body of POST /v1/join.
type Join struct {
	Seeds []string `json:"seeds"`
}

// Joined answers POST /v1/join.
type Joined struct {
	Reached int `json:"reached"`
}

// Meta is the body of POST /v1/meta.
type Meta struct {
	Meta []byte `json:"meta"`
}

// Ping is the body of POST /v1/ping.
type Ping struct {
	Name string `json:"name"`
}

// Pong answers POST /v1/ping.
type Pong struct {
	RTTMicros int64 `json:"rtt_us"`
}

// Send is the body of POST /v1/send.
type Send struct {
	To       string `json:"to"`
	Data     []byte `json:"data"`
	Reliable bool   `json:"reliable"`
}

// Keys answers all of /v1/keys: which keys there are, by their IDs.
type Keys struct {
	Primary string   `json:"primary"` // seals what is sent
	Keys    []string `json:"keys"`
}

// NewKey is the body of POST /v1/keys/install.
type NewKey struct {
	Key []byte `json:"key"`
}

// KeyID is the body of POST /v1/keys/use and /v1/keys/remove.
type KeyID struct {
	ID string `json:"id"`
}

// An Event is one line of GET /v1/events. Kind says which other fields are there.
type Event struct {
	Seq  uint64 `json:"seq"`
	Kind string `json:"kind"`
	Text string `json:"text,omitempty"` // for people

	Members []Member `json:"members,omitempty"` // snapshot
	Missed  uint64   `json:"missed,omitempty"`  // snapshot: events skipped before it

	Member   *Member        `json:"member,omitempty"`   // ready joined updated suspected refuted failed departed
	Evidence *Evidence      `json:"evidence,omitempty"` // failed
	Name     string         `json:"name,omitempty"`     // reaped conflict
	From     netip.AddrPort `json:"from,omitzero"`      // message, user_state
	Data     []byte         `json:"data,omitempty"`     // message, user_state
}

// Evidence is why a member was declared dead.
type Evidence struct {
	Accuser    string     `json:"accuser"`
	Suspects   []string   `json:"suspects"`
	Suspected  *time.Time `json:"suspected,omitempty"`
	TimeoutMS  int64      `json:"timeout_ms"`
	ProbeSent  *time.Time `json:"probe_sent,omitempty"`
	Helpers    []string   `json:"helpers"`
	Nacks      int        `json:"nacks"`
	StreamPing string     `json:"stream_ping"`
	Health     int        `json:"health"`
}

// Failure is the body of every answer that is not 2xx.
type Failure struct {
	Error string `json:"error"`
}

// A wall turns a node's instants into times of day.
type wall struct{ origin time.Time }

// wallAt returns the wall on which instant i is now.
func wallAt(i core.Instant) wall { return wall{time.Now().Add(-i.Sub(0))} }

func (w wall) time(i core.Instant) time.Time {
	return w.origin.Add(i.Sub(0)).Round(time.Millisecond).UTC()
}

func (w wall) optional(i core.Instant) *time.Time {
	if i == 0 {
		return nil
	}
	t := w.time(i)
	return &t
}

func (w wall) member(m swim.Member) Member {
	return Member{
		Name: m.Name, Addr: m.Addr, State: m.State.String(), Incarnation: m.Incarnation,
		Since: w.time(m.Since), Meta: m.Meta,
	}
}

func (w wall) members(all []swim.Member) []Member {
	out := make([]Member, len(all))
	for i, m := range all {
		out[i] = w.member(m)
	}
	return out
}
