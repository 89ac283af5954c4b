package nekton_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const modulePath = "github.com/nekton-go/nekton"

// layers says which packages may import which: "a < b" means that b may import a, and everything that a
// may import. A package that is not here fails the test.
//
// DO NOT CHANGE THIS TO FIX A BUILD. A new edge is a design decision: put its reason in
// docs/RATIONALE.md.
const layers = `
	NONE < internal/mix, internal/mutant < core;
	NONE < resolver, docs;
	NONE < internal/golden < internal/script;

	# decisions: pure state machines
	core < core/gossip, core/timer;
	core/gossip, core/timer < core/swim < core/stack;

	# bytes
	core/swim < codec/cbor, codec/abi;
	core < codec/seal, codec/journal;

	# the simulator
	codec/journal < sim;
	NONE < sim/internal/pages < sim/check;
	core/stack, codec/cbor, codec/seal < sim/check < sim < sim/shrink, sim/slice, sim/scenario, sim/accept;
	sim/slice < sim/repro;

	# hosts and guests
	core/stack, codec/cbor, codec/seal, resolver < runtime;
	runtime, codec/journal < hosts/native;
	runtime, codec/abi < hosts/wasi;
	core/stack, codec/cbor, codec/seal, codec/abi < wasm < wasm/guest;

	# harnesses and conformance suites, for tests
	core/stack < core/coretest;
	core/swim < codec/codectest;
	runtime < runtime/hosttest;
	sim/shrink < sim/simtest;
	wasm < hosts/wasi/testdata/unruly;

	# programs
	NONE < docs;
	hosts/native, docs < cmd/nekton/internal/agent;
	hosts/native < cmd/nekton/internal/demo;
	cmd/nekton/internal/agent, cmd/nekton/internal/demo, hosts/wasi < cmd/nekton;
	sim/shrink, sim/repro, sim/scenario, sim/accept, internal/golden < cmd/nekton;
	hosts/native, hosts/wasi, sim/shrink, wasm < examples;

	# a !< b: b must never come to import a, whatever is added above
	codec/cbor, codec/abi, codec/seal, runtime, resolver, hosts/native, hosts/wasi, sim, internal/script !< core/stack;
	runtime, resolver, hosts/native, hosts/wasi !< sim;
	sim, hosts/native, hosts/wasi !< runtime;
	runtime, resolver, sim !< wasm/guest;
	sim !< hosts/native, hosts/wasi;
	core/swim !< codec/seal;
	cmd/nekton !< examples;
`

// modules says which packages may import which third-party modules, themselves: this relation is not
// transitive. TESTS are test files, internal/script and the packages whose name ends in "test".
const modules = `
	github.com/fxamacker/cbor/v2 < codec/cbor, codec/abi, TESTS;
	github.com/tetratelabs/wazero < hosts/wasi, TESTS;
	golang.org/x/sync < runtime, hosts/native, resolver;
	github.com/BurntSushi/toml < sim/scenario;
	github.com/BurntSushi/toml < sim/scenario;
	github.com/spf13/cobra, github.com/spf13/pflag < cmd/nekton;
	github.com/stretchr/testify, go.uber.org/goleak < TESTS;
`

// order is a relation between names: order[b][a] means that b may import a.
type order map[string]map[string]bool

func TestLayers(t *testing.T) {
	may, mayUse := mustParseOrder(t, layers).close(), mustParseOrder(t, modules)
	imports, err := moduleImports(".")
	require.NoError(t, err)
	require.Contains(t, imports, "core/swim", "the walk must see the module")
	for _, v := range violations(imports, may, mayUse) {
		t.Error(v)
	}
	for name := range may {
		if _, exists := imports[name]; !exists && name != "examples" {
			t.Errorf("layers places %s, which does not exist", name)
		}
	}
}

// TestLayersNotices slips in one bad import at a time.
func TestLayersNotices(t *testing.T) {
	may, mayUse := mustParseOrder(t, layers).close(), mustParseOrder(t, modules)
	tests := []struct{ pkg, imports, want string }{
		{"core", modulePath + "/core/swim", "core must not import core/swim"},
		{"core/swim", modulePath + "/codec/cbor", "core/swim must not import codec/cbor"},
		{"core/swim", "github.com/fxamacker/cbor/v2", "core/swim must not import github.com/fxamacker/cbor/v2"},
		{"core", "github.com/stretchr/testify/require", "core must not import github.com/stretchr/testify/require"},
		{"runtime", "github.com/tetratelabs/wazero/api", "runtime must not import github.com/tetratelabs/wazero/api"},
		{"sim", modulePath + "/runtime", "sim must not import runtime"},
		{"codec/seal", modulePath + "/internal/script", "codec/seal must not import internal/script"},
		{"hosts/native", "example.org/left/pad", "hosts/native must not import example.org/left/pad"},
		{"core/surprise", "fmt", "core/surprise has no place in layers"},

		{"core/swim", modulePath + "/core", ""},
		{"cmd/nekton", modulePath + "/core/swim", ""}, // by way of hosts/native
		{"examples/quickstart", modulePath + "/hosts/native", ""},
		{"core/coretest", "github.com/stretchr/testify/require", ""},
		{"core/swim TESTS", modulePath + "/codec/cbor", ""},
		{"core/swim TESTS", "go.uber.org/goleak", ""},
		{"core", "net/netip", ""},
	}
	for _, test := range tests {
		got := violations(map[string][]string{test.pkg: {test.imports}}, may, mayUse)
		if test.want == "" {
			require.Empty(t, got)
		} else {
			require.Equal(t, []string{test.want}, got)
		}
	}

	for source, want := range map[string]string{
		"a < b; b < a;":          "a may import itself",
		"a < b < c; a !< c;":     "c must never import a",
		"a < b; c !< b; b < ;":   "a rule with an empty name",
		"a < b < c !< d;":        "a rule that mixes",
		"a < b; x, y !< b, zzz;": "",
	} {
		_, err := parseOrder(source)
		if want == "" {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, want, source)
		}
	}
}

