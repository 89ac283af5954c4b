package native

import (
	"time"

	"github.com/nekton-go/nekton/core"
)

const (
	wallEvery = time.Minute // how often the node hears the wall clock at least
	wallJump  = time.Second // how far the wall clock may move against the monotonic one unnoticed
)

// A clock reads monotonic time, and notices when the wall clock has moved against it.
type clock struct {
	start time.Time

	told    core.Instant // when the node last heard the wall clock
	epoch   int64        // wall time of Instant 0, as the node last heard it
	started bool
}

// startOfClocks is Instant 0 of every host in this process: the full hour before the process started, so
// that the hosts of all processes of a machine agree on phases (swim.Config.Phase).
var startOfClocks = func() time.Time {
	now := time.Now()
	return now.Add(-time.Duration(now.UnixNano() % int64(time.Hour)))
}()

// now is at least 1, as 0 means "not set" in an Input.
func (c *clock) now() core.Instant { return core.Instant(time.Since(c.start)) + 1 }

// wall returns an InputWall if the node is due one.
func (c *clock) wall() (in core.Input, due bool) {
	read := time.Now()
	now := core.Instant(read.Sub(c.start)) + 1
	epoch := read.UnixNano() - int64(now)
	if moved := time.Duration(epoch - c.epoch).Abs(); c.started && now < c.told.Add(wallEvery) && moved < wallJump {
		return core.Input{}, false
	}
	c.told, c.epoch, c.started = now, epoch, true
	return core.Input{Kind: core.InputWall, Wall: read.UnixNano(), At: now}, true
}
