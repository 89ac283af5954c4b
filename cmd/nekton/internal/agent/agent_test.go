package agent

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/docs"
	"github.com/nekton-go/nekton/hosts/native"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// process is an agent as a test drives it.
type process struct {
	*Agent
	*Client
	cancel context.CancelFunc
	ended  chan error
}

func startProcess(t *testing.T, name string, configure func(*Config)) *process {
	t.Helper()
	c := Config{
		Node:    native.NodeConfig{Swim: swim.Local(), Host: native.Config{Bind: "127.0.0.1:0"}},
		HTTP:    "127.0.0.1:0",
		Version: "test",
		Logger:  slog.New(slog.DiscardHandler),
	}
	c.Node.Host.Logger = c.Logger
	c.Node.Swim.Name = name
	if configure != nil {
		configure(&c)
	}
	ctx, cancel := context.WithCancel(context.Background())
	a, err := Start(ctx, c)
	require.NoError(t, err)
	client, err := NewClient(a.HTTP())
	require.NoError(t, err)
	p := &process{a, client, cancel, make(chan error, 1)}
	go func() { p.ended <- a.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		client.http.CloseIdleConnections()
		<-a.cluster.Done()
	})
	return p
}

// wait is how it ended.
func (p *process) wait(t *testing.T) error {
	t.Helper()
	select {
	case err := <-p.ended:
		return err
	case <-time.After(30 * time.Second):
		t.Fatal("the agent does not end")
		return nil
	}
}

// await reads events until one is as wanted.
func (p *process) await(t *testing.T, what string, wanted func(Event) bool) Event {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for e, err := range p.Events(ctx) {
		require.NoError(t, err)
		if wanted(e) {
			return e
		}
	}
	t.Fatalf("waited in vain for %s", what)
	return Event{}
}

// sees waits until the agent holds a member to be in a state.
func (p *process) sees(t *testing.T, name, state string) {
	t.Helper()
	p.await(t, name+" "+state, func(Event) bool {
		var all Members
		require.NoError(t, p.Get(t.Context(), "/v1/members", &all))
		for _, m := range all.Members {
			if m.Name == name && m.State == state {
				return true
			}
		}
		return false
	})
}

func TestTwoAgents(t *testing.T) {
	ctx := t.Context()
	a := startProcess(t, "a", nil)
	b := startProcess(t, "b", func(c *Config) { c.Join = []string{a.cluster.Self().Addr.String()} })
	a.sees(t, "b", "alive")
	b.sees(t, "a", "alive")

	var joined Joined
	require.NoError(t, a.Post(ctx, "/v1/join", Join{[]string{b.cluster.Self().Addr.String()}}, &joined))
	require.Equal(t, 1, joined.Reached)

	var pong Pong
	require.NoError(t, a.Post(ctx, "/v1/ping", Ping{"b"}, &pong))
	require.ErrorContains(t, a.Post(ctx, "/v1/ping", Ping{"c"}, &pong), "not found")

	require.NoError(t, a.Post(ctx, "/v1/meta", Meta{[]byte("hello")}, &struct{}{}))
	b.await(t, "new metadata", func(Event) bool {
		m, _ := b.cluster.Member("a")
		return string(m.Meta) == "hello"
	})
	require.ErrorContains(t, a.Post(ctx, "/v1/meta", Meta{make([]byte, 513)}, &struct{}{}), "too large")

	var info Info
	require.NoError(t, a.Get(ctx, "/v1/info", &info))
	require.Equal(t, "a", info.Name)
	require.Equal(t, 2, info.Members)
	require.Equal(t, "test", info.Version)
	require.Contains(t, info.Counters, "probes")
	require.Contains(t, info.Refused, "datagrams_bad")

	require.NoError(t, b.Post(ctx, "/v1/leave", struct{}{}, &struct{}{}))
	require.NoError(t, b.wait(t))
	a.sees(t, "b", "left")

	a.cancel() // as an interrupt does
	require.NoError(t, a.wait(t))
	require.ErrorContains(t, a.Get(ctx, "/v1/members", &Members{}), "no agent answers")
}

