//go:build unix

package main

import (
	"syscall"
	"time"
)

// worked is how long processors have worked for this process. Unlike the time of day, it does not pass while
// others have them.
func worked() time.Duration {
	var used syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &used) // fails for no arguments but others
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
