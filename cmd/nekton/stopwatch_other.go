//go:build !unix

package main

import "time"

var started = time.Now()

// worked is how long this process has run: as long as processors have worked for it, if nobody else wants them.
func worked() time.Duration { return time.Since(started) }
