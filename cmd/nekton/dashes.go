package main

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// doubleDashes writes "-long" as "--long", which pflag wants. Values of flags stay as they are.
func doubleDashes(root *cobra.Command, args []string) []string {
	takesValue := map[string]bool{}
	everyFlag(root, func(f *pflag.Flag) { takesValue[f.Name] = f.NoOptDefVal == "" })
	out := make([]string, 0, len(args))
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			return append(out, args[i:]...)
		}
		name, isFlag := strings.CutPrefix(arg, "-")
		name = strings.TrimPrefix(name, "-")
		if !isFlag || len(name) < 2 {
			out = append(out, arg)
			continue
		}
		out = append(out, "--"+name)
		if takesValue[name] && i+1 < len(args) {
			i++
			out = append(out, args[i])
		}
	}
	return out
}

func everyFlag(c *cobra.Command, visit func(*pflag.Flag)) {
	c.Flags().VisitAll(visit)
	for _, sub := range c.Commands() {
		everyFlag(sub, visit)
	}
}
