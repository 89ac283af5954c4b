package core_test

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/coretest"
	"github.com/nekton-go/nekton/internal/script"
)

// TestScripts runs the scripts in testdata: nodes of puppets that speak plain. A node's options are the
// protocols it mounts, bottom first, and its bounds: mtu=20 window=10 frame=50 accepted=1 idle=2s.
func TestScripts(t *testing.T) {
	script.Walk(t, "testdata", func(*testing.T) script.Handler {
		return coretest.New(coretest.Config{
			Dialect: &plain{}, Node: puppets, Message: parseNote, Command: parseOrder,
		}).Do
	})
}

func puppets(name string, _ netip.AddrPort, options []string) (core.Verbs, error) {
	c := core.Config{Seed: [32]byte{1}, Dialect: &plain{}, Check: true}
	for _, o := range options {
		key, value, bound := strings.Cut(o, "=")
		if !bound {
			p, err := strconv.ParseUint(o, 10, 8)
			if err != nil {
				return nil, err
			}
			c.Machines = append(c.Machines, core.Mount{Proto: core.Proto(p), Machine: newPuppet(core.Proto(p))})
			continue
		}
		if key == "idle" {
			d, err := time.ParseDuration(value)
			if err != nil {
				return nil, err
			}
			c.AcceptedIdle = d
			continue
		}
		into := map[string]*int{"mtu": &c.MTU, "window": &c.LinkWindow, "frame": &c.FrameMax, "accepted": &c.AcceptedMax}[key]
		if into == nil {
			return nil, fmt.Errorf("%s: unknown option %q", name, o)
		}
		n, err := strconv.Atoi(value)
		if err != nil {
			return nil, err
		}
		*into = n
	}
	return core.NewNode(c), nil
}
