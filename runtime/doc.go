// Package runtime drives nodes: the loop, the Host it runs in, and the handle applications hold.
//
// Most programs need only a [Cluster], which native.Start returns:
//
//	cluster, err := native.Start(ctx, native.NodeConfig{ ... })
//	defer cluster.Close()
//	reached, err := cluster.Join(ctx, "10.0.0.7:7946")
//	for _, m := range cluster.Members() { ... }
//
// Its methods may be called from any goroutine. Those that take a context return when the context ends,
// and what they asked for may still happen. A command that the node answers with a core.Fault returns a
// [*CommandError], which errors.Is matches with that fault.
//
// # Watching
//
// [Cluster.Subscribe] returns a stream of everything that happens: first a snapshot, then one [Delta] per
// event, numbered without gaps. A subscriber that falls behind is not waited for; it gets a new snapshot
// that says how many events it missed.
//
//	sub := cluster.Subscribe()
//	defer sub.Close()
//	for d, err := range sub.Deltas(ctx) {
//		if err != nil { ... } // the context's error, or ErrClosed
//		switch e := d.Event.(type) {
//		case nil: // d.Members is all there is to know, d.Missed events were skipped
//		case *swim.Joined: ...
//		}
//	}
//
// # Hosting
//
// To run a node somewhere new, implement [Host], check it with package hosttest, and call [Run] or
// [Start]. A machine of your own is reached by [Cluster.Do] and heard by Subscribe.
package runtime
