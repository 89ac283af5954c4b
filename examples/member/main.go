// Member is an application that is a member of a cluster: it starts, joins, says what it sees, and leaves.
//
//	go run ./examples/member -name a -listen 127.0.0.1:7001
//	go run ./examples/member -name b -listen 127.0.0.1:7002 -join 127.0.0.1:7001
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"

	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/hosts/native"
	"github.com/nekton-go/nekton/runtime"
)

func main() {
	name, join := flag.String("name", "", "this member's name"), flag.String("join", "", "any member's address")
	listen := flag.String("listen", ":7946", "where to listen")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *name, *listen, *join, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run is a member until ctx is done; then it says goodbye.
func run(ctx context.Context, name, listen, join string, out io.Writer) error {
	cluster, err := start(ctx, name, listen, join)
	if err != nil {
		return err
	}
	err = watch(ctx, cluster, out)
	if errors.Is(err, context.Canceled) {
		err = cluster.Leave(context.WithoutCancel(ctx))
	}
	return errors.Join(err, cluster.Close())
}

func start(ctx context.Context, name, listen, join string) (*runtime.Cluster, error) {
	config := native.NodeConfig{Swim: swim.LAN()}
	config.Swim.Name = name
	config.Swim.Seeds = strings.Fields(join) // host:port; looked up again whenever they are lost
	config.Host.Bind = listen
	config.Host.Logger = slog.New(slog.DiscardHandler) // the default is slog.Default()
	return native.Start(ctx, config)
}

// watch tells what happens: a snapshot first, then every event, none of them lost unnoticed.
func watch(ctx context.Context, cluster *runtime.Cluster, out io.Writer) error {
	events := cluster.Subscribe()
	defer events.Close()
	for delta, err := range events.Deltas(ctx) {
		if err != nil {
			return err
		}
		switch e := delta.Event.(type) {
		case nil:
			fmt.Fprintln(out, "members:", len(delta.Members))
		case *swim.Joined:
			fmt.Fprintln(out, "joined:", e.Member.Name)
		case *swim.Departed:
			fmt.Fprintln(out, "left:", e.Member.Name)
		case *swim.Failed:
			why, _ := e.Evidence.AppendText(nil)
			fmt.Fprintf(out, "failed: %s, %s\n", e.Member.Name, why)
		}
	}
	return nil
}
