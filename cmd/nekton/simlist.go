package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/nekton-go/nekton/internal/mutant"
	"github.com/nekton-go/nekton/sim"
	"github.com/nekton-go/nekton/sim/check"
	"github.com/nekton-go/nekton/sim/scenario"
)

// lists are what sim list knows: rows of the columns named.
var lists = []struct {
	name    string
	columns []string
	rows    func() [][]string
}{
	{"scenarios", []string{"name", "from"}, listScenarios},
	{"faults", []string{"name", "doc"}, listFaults},
	{"operations", []string{"name", "doc"}, listOperations},
	{"oracles", []string{"id", "name", "doc", "source"}, listOracles},
	{"branches", []string{"name", "doc"}, listBranches},
	{"mutants", []string{"name", "doc", "oracle"}, listMutants},
}

func newSimList() *cobra.Command {
	var names []string
	for _, l := range lists {
		names = append(names, l.name)
	}
	all := strings.Join(names, ", ")
	c := &cobra.Command{
		Use:   "list " + strings.Join(names, "|"),
		Short: "List what there is: scenarios, faults, operations, oracles, branches, mutants",
		Long: "List what there is: scenarios to run, faults that swarms draw, the operations of schedules that\n" +
			"faults are made of, oracles that watch every run, branches of the protocol that sweeps should\n" +
			"see, and mutants: bugs to test the oracles with.",
		Args: oneArg("one of " + all), ValidArgs: names,
	}
	asJSON := c.Flags().Bool("json", false, "print one JSON array of objects")
	c.RunE = func(c *cobra.Command, args []string) error {
		for _, l := range lists {
			if l.name == args[0] {
				return printRows(c, l.columns, l.rows(), *asJSON)
			}
		}
		return misuse(fmt.Errorf("there is no list of %q, only of %s", args[0], all))
	}
	return c
}

func printRows(c *cobra.Command, columns []string, rows [][]string, asJSON bool) error {
	if asJSON {
		objects := make([]map[string]string, len(rows))
		for i, row := range rows {
			objects[i] = map[string]string{}
			for k, column := range columns {
				objects[i][column] = row[k]
			}
		}
		return printJSON(c.OutOrStdout(), objects)
	}
	w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	return w.Flush()
}

func listScenarios() (rows [][]string) {
	for _, name := range sim.Scenarios() {
		rows = append(rows, []string{name, "drawn from the seed, for any number of nodes"})
	}
	for _, name := range scenario.Library() {
		rows = append(rows, []string{name, "a file of the library"})
	}
	return rows
}

func listFaults() (rows [][]string) {
	for _, f := range sim.Catalogue() {
		rows = append(rows, []string{f.Name, f.Doc})
	}
	return rows
}

func listOperations() (rows [][]string) {
	for _, k := range sim.Kinds() {
		rows = append(rows, []string{k.Name, k.Doc})
	}
	return rows
}

func listOracles() (rows [][]string) {
	for _, o := range check.Oracles() {
		rows = append(rows, []string{o.ID, o.Name, o.Doc, o.Source})
	}
	return rows
}

func listBranches() (rows [][]string) {
	for _, m := range check.Marks() {
		rows = append(rows, []string{m.Name, m.Doc})
	}
	return rows
}

func listMutants() (rows [][]string) {
	for _, m := range mutant.All() {
		rows = append(rows, []string{m.Name, m.Doc, m.Oracle})
	}
	return rows
}
