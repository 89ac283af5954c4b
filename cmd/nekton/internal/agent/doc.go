// Package agent is one member of a cluster as a process of its own, and the HTTP API on the loopback
// interface by which it is watched and told what to do. docs/openapi.yaml documents the API.
//
//	a, err := agent.Start(ctx, config)  // an error is a mistake in config
//	err = a.Serve(ctx)                  // until ctx ends, someone asks it to leave, or it fails
//
// [Client] is the other side of the API.
package agent
