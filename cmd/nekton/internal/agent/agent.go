package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/nekton-go/nekton/hosts/native"
	"github.com/nekton-go/nekton/runtime"
)

// How long the agent waits at most.
const (
	startPatience = 15 * time.Second // for its member to be alive
	leavePatience = time.Second      // for its goodbye to be heard, beyond swim.Config.LeaveTimeout
	closePatience = 2 * time.Second  // for answers on the API to be taken
)

// Config says what to run.
type Config struct {
	Node    native.NodeConfig
	Join    []string // "host:port" of members; those out of reach are tried again for ever
	HTTP    string   // where the API listens, a loopback "ip:port"
	KeyFile string   // Node.Keys came from here, and changes go there
	Version string   // of the program, for /v1/info
	Logger  *slog.Logger
}

// An Agent is a running member with its API.
type Agent struct {
	config  Config
	log     *slog.Logger
	cluster *runtime.Cluster
	keys    *keyring
	wall    wall
	started time.Time

	server  *http.Server
	socket  net.Listener
	leaving atomic.Bool
	left    chan struct{} // closed when the API was asked to leave and has
}

// Start opens the API's socket and starts the member. It returns once the member is alive; joining goes on
// in Serve. An error is a mistake in the config: nothing runs then.
func Start(ctx context.Context, c Config) (*Agent, error) {
	if err := checkLoopback(c.HTTP); err != nil {
		return nil, err
	}
	socket, err := net.Listen("tcp", c.HTTP)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("http address %s is in use, by another agent? choose another with -http", c.HTTP)
	}
	if err != nil {
		return nil, fmt.Errorf("http address: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	cluster, err := native.Start(ctx, c.Node)
	if err != nil {
		socket.Close()
		return nil, err
	}
	self := cluster.Self()
	a := &Agent{
		config: c, log: c.Logger, cluster: cluster, socket: socket, left: make(chan struct{}), started: time.Now(),
		keys: newKeyring(cluster, c.KeyFile, c.Node.Keys),
		wall: wallAt(self.Since),
	}
	a.log.Info("agent runs", "name", self.Name, "addr", self.Addr, "http", a.HTTP())
	return a, nil
}

// HTTP is the address of the API.
func (a *Agent) HTTP() string { return a.socket.Addr().String() }

// Serve joins and answers the API until ctx ends or somebody asks the agent to leave; then it says goodbye
// and returns nil. Errors: the member or the API broke down by itself.
func (a *Agent) Serve(ctx context.Context) error {
	streams, hangUp := context.WithCancel(context.Background())
	defer hangUp()
	a.server = &http.Server{
		Handler:           sameSite(a.routes()),
		BaseContext:       func(net.Listener) context.Context { return streams },
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      requestPatience, // events have their own
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(a.log.Handler(), slog.LevelDebug),
	}
	broken := make(chan error, 1)
	go func() { broken <- a.server.Serve(a.socket) }() // ends with Shutdown or Close below
	go a.join(streams)                                 // ends with hangUp

	var err error
	select {
	case <-ctx.Done():
		a.log.Info("agent leaves; a second signal ends it at once")
		if !a.leaving.CompareAndSwap(false, true) {
			<-a.left
		} else if e := a.leave(context.Background()); e != nil {
			a.log.Warn("the goodbye may not have been heard", "error", e)
		}
	case <-a.left:
	case <-a.cluster.Done():
		err = errors.New("the member stopped by itself") // close says why
	case err = <-broken:
		err = fmt.Errorf("the API stopped: %w", err)
	}
	return errors.Join(err, a.close(hangUp))
}

func (a *Agent) join(ctx context.Context) {
	if len(a.config.Join) == 0 {
		return
	}
	reached, err := a.cluster.Join(ctx, a.config.Join...)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		a.log.Warn("no seed has answered yet; they will be tried again", "error", plain(err))
	default:
		a.log.Info("joined", "seeds", reached, "of", len(a.config.Join))
	}
}

// leave says goodbye. It belongs to whoever set a.leaving.
func (a *Agent) leave(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, a.config.Node.Swim.LeaveTimeout+leavePatience)
	defer cancel()
	return a.cluster.Leave(ctx)
}

// close lets answers be taken, ends the streams of events, and stops the member.
func (a *Agent) close(hangUp func()) error {
	hangUp()
	ctx, cancel := context.WithTimeout(context.Background(), closePatience)
	defer cancel()
	if a.server.Shutdown(ctx) != nil {
		a.server.Close()
	}
	err := a.cluster.Close()
	a.log.Info("agent ends")
	return err
}
