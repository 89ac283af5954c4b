package main

import (
	"fmt"
	"math"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"time"
)

// byteSize is a number of bytes, written as "4GiB".
type byteSize uint64

var byteUnits = []struct {
	name string
	size uint64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}

// String implements pflag.Value.
func (b *byteSize) String() string {
	for _, u := range byteUnits {
		if *b > 0 && uint64(*b)%u.size == 0 {
			return strconv.FormatUint(uint64(*b)/u.size, 10) + u.name
		}
	}
	return ""
}

// Type implements pflag.Value.
func (b *byteSize) Type() string { return "size" }

// Set implements pflag.Value.
func (b *byteSize) Set(text string) error {
	for _, u := range byteUnits {
		if number, ok := strings.CutSuffix(text, u.name); ok {
			n, err := strconv.ParseUint(number, 10, 64)
			if err != nil || n == 0 || n > math.MaxInt64/u.size {
				break
			}
			*b = byteSize(n * u.size)
			return nil
		}
	}
	return fmt.Errorf("want a size such as 512MiB or 4GiB")
}

// watchEvery is how often memory is looked at.
const watchEvery = 100 * time.Millisecond

// watch calls over once if this process comes to use so much memory although the collector does its best. The
// function that it returns ends that.
func (b *byteSize) watch(over func()) (end func()) {
	if *b == 0 {
		return func() {}
	}
	if inUse() > uint64(*b) {
		over()
		return func() {}
	}
	before := debug.SetMemoryLimit(int64(*b) / 10 * 9)
	tick, done := time.NewTicker(watchEvery), make(chan struct{})
	go func() {
		for {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			if inUse() > uint64(*b) {
				over()
				return
			}
		}
	}()
	return func() {
		tick.Stop()
		close(done)
		debug.SetMemoryLimit(before)
	}
}

// collectLess has the collector run less often, until the function that it returns is called: runs of small
// clusters leave much behind and keep little. Who sets GOGC knows better.
func collectLess() (end func()) {
	const percent = 400
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	before := debug.SetGCPercent(percent)
	return func() { debug.SetGCPercent(before) }
}

// inUse is how much memory the runtime holds.
func inUse() uint64 {
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(samples)
	return samples[0].Value.Uint64() - samples[1].Value.Uint64()
}
