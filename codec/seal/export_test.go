package seal

// Senders returns how many senders n remembers.
func (n *Node) Senders() int { return len(n.senders.known) }

// OpenLinks returns how many links n knows of.
func (n *Node) OpenLinks() int { return len(n.links.open) }