func TestEvents(t *testing.T) {
	a := startProcess(t, "a", nil)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var kinds []string
	var last uint64
	for e, err := range a.Events(ctx) {
		require.NoError(t, err)
		if e.Kind == "snapshot" {
			require.Len(t, e.Members, 1)
			startProcess(t, "b", func(c *Config) { c.Join = []string{a.cluster.Self().Addr.String()} })
		} else {
			require.Equal(t, last+1, e.Seq)
		}
		kinds, last = append(kinds, e.Kind), e.Seq
		switch {
		case e.Kind == "joined":
			require.Equal(t, "b", e.Member.Name)
			require.WithinDuration(t, time.Now(), e.Member.Since, time.Minute)
			data := []byte("over here")
			require.NoError(t, a.Post(ctx, "/v1/send", Send{To: "a", Data: data, Reliable: false}, &struct{}{}))
		case e.Kind == "message":
			require.Equal(t, "over here", string(e.Data))
			require.Equal(t, []string{"snapshot", "joined", "message"}, kinds)
			return
		}
	}
}

// TestEventsEnd sees streams end with the agent.
func TestEventsEnd(t *testing.T) {
	a := startProcess(t, "a", nil)
	for e, err := range a.Events(t.Context()) {
		if e.Kind == "snapshot" {
			a.cancel()
		}
		if err != nil {
			require.ErrorContains(t, err, "hung up")
		}
	}
	require.NoError(t, a.wait(t))
}

func TestHealth(t *testing.T) {
	a := startProcess(t, "a", nil)
	health := func() (int, string) {
		r, err := a.http.Get("http://" + a.HTTP() + "/v1/health")
		require.NoError(t, err)
		defer r.Body.Close()
		var h Health
		require.NoError(t, json.NewDecoder(r.Body).Decode(&h))
		return r.StatusCode, h.Status
	}
	code, status := health()
	require.Equal(t, 200, code)
	require.Equal(t, "running", status)
	a.leaving.Store(true)
	code, status = health()
	require.Equal(t, 503, code)
	require.Equal(t, "leaving", status)
	a.leaving.Store(false)
}

func TestBadRequests(t *testing.T) {
	a := startProcess(t, "a", nil)
	tests := []struct {
		method, path, kind, body string
		status                   int
		says                     string
	}{
		{"POST", "/v1/join", "", `{}`, 415, "Content-Type"},
		{"POST", "/v1/join", "text/plain", `{}`, 415, "Content-Type"},
		{"POST", "/v1/join", "application/json", ``, 400, "empty"},
		{"POST", "/v1/join", "application/json", `{"seeds":`, 400, "unexpected EOF"},
		{"POST", "/v1/join", "application/json", `{"seed":[]}`, 400, "unknown field"},
		{"POST", "/v1/join", "application/json", `{"seeds":[]} {}`, 400, "more than one"},
		{"POST", "/v1/join", "application/json", `{"seeds":[]}`, 400, "at least one seed"},
		{"POST", "/v1/join", "application/json", `{"seeds":["here"]}`, 400, "want host:port"},
		{"POST", "/v1/join", "application/json", `{"seeds":["127.0.0.1:1"]}`, 502, "127.0.0.1:1"},
		{"POST", "/v1/meta", "application/json", `{"meta":"` + strings.Repeat("A", bodyMax) + `"}`, 413, "too large"},
		{"POST", "/v1/meta", "application/json", `{"meta":"?"}`, 400, "base64"},
		{"POST", "/v1/send", "application/json", `{"to":"x"}`, 404, "not found"},
		{"POST", "/v1/keys/install", "application/json", `{"key":"AAAA"}`, 400, "want 16, 24 or 32"},
		{"POST", "/v1/keys/use", "application/json", `{"id":"x"}`, 409, "-key-file"},
		{"GET", "/v1/keys", "", ``, 409, "-key-file"},
		{"GET", "/v1/join", "", ``, 404, "openapi"},
		{"GET", "/", "", ``, 404, "openapi"},
	}
	for _, test := range tests {
		r, err := http.NewRequestWithContext(t.Context(), test.method, "http://"+a.HTTP()+test.path, strings.NewReader(test.body))
		require.NoError(t, err)
		r.Header.Set("Content-Type", test.kind)
		answer, err := a.http.Do(r)
		require.NoError(t, err)
		var f Failure
		require.NoError(t, json.NewDecoder(answer.Body).Decode(&f))
		answer.Body.Close()
		what := test.method + " " + test.path + " " + f.Error
		require.Equal(t, test.status, answer.StatusCode, what)
		require.Contains(t, f.Error, test.says, what)
	}
}

