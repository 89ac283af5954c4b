package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// seedRange is seeds from..to-1 of a sweep, or of one shard of it: every of-th of them, beginning with shard.
type seedRange struct {
	from, to  uint64
	shard, of uint64
}

// openEnd is the end of a range that has none.
const openEnd = math.MaxUint64

// String implements pflag.Value.
func (r *seedRange) String() string {
	switch {
	case r.from == r.to:
		return ""
	case r.to == openEnd:
		return fmt.Sprintf("%d:", r.from)
	}
	return fmt.Sprintf("%d:%d", r.from, r.to)
}

// Type implements pflag.Value.
func (r *seedRange) Type() string { return "from:to" }

// Set implements pflag.Value.
func (r *seedRange) Set(text string) error {
	first, last, isRange := strings.Cut(text, ":")
	from, err := strconv.ParseUint(first, 10, 64)
	to := uint64(openEnd)
	if err == nil && last != "" {
		to, err = strconv.ParseUint(last, 10, 64)
	}
	if err != nil || !isRange || from >= to {
		return fmt.Errorf("want from:to, such as 0:1000 for seeds 0 to 999, or from: for all from there on")
	}
	r.from, r.to = from, to
	return nil
}

// shardOf narrows the range down: "i/k" is every k-th seed, beginning with the i-th, counted from 0.
func (r *seedRange) shardOf(text string) error {
	r.shard, r.of = 0, 1
	if text == "" {
		return nil
	}
	i, k, isShard := strings.Cut(text, "/")
	shard, err := strconv.ParseUint(i, 10, 32)
	if err == nil {
		r.of, err = strconv.ParseUint(k, 10, 32)
	}
	if err != nil || !isShard || shard >= r.of {
		return fmt.Errorf("-shard %q: want i/k with i from 0 to k-1, such as 0/8", text)
	}
	r.shard = shard
	return nil
}

// count is how many seeds there are.
func (r *seedRange) count() uint64 {
	all := r.to - r.from
	if r.shard >= all {
		return 0
	}
	return (all - r.shard + r.of - 1) / r.of
}

// at is the k-th seed.
func (r *seedRange) at(k uint64) uint64 { return r.from + r.shard + k*r.of }
