package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/nekton-go/nekton/codec/abi"
	"github.com/nekton-go/nekton/core/swim"
)

func newVersion() *cobra.Command {
	c := &cobra.Command{Use: "version", Short: "Show versions: of the program and of what it speaks", Args: noArgs}
	c.RunE = func(c *cobra.Command, _ []string) error {
		v := swim.LAN().Versions
		_, err := fmt.Fprintf(c.OutOrStdout(), "nekton %s\n%s %s/%s\nmembership protocol %d to %d\nwasm ABI %d\n",
			version(), runtime.Version(), runtime.GOOS, runtime.GOARCH, v.ProtocolMin, v.ProtocolMax, abi.Version)
		return err
	}
	return c
}

// version is the module's version, or the commit it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	text := info.Main.Version
	if text == "" {
		text = "(devel)"
	}
	if commit := settings["vcs.revision"]; text == "(devel)" && commit != "" {
		text += " " + commit[:min(len(commit), 12)]
		if settings["vcs.modified"] == "true" {
			text += " modified"
		}
	}
	return text
}
