package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/cmd/nekton/internal/agent"
)

// patience bounds everything that a test waits for.
const patience = 60 * time.Second

// agentProcess is nekton agent as a process of its own.
type agentProcess struct {
	cmd        *exec.Cmd
	addr, http string        // as it logged them
	log        chan logLine  // as far as the test has not read it
	ended      chan struct{} // its log has ended, and so has it
}

type logLine struct{ Msg, Addr, HTTP string }

// startAgent runs nekton agent until the test ends, and returns once it says that it runs.
func startAgent(t *testing.T, args ...string) *agentProcess {
	t.Helper()
	args = append([]string{"agent", "-bind", "127.0.0.1:0", "-http", "127.0.0.1:0", "-log-json"}, args...)
	p := &agentProcess{
		cmd: exec.Command(os.Args[0], args...), log: make(chan logLine, 1000), ended: make(chan struct{}),
	}
	log, err := p.cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	go p.read(log)
	t.Cleanup(func() {
		p.cmd.Process.Kill()
		<-p.ended
	})
	line := p.says(t, "agent runs")
	p.addr, p.http = line.Addr, line.HTTP
	return p
}

func (p *agentProcess) read(log io.Reader) {
	defer close(p.ended)
	for lines := bufio.NewScanner(log); lines.Scan(); {
		var line logLine
		json.Unmarshal(lines.Bytes(), &line) // what is no such line is not waited for either
		select {
		case p.log <- line:
		default:
		}
	}
	p.cmd.Wait()
}

// says waits for a line of the log.
func (p *agentProcess) says(t *testing.T, msg string) logLine {
	t.Helper()
	late := time.After(patience)
	for {
		select {
		case line := <-p.log:
			if strings.HasPrefix(line.Msg, msg) {
				return line
			}
		case <-p.ended:
			t.Fatalf("%v ended without %q", p.cmd.Args, msg)
		case <-late:
			t.Fatalf("%v does not say %q", p.cmd.Args, msg)
		}
	}
}

// exitCode waits until the process has ended.
func (p *agentProcess) exitCode(t *testing.T) int {
	t.Helper()
	select {
	case <-p.ended:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		t.Fatal("the agent does not end")
		return -1
	}
}

// nekton runs a command in this process and expects it to succeed.
func nekton(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var stdout, stderr bytes.Buffer
	code := run(ctx, args, strings.NewReader(""), &stdout, &stderr)
	require.Equal(t, exitOK, code, "nekton %v: %s", args, &stderr)
	return stdout.String()
}

// sees waits until nekton members, asked anew whenever something happens, shows members in these states.
func (p *agentProcess) sees(t *testing.T, states map[string]string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	client, err := agent.NewClient(p.http)
	require.NoError(t, err)
	var got map[string]string
	for _, err := range client.Events(ctx) {
		require.NoError(t, err)
		var all []agent.Member
		require.NoError(t, json.Unmarshal([]byte(nekton(t, "members", "-json", "-http", p.http)), &all))
		got = map[string]string{}
		for _, m := range all {
			got[m.Name] = m.State
		}
		if equal(got, states) {
			return
		}
	}
	require.Equal(t, states, got)
}

func equal(a, b map[string]string) bool {
	for name, state := range a {
		if b[name] != state {
			return false
		}
	}
	return len(a) == len(b)
}

// TestLifeOfACluster runs three agents with encryption and journals, as processes: one joins, one is killed and
// comes back, the key is changed, and one leaves.
func TestLifeOfACluster(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	keyFile := func(name string) string { return filepath.Join(dir, name+".key") }
	nekton(t, "keygen", "-out", keyFile("a"))
	key, err := os.ReadFile(keyFile("a"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(keyFile("b"), key, 0o600))
	require.NoError(t, os.WriteFile(keyFile("c"), key, 0o600))
	start := func(name string, more ...string) *agentProcess {
		return startAgent(t, append([]string{"-name", name, "-label", "test", "-preset", "local",
			"-key-file", keyFile(name), "-data-dir", filepath.Join(dir, name)}, more...)...)
	}

	a := start("a")
	b := start("b", "-join", a.addr)
	c := start("c", "-meta", "three")
	require.Equal(t, "joined: 1 of 1 answered\n", nekton(t, "join", a.addr, "-http", c.http))
	everybody := map[string]string{"a": "alive", "b": "alive", "c": "alive"}
	for _, p := range []*agentProcess{a, b, c} {
		p.sees(t, everybody)
	}
	require.Contains(t, nekton(t, "members", "-http", a.http), "three")
	require.Contains(t, nekton(t, "info", "-http", a.http), "3 alive, 0 dead, 0 left")

	require.NoError(t, b.cmd.Process.Kill())
	require.Equal(t, -1, b.exitCode(t))
	a.sees(t, map[string]string{"a": "alive", "b": "dead", "c": "alive"})
	b = start("b", "-join", c.addr)
	for _, p := range []*agentProcess{a, b, c} {
		p.sees(t, everybody)
	}

	rotateKeys(t, filepath.Join(dir, "next.key"), a, b, c)
	nekton(t, "leave", "-http", b.http)
	require.Equal(t, exitOK, b.exitCode(t))
	a.sees(t, map[string]string{"a": "alive", "b": "left", "c": "alive"})
	c.sees(t, map[string]string{"a": "alive", "b": "left", "c": "alive"})
	require.NoError(t, c.cmd.Process.Signal(syscall.SIGTERM))
	require.Equal(t, exitOK, c.exitCode(t))
	a.sees(t, map[string]string{"a": "alive", "b": "left", "c": "left"})
}

// rotateKeys does what nekton keys -help says.
func rotateKeys(t *testing.T, file string, agents ...*agentProcess) {
	t.Helper()
	nekton(t, "keygen", "-out", file)
	old, _, _ := strings.Cut(nekton(t, "keys", "list", "-http", agents[0].http), " ")
	var installed string
	for _, p := range agents {
		installed = nekton(t, "keys", "install", file, "-http", p.http)
	}
	lines := strings.Fields(installed) // "OLD in use NEW"
	next := lines[len(lines)-1]
	for _, p := range agents {
		nekton(t, "keys", "use", next, "-http", p.http)
	}
	for _, p := range agents {
		require.Equal(t, next+"  in use\n", nekton(t, "keys", "remove", old, "-http", p.http))
	}
}

// TestSecondSignal ends an agent at once while it says goodbye, which takes seconds on a WAN.
func TestSecondSignal(t *testing.T) {
	a := startAgent(t, "-name", "a", "-preset", "wan")
	b := startAgent(t, "-name", "b", "-preset", "wan", "-join", a.addr)
	b.sees(t, map[string]string{"a": "alive", "b": "alive"})
	require.NoError(t, b.cmd.Process.Signal(os.Interrupt))
	b.says(t, "agent leaves")
	require.NoError(t, b.cmd.Process.Signal(os.Interrupt))
	require.Equal(t, exitInterrupted, b.exitCode(t))
}
