// Package native runs nodes on real sockets, disks and clocks.
//
// [Start] is the one call an application needs; it returns a runtime.Cluster:
//
//	c := native.NodeConfig{Swim: swim.LAN()}
//	c.Swim.Name = "a"
//	c.Host.Journal = "/var/lib/example"
//	cluster, err := native.Start(ctx, c)
//
// [Listen] returns the [Host] alone, for nodes that you assemble yourself.
//
// # Sockets
//
// A host has one port, for UDP and TCP. A connection begins with one byte that says what it carries: a
// link, or datagrams from a member that has no UDP. With [Config].TLS that byte is already encrypted.
// Datagrams that cannot wait any longer, connections over a bound and strangers' packets are dropped
// and counted ([Host.Stats]); links are never dropped, their sender is made to wait.
//
// # Disk
//
// With [Config].Journal set, each machine has one file of checksummed records. Records that arrive
// together become durable together, in one write and one sync. After a crash a record that was cut short is
// removed; where bits have changed, reading stops before them and the file is kept beside its successor
// with ".damaged" in its name. Both are logged.
//
// # Goroutines
//
// One reads the UDP socket, one accepts connections, one reads each connection, one writes the journal;
// short-lived ones dial, look up and write. The loop (runtime.Run) is the caller's. All of them
// end before Close returns.
package native
