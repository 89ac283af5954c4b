package core

import (
	"math"
	"strconv"
	"time"
)

// Instant is monotonic time in nanoseconds since an origin the host picked before the first Step.
// Only differences mean anything.
type Instant int64

// Never is later than every deadline.
const Never Instant = math.MaxInt64

// Add returns t+d, or Never if that overflows.
func (t Instant) Add(d time.Duration) Instant {
	if d > 0 && t > Never-Instant(d) {
		return Never
	}
	return t + Instant(d)
}

// Sub returns t-u.
func (t Instant) Sub(u Instant) time.Duration { return time.Duration(t - u) }

// String formats t as a duration since the origin, or "never".
func (t Instant) String() string {
	if t == Never {
		return "never"
	}
	return time.Duration(t).String()
}

// Fault says why something failed. The zero Fault is success.
type Fault uint8

// The faults a host or a machine may report.
const (
	FaultNone        Fault = iota // it worked
	FaultTimeout                  // no answer in time
	FaultUnreachable              // the peer, or the way to it, does not exist
	FaultClosed                   // the other side, or the host, ended it
	FaultTooLarge                 // a named bound would be exceeded
	FaultBusy                     // a queue or table is full; try again later
	FaultNotFound                 // no such name, member or machine
	FaultInvalid                  // the request or the bytes make no sense
	FaultRefused                  // the other side, or a policy, said no
	FaultStorage                  // the journal could not be written
	faults
)

var faultText = [faults]string{
	"ok", "timeout", "unreachable", "closed", "too large", "busy", "not found", "invalid", "refused", "storage failed",
}

// String names the fault.
func (f Fault) String() string {
	if f < faults {
		return faultText[f]
	}
	return "fault " + strconv.Itoa(int(f))
}

// Error makes a Fault usable as an error; FaultNone is not an error and must not be returned as one.
func (f Fault) Error() string { return f.String() }