// violations lists every import that the two orders do not allow. imports maps a package, or a package
// and " TESTS" for its test files, to what it imports.
func violations(imports map[string][]string, may, mayUse order) (bad []string) {
	for _, key := range slices.Sorted(maps.Keys(imports)) {
		pkg, tests := strings.CutSuffix(key, " TESTS")
		place, role := pkg, pkg
		if strings.HasPrefix(pkg, "examples/") {
			place = "examples"
		}
		if tests || strings.HasSuffix(pkg, "test") || pkg == "internal/script" {
			role = "TESTS"
		}
		if may[place] == nil && !tests {
			bad = append(bad, pkg+" has no place in layers")
			continue
		}
		for _, imported := range imports[key] {
			own, isOwn := strings.CutPrefix(imported, modulePath+"/")
			first, _, _ := strings.Cut(imported, "/")
			switch {
			case isOwn && (tests || may[place][own]): // test files may use any package of this module
			case !isOwn && !strings.Contains(first, "."): // the standard library; see tidy_test.go
			case !isOwn && mayUse.module(role, imported) || mayUse.module(pkg, imported):
			default:
				bad = append(bad, pkg+" must not import "+strings.TrimPrefix(imported, modulePath+"/"))
			}
		}
	}
	return bad
}

// module reports whether name may import a package of a third-party module.
func (o order) module(name, imported string) bool {
	for module := range o[name] {
		if imported == module || strings.HasPrefix(imported, module+"/") {
			return true
		}
	}
	return false
}

// moduleImports reads every Go file below root, whatever its build constraints, and returns what each
// package imports. Test files are under a key of their own.
func moduleImports(root string) (map[string][]string, error) {
	imports := map[string][]string{}
	err := walkModule(root, func(file string) error {
		if path.Ext(file) != ".go" {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, file), nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		key := path.Dir(file)
		if strings.HasSuffix(file, "_test.go") {
			key += " TESTS"
		}
		var paths []string
		for _, spec := range f.Imports {
			paths = append(paths, strings.Trim(spec.Path.Value, `"`))
		}
		imports[key] = append(imports[key], paths...)
		return nil
	})
	for key := range imports {
		slices.Sort(imports[key])
		imports[key] = slices.Compact(imports[key])
	}
	return imports, err
}

// walkModule visits the files of the module at root, as slash-separated paths below it. It leaves out
// hidden directories, binaries and nested modules.
func walkModule(root string, visit func(file string) error) error {
	return fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == "." {
			return err
		}
		if !d.IsDir() {
			return visit(name)
		}
		_, noModule := os.Stat(filepath.Join(root, name, "go.mod"))
		if strings.HasPrefix(d.Name(), ".") || name == "bin" || noModule == nil {
			return fs.SkipDir
		}
		return nil
	})
}

func mustParseOrder(t *testing.T, source string) order {
	t.Helper()
	o, err := parseOrder(source)
	require.NoError(t, err)
	return o
}

// parseOrder reads rules "a, b < c < d;" and "a !< b;", with comments from # to the end of the line. It
// refuses rules that contradict each other.
func parseOrder(source string) (order, error) {
	var text strings.Builder
	for line := range strings.Lines(source) {
		line, _, _ = strings.Cut(line, "#")
		text.WriteString(line + " ")
	}
	o, never := order{}, order{}
	for rule := range strings.SplitSeq(text.String(), ";") {
		if strings.TrimSpace(rule) == "" {
			continue
		}
		into, sign := o, "<"
		if strings.Contains(rule, "!<") {
			into, sign = never, "!<"
		}
		sides := strings.Split(rule, sign)
		if sign == "!<" && len(sides) != 2 || strings.Contains(strings.Join(sides, ""), "<") {
			return nil, fmt.Errorf("%q: a rule that mixes < and !<", rule)
		}
		for i := range sides[:len(sides)-1] {
			if err := into.add(sides[i], sides[i+1]); err != nil {
				return nil, fmt.Errorf("%q: %w", rule, err)
			}
		}
	}
	closed := o.close()
	for _, b := range slices.Sorted(maps.Keys(closed)) {
		if closed[b][b] {
			return nil, fmt.Errorf("%s may import itself", b)
		}
		for a := range never[b] {
			if closed[b][a] {
				return nil, fmt.Errorf("%s must never import %s, yet it may", b, a)
			}
		}
	}
	return o, nil
}

// add lets every name in the list right import every name in the list left.
func (o order) add(left, right string) error {
	for b := range strings.SplitSeq(right, ",") {
		for a := range strings.SplitSeq(left, ",") {
			a, b := strings.TrimSpace(a), strings.TrimSpace(b)
			if a == "" || b == "" {
				return fmt.Errorf("a rule with an empty name")
			}
			if o[b] == nil {
				o[b] = map[string]bool{}
			}
			if a != "NONE" {
				o[b][a] = true
			}
		}
	}
	return nil
}

// close returns the transitive closure.
func (o order) close() order {
	closed := order{}
	var reach func(b, from string)
	reach = func(b, from string) {
		for a := range o[from] {
			if !closed[b][a] {
				closed[b][a] = true
				reach(b, a)
			}
		}
	}
	for b := range o {
		closed[b] = map[string]bool{}
		reach(b, b)
	}
	return closed
}
