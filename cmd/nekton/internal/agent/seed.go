package agent

import (
	"fmt"
	"net"
	"strconv"
)

// CheckSeed refuses what cannot be the "host:port" of a member.
func CheckSeed(seed string) error {
	host, port, err := net.SplitHostPort(seed)
	if n, e := strconv.ParseUint(port, 10, 16); err != nil || e != nil || n == 0 || host == "" {
		return fmt.Errorf("seed %q: want host:port of a member, such as 10.0.0.7:7946", seed)
	}
	return nil
}