func TestServesItsDocument(t *testing.T) {
	a := startProcess(t, "a", nil)
	r, err := a.http.Get("http://" + a.HTTP() + "/v1/openapi.yaml")
	require.NoError(t, err)
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	require.Equal(t, docs.OpenAPI, string(text))
}

// TestRotateKeys moves two agents to a new key and expects their files to follow.
func TestRotateKeys(t *testing.T) {
	ctx := t.Context()
	old, next := []byte("0123456789abcdef"), []byte("fedcba9876543210")
	files := map[string]string{}
	start := func(name string, join ...string) *process {
		return startProcess(t, name, func(c *Config) {
			files[name] = filepath.Join(t.TempDir(), name)
			c.Node.Keys, c.KeyFile, c.Join = [][]byte{old}, files[name], join
		})
	}
	a := start("a")
	b := start("b", a.cluster.Self().Addr.String())
	a.sees(t, "b", "alive")

	var keys Keys
	require.NoError(t, a.Get(ctx, "/v1/keys", &keys))
	require.Len(t, keys.Keys, 1)
	was := keys.Primary
	require.Equal(t, was, keys.Keys[0])
	all := func(path string, body any) {
		for _, p := range []*process{a, b} {
			require.NoError(t, p.Post(ctx, path, body, &keys))
		}
	}
	all("/v1/keys/install", NewKey{next})
	require.Len(t, keys.Keys, 2)
	require.Equal(t, was, keys.Primary)
	all("/v1/keys/use", KeyID{keys.Keys[1]})
	require.NotEqual(t, was, keys.Primary)
	require.NoError(t, a.Post(ctx, "/v1/ping", Ping{"b"}, &Pong{}))

	require.ErrorContains(t, a.Post(ctx, "/v1/keys/remove", KeyID{keys.Primary}, &keys), "in use")
	kept, err := ReadKeys(files["a"])
	require.NoError(t, err)
	require.Equal(t, [][]byte{next, old}, kept, "a change that was refused is not in the file")

	all("/v1/keys/remove", KeyID{was})
	require.ErrorContains(t, a.Post(ctx, "/v1/keys/use", KeyID{was}, &keys), "no key has the ID")
	require.NoError(t, b.Post(ctx, "/v1/ping", Ping{"a"}, &Pong{}))
	for _, file := range files {
		kept, err := ReadKeys(file)
		require.NoError(t, err)
		require.Equal(t, [][]byte{next}, kept)
	}
}

// TestKeysUnwritten refuses a change that a restart would undo.
func TestKeysUnwritten(t *testing.T) {
	a := startProcess(t, "a", func(c *Config) {
		c.Node.Keys = [][]byte{[]byte("0123456789abcdef")}
		c.KeyFile = filepath.Join(t.TempDir(), "nowhere", "keys")
	})
	var before, after Keys
	require.NoError(t, a.Get(t.Context(), "/v1/keys", &before))
	err := a.Post(t.Context(), "/v1/keys/install", NewKey{[]byte("fedcba9876543210")}, &Keys{})
	require.ErrorContains(t, err, "nothing has changed")
	require.NoError(t, a.Get(t.Context(), "/v1/keys", &after))
	require.Equal(t, before, after)
}

// TestBrokenMember sees the agent fail when its member does.
func TestBrokenMember(t *testing.T) {
	a := startProcess(t, "a", nil)
	a.cluster.Close()
	require.ErrorContains(t, a.wait(t), "the member stopped by itself")
}

func TestStartRefuses(t *testing.T) {
	a := startProcess(t, "a", nil)
	c := a.config
	c.HTTP = a.HTTP()
	_, err := Start(t.Context(), c)
	require.ErrorContains(t, err, a.HTTP()+" is in use")
	c.HTTP, c.Node.Host.Bind = "127.0.0.1:0", a.cluster.Self().Addr.String()
	_, err = Start(t.Context(), c)
	require.ErrorContains(t, err, "is in use")
	c.Node.Host.Bind, c.Node.Host.Journal = "127.0.0.1:0", filepath.Join(t.TempDir(), "journal")
	keeper := startProcess(t, "keeper", func(k *Config) { k.Node.Host.Journal = c.Node.Host.Journal })
	_, err = Start(t.Context(), c)
	require.ErrorContains(t, err, "in use by another node")
	keeper.cancel()
	require.NoError(t, keeper.wait(t))

	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("interrupted"))
	_, err = Start(ctx, c)
	require.ErrorIs(t, err, context.Canceled)
}
