package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/nekton-go/nekton/sim"
)

// guestFlags say what nodes are made of.
type guestFlags struct {
	kind, file  string
	interpreter bool
}

func defineGuest(f *pflag.FlagSet) *guestFlags {
	g := &guestFlags{}
	f.StringVar(&g.kind, "guest", "native", "what nodes are made of: native or wasm")
	return g
}

func (g *guestFlags) run(_ context.Context, o sim.Options) (sim.Result, error) {
	switch g.kind {
	case "native":
		return sim.Run(o)
	case "wasm":
		return sim.Result{}, errors.New("not yet")
	}
	return sim.Result{}, misuse(fmt.Errorf("-guest %q: use native or wasm", g.kind))
}
