package native_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"os"
	"time"

	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/hosts/native"
	"github.com/nekton-go/nekton/runtime"
)

func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	start := func(name string) *runtime.Cluster {
		c := native.NodeConfig{Swim: swim.Local()}
		c.Swim.Name = name
		c.Host.Bind = "127.0.0.1:0"                   // any free port; the default is ":7946"
		c.Host.Logger = slog.New(slog.DiscardHandler) // the default is slog.Default()
		c.Keys = [][]byte{[]byte("sixteen or more!")} // from crypto/rand, in real life
		cluster, err := native.Start(ctx, c)
		if err != nil {
			log.Fatal(err)
		}
		return cluster
	}
	alice, bob := start("alice"), start("bob")
	defer alice.Close()
	defer bob.Close()

	sub := alice.Subscribe()
	defer sub.Close()
	if _, err := bob.Join(ctx, alice.Self().Addr.String()); err != nil {
		log.Fatal(err)
	}
	if err := bob.Send(ctx, "alice", []byte("hello"), true); err != nil {
		log.Fatal(err)
	}
	for d, err := range sub.Deltas(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		switch e := d.Event.(type) {
		case nil:
			fmt.Println("members:", len(d.Members))
		case *swim.Joined:
			fmt.Println("joined:", e.Member.Name)
		case *swim.UserReceived:
			fmt.Printf("received: %s\n", e.Data)
			return
		}
	}
	// Output:
	// members: 1
	// joined: bob
	// received: hello
}

// A node that keeps its journal returns after a crash with a higher incarnation, so that the others believe
// it at once.
func Example_journal() {
	dir, err := os.MkdirTemp("", "nekton")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	c := native.NodeConfig{Swim: swim.LAN()}
	c.Swim.Name = "alice"
	c.Host.Bind, c.Host.Journal = "127.0.0.1:0", dir
	c.Host.Logger = slog.New(slog.DiscardHandler)
	var last uint32
	for range 3 {
		cluster, err := native.Start(context.Background(), c)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(cluster.Self().Incarnation > last)
		last = cluster.Self().Incarnation
		if err := cluster.Close(); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// true
	// true
	// true
}

func ExampleListen() {
	_, err := native.Listen(native.Config{Bind: "localhost"})
	fmt.Println(err)
	_, err = native.Listen(native.Config{Bind: "127.0.0.1:0", Journal: os.DevNull})
	fmt.Println(err != nil, errors.Unwrap(err) != nil)
	// Output:
	// native: bind address "localhost": want ip:port or :port
	// true true
}
