// Package bench puts this module beside hashicorp/memberlist. It is a module of its own, so that nobody
// who imports ours downloads theirs, and it holds nothing but tests:
//
//	go test -bench .                  one ping answered, through each one's public seam
//	go test -run TestVirtual -v       the crash of one of 128 members in virtual time, side by side
//	go test -run TestLifeguard -v     members that hear nothing for a while, in virtual time, side by side
//	go test -run TestFifty -v         fifty members on loopback sockets: convergence, and CPU at rest
//
// They print tables; what they assert is what the project promises about the comparison.
package bench
