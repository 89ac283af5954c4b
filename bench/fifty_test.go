package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/memberlist"
	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/hosts/native"
	"github.com/nekton-go/nekton/runtime"
)

// key is the AES-256 key of the sealed clusters.
var key = bytes.Repeat([]byte{0x5a}, 32)

const label = "bench"

// member is one node on a real socket, theirs or ours.
type member interface {
	addr() string
	join(ctx context.Context, seed string) error
	count() int // members it believes to be alive
	close() error
}

// cluster is one row of the table.
type cluster struct {
	converged time.Duration // from the first join until every member knew every other
	idle      time.Duration // CPU time per member and second, at rest
}

// TestFifty starts fifty members in one process on loopback sockets, first all of ours, then all of
// memberlist's, in the clear and with AES-256 and a label, by their LAN presets. All join through the
// first one at once. At rest a member pings one other each second and answers one ping: the first row is
// what fifty bare sockets take for just that, each at its own time. It asserts no figure: machines and their
// neighbours differ.
func TestFifty(t *testing.T) {
	nodes, settle, rest := 50, 10*time.Second, 20*time.Second
	if testing.Short() {
		nodes, settle, rest = 10, time.Second, 2*time.Second
	}
	t.Logf("%d members: convergence, CPU per member and second at rest", nodes)
	t.Logf("bare sockets                     - %8v", measureBare(t, nodes, rest))
	for _, sealed := range []bool{false, true} {
		ours := measure(t, nodes, settle, rest, func(i int) (member, error) { return startNekton(t, i, sealed) })
		theirs := measure(t, nodes, settle, rest, func(i int) (member, error) { return startMemberlist(i, sealed) })
		t.Logf("sealed=%-5v nekton      %8v %8v", sealed, ours.converged.Round(time.Millisecond), ours.idle)
		t.Logf("sealed=%-5v memberlist  %8v %8v", sealed, theirs.converged.Round(time.Millisecond), theirs.idle)
		t.Logf("sealed=%-5v ratio       %8.2f %8.2f", sealed,
			float64(ours.converged)/float64(theirs.converged), float64(ours.idle)/float64(theirs.idle))
	}
}

func measure(t *testing.T, nodes int, settle, rest time.Duration, start func(i int) (member, error)) (c cluster) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	var members []member
	defer func() {
		for _, m := range members {
			require.NoError(t, m.close())
		}
	}()
	for i := range nodes {
		m, err := start(i)
		require.NoError(t, err)
		members = append(members, m)
	}

	began := time.Now()
	joined := make(chan error, nodes)
	for _, m := range members[1:] {
		go func() { joined <- m.join(ctx, members[0].addr()) }()
	}
	for range members[1:] {
		require.NoError(t, <-joined)
	}
	for _, m := range members {
		for m.count() < nodes {
			require.NoError(t, ctx.Err(), "%s knows %d of %d", m.addr(), m.count(), nodes)
			pass(time.Millisecond)
		}
	}
	c.converged = time.Since(began)

	pass(settle)
	c.idle = atRest(t, nodes, rest)
	return c
}

// atRest is the CPU time per member and second of this process during rest.
func atRest(t *testing.T, nodes int, rest time.Duration) time.Duration {
	before := cpu(t)
	pass(rest)
	return time.Duration(float64(cpu(t)-before) / float64(nodes) / rest.Seconds())
}

// measureBare lets each of many sockets send a ping to the next one every second, and answer pings.
func measureBare(t *testing.T, nodes int, rest time.Duration) time.Duration {
	var conns []*net.UDPConn
	for range nodes {
		c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
		require.NoError(t, err)
		defer c.Close() // ends its goroutine
		conns = append(conns, c)
	}
	for i, c := range conns {
		next := conns[(i+1)%nodes].LocalAddr().(*net.UDPAddr).AddrPort()
		due := time.Now().Add(time.Duration(i) * time.Second / time.Duration(nodes))
		require.NoError(t, c.SetReadDeadline(due))
		go bare(c, next, due)
	}
	pass(time.Second)
	return atRest(t, nodes, rest)
}

func bare(c *net.UDPConn, next netip.AddrPort, due time.Time) {
	packet := make([]byte, 1500)
	for {
		n, from, err := c.ReadFromUDPAddrPort(packet)
		switch {
		case err == nil && string(packet[:n]) == "ping":
			_, err = c.WriteToUDPAddrPort([]byte("ack"), from)
		case errors.Is(err, os.ErrDeadlineExceeded):
			_, err = c.WriteToUDPAddrPort([]byte("ping"), next)
			due = due.Add(time.Second)
		}
		if err == nil {
			err = c.SetReadDeadline(due)
		}
		if err != nil {
			return
		}
	}
}

// pass lets time pass: virtual time, inside a synctest bubble.
func pass(d time.Duration) { <-time.After(d) }

// cpu is the time this process has spent so far.
func cpu(t *testing.T) time.Duration {
	var u syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

type nektonMember struct{ cluster *runtime.Cluster }

func startNekton(t *testing.T, i int, sealed bool) (member, error) {
	c := native.NodeConfig{Swim: swim.LAN()}
	c.Swim.Name = fmt.Sprintf("n%d", i)
	c.Host.Bind = "127.0.0.1:0"
	c.Host.Logger = slog.New(slog.DiscardHandler)
	if sealed {
		c.Label, c.Keys = label, [][]byte{key}
	}
	cl, err := native.Start(t.Context(), c)
	return nektonMember{cl}, err
}

func (m nektonMember) addr() string { return m.cluster.Self().Addr.String() }
func (m nektonMember) close() error { return m.cluster.Close() }

func (m nektonMember) join(ctx context.Context, seed string) error {
	_, err := m.cluster.Join(ctx, seed)
	return err
}

func (m nektonMember) count() (alive int) {
	for _, other := range m.cluster.Members() {
		if other.State == swim.Alive {
			alive++
		}
	}
	return alive
}

type memberlistMember struct{ list *memberlist.Memberlist }

func startMemberlist(i int, sealed bool) (member, error) {
	c := memberlist.DefaultLANConfig()
	c.Name = fmt.Sprintf("n%d", i)
	c.BindAddr, c.BindPort, c.AdvertisePort = "127.0.0.1", 0, 0
	c.LogOutput = io.Discard
	if sealed {
		c.Label, c.SecretKey = label, key
	}
	m, err := memberlist.Create(c)
	return memberlistMember{m}, err
}

func (m memberlistMember) addr() string { return m.list.LocalNode().Address() }
func (m memberlistMember) count() int   { return m.list.NumMembers() }
func (m memberlistMember) close() error { return m.list.Shutdown() }

func (m memberlistMember) join(_ context.Context, seed string) error {
	_, err := m.list.Join([]string{seed})
	return err
}
