// Package swim is cluster membership: who is in, who is alive, who has failed and why we think so. It
// implements SWIM (Das, Gupta, Motivala, DSN 2002) with Lifeguard (Dadgar, Phillips, Currey,
// arXiv 1707.00788) and full state exchange, as one [Machine] for a core.Node.
//
//	config := swim.LAN()
//	config.Name, config.Addr = "web-1", netip.MustParseAddrPort("10.0.0.1:7946")
//	config.Seeds = []string{"seed.example.com:7946"}
//	machine, err := swim.New(config)
//	node := core.NewNode(core.Config{Machines: []core.Mount{{Proto: swim.Proto, Machine: machine}}, …})
//
// Applications rarely do this themselves: package stack assembles a node, package native runs one.
//
// # What it does
//
// Every ProbeInterval a member pings another, in an order that reaches everyone once before anyone twice.
// No answer within ProbeTimeout: it asks IndirectProbes helpers to ping it too, and pings it over a link.
// Still none by the end of the interval: the member becomes [Suspect]. It now has between a shortest and
// a longest time to refute, less the more members suspect it independently. Shortly before that is over
// it is told so once more, by whoever is about to declare it [Dead]. All news spreads by gossip, in datagrams
// of its own and on the back of others; every PushPullInterval two members exchange everything, so that
// nothing stays lost.
//
// A member that is itself unwell (starved, cut off) notices that answers it should get do not come, and
// gives others more time: its health score stretches its timeouts.
//
// # Incarnations
//
// Everything said about a member carries its incarnation: a number only the member itself raises. Higher
// overrides lower; at the same incarnation dead overrides suspect overrides alive. A member refutes an
// accusation by raising its incarnation above it. It keeps incarnations growing across restarts by
// reserving them in its journal; without a journal it starts from the wall clock; without either it finds
// out from the others.
//
// # What the application sees
//
// Events: [Ready], with the members that Config.Table held from the start, [Joined], [Updated], [Suspected],
// [Refuted], [Failed] with its [Evidence], [Departed], [Reaped], [Conflict], [HealthChanged], [UserReceived],
// [UserStateReceived]. Between Joined and Failed or Departed of one member there is no other Joined of it.
// Commands: [Join], [Leave], [SetMeta], [PingMember], [SendUser], [SetUserState], [Forget], [Inspect]; each ends in
// one completion.
//
// # Improved and Memberlist
//
// The presets follow the papers where HashiCorp's memberlist does not, without changing a byte on the
// wire; [Config.AsMemberlist] follows memberlist. docs/RATIONALE.md lists the differences and why.
package swim
