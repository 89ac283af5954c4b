package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/nekton-go/nekton/cmd/nekton/internal/demo"
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/stack"
	"github.com/nekton-go/nekton/hosts/wasi"
	"github.com/nekton-go/nekton/sim"
)

// demoNodes is how many members the demo has in virtual time.
const demoNodes = 128

func newDemo() *cobra.Command {
	c := &cobra.Command{
		Use:   "demo",
		Short: "Watch a cluster form, lose a member, split, heal and say goodbye, in half a minute",
		Long: "Watch a cluster of native and WebAssembly members, on real sockets of this machine, form, lose a\n" +
			"member, split, heal and see one off; then the same core do it in virtual time. Exits with 0 only\n" +
			"if every step was observed in every member's own view.",
		Args: noArgs,
	}
	f := c.Flags()
	config := demo.Config{}
	f.IntVar(&config.Native, "native", 3, "`number` of native members")
	f.IntVar(&config.Wasm, "wasm", 3, "`number` of WebAssembly members")
	guest := guestFile(f)
	asJSON := f.Bool("json", false, "print the figures as one JSON object, on the last line")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if n := config.Native + config.Wasm; config.Native < 0 || config.Wasm < 0 ||
			n < demo.MembersMin || n > demo.MembersMax {
			return misuse(fmt.Errorf("-native %d -wasm %d: use %d to %d members in all",
				config.Native, config.Wasm, demo.MembersMin, demo.MembersMax))
		}
		config.Out = c.OutOrStdout()
		fmt.Fprintf(config.Out, "%d native and %d WebAssembly members on real sockets of this machine:\n\n",
			config.Native, config.Wasm)
		if config.Wasm > 0 {
			module, err := openGuest(c.Context(), *guest, wasi.Config{})
			if err != nil {
				return err
			}
			defer module.Close(c.Context())
			config.Guest = func(node stack.Config) (core.Verbs, error) { // each in an instance of its own
				instance, err := module.NewInstance(c.Context())
				if err != nil {
					return nil, err
				}
				return guestNode(instance, &node)
			}
		}
		result, err := demo.Run(c.Context(), config)
		if err == nil {
			err = demoInVirtualTime(config.Out)
		}
		result.OK = err == nil
		if *asJSON {
			err = errors.Join(err, printJSON(c.OutOrStdout(), result))
		}
		return err
	}
	return c
}

// demoInVirtualTime shows a crash among more members than this machine would like to run.
func demoInVirtualTime(w io.Writer) error {
	start := time.Now()
	r, err := sim.Run(sim.Options{Scenario: "crash", Nodes: demoNodes, Seed: 1})
	if err != nil {
		return err
	}
	r.WallMS = time.Since(start).Milliseconds()
	fmt.Fprintf(w, "\nThe same core in virtual time, with every safety check on:\n\n")
	printResult(w, &r)
	if !r.OK {
		return fmt.Errorf("the simulation did not end well; see: nekton sim run -scenario crash -nodes %d", demoNodes)
	}
	_, err = fmt.Fprintln(w, "ok")
	return err
}
