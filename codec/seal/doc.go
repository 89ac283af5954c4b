// Package seal encrypts what a node says. It goes around a node and has the same three verbs:
//
//	c := seal.Config{Label: "reef", Keys: [][]byte{key}} // 16, 24 or 32 secret bytes
//	rand.Read(c.Session[:])                              // fresh at every start, by the host
//	inner, err := stack.New(stack.Config{MTU: 1400 - seal.Overhead(c), ...})
//	node, err := seal.New(inner, c)
//
// Whatever drives a core.Node drives a seal.Node. Neither the node inside nor the host outside notices:
// datagrams are sealed one by one, links carry records, and everything else passes through.
//
// # Datagrams
//
// Each datagram is sealed with AES-GCM under a key derived from the cluster's key, the label and the
// sender's session (HKDF-SHA256), with a counter for a nonce. So nonces need no randomness and never
// repeat, however many datagrams are sent, as long as no session is used twice. The receiver keeps a
// window per session (Config.Window, Config.SessionsMax): what it has seen, or can no longer tell, is
// refused. Overtaking within the window is fine.
//
// # Links
//
// Each direction of a link has a key of its own, derived from the dialer's session and link number, and for
// the answer from the acceptor's too. Records are numbered. So none can be changed, dropped from the
// middle, reordered, or moved to another link. The side that dialed must write first, and the answer comes
// under the same key, also while keys are being replaced. The end of a link is not sealed: a link that is
// cut short looks like any other link that went down.
//
// # Replacing keys
//
// Send the commands Install with the new key to every node, then Use, then Remove with the old one. Each
// step must have reached every node before the next one starts; each completes with [Keys].
//
// # Moving a running cluster to encryption
//
// Restart the nodes one by one, three times over: with Keys, AcceptPlain and SendPlain; then without
// SendPlain; then without AcceptPlain. Stats.Plain stands still when the last plain peer is gone. Until
// then the network can forge: what is accepted in plain is not protected.
//
// # What it does not do
//
// Whoever has the key is a member: members are not protected from each other. Addresses, sizes and times
// are visible, and so are the label's hash, the key's id and who sent what (the session). There is no
// forward secrecy: whoever records traffic and learns the key later reads it.
//
// Nothing says for whom a datagram was meant. An attacker may record one and play it to a member that
// has not seen it; and play it again to one that has forgotten the sender, because it restarted or has heard
// Config.SessionsMax others since. The same is true of what a dialer wrote on a link. For SWIM this is
// news from the past: gossip about an incarnation that is over is ignored, a ping for another member is
// dropped, an ack must guess the sequence number that is outstanding. What remains: a member whose
// tombstone has expired may appear again until probes fail, and old user messages may arrive once more.
// Applications that act on those number them.
package seal
