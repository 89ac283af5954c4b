package nekton_test

import (
	"go/token"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTidyNotices slips in one offence at a time. What follows the package clause is code for package
// core/swim unless the test names another.
func TestTidyNotices(t *testing.T) {
	exports, err := loadExports(append(slices.Clone(impureImports[1:]),
		"fmt", "iter", "maps", "math", "math/rand/v2", "net/netip", "slices", "time", modulePath+"/core")...)
	require.NoError(t, err)
	types := "// T is.\ntype T int\n\n// U is.\ntype U int\n\n// M is.\n"
	long := "func long() {\n" + strings.Repeat("\t_ = 0\n", linesPerFunction) + "}\n"
	tests := []struct{ name, pkg, code, want string }{
		{"go", "", `func f() { go f() }`, "must not start goroutines"},
		{"chan", "", `func f(chan int) {}`, "must not use channels"},
		{"select", "", `func f() { select {} }`, "must not select"},
		{"map range", "", `func f(m map[int]int) { for range m {} }`, "range over a map"},
		{"named map range", "", `type set map[int]bool; func f(m set) { for range m {} }`, "range over a map"},
		{"generic map range", "", `func f[M ~map[int]V, V any](m M) { for range m {} }`, "range over a map"},
		{"map keys", "", `import "maps"; func f(m map[int]int) { for range maps.Keys(m) {} }`, "maps.Keys"},
		{"map values", "", `import ("maps"; "slices"); func f(m map[int]int) { slices.Collect(maps.Values(m)) }`, "maps.Values"},
		{"map pairs", "", `import m "maps"; func f(x map[int]int) { for range m.All(x) {} }`, "maps.All"},
		{"now", "", `import "time"; var now = time.Now`, "take core.Instant"},
		{"now, dot import", "", `import . "time"; var now = Now()`, "take core.Instant"},
		{"sleep", "", `import clock "time"; func f() { clock.Sleep(1) }`, "keep a deadline"},
		{"timer", "", `import "time"; var t = time.NewTimer(1)`, "keep a deadline"},
		{"local time", "", `import "time"; var l = time.Local`, "use UTC"},
		{"global rand", "", `import "math/rand/v2"; var n = rand.IntN(3)`, "global rand.IntN"},
		{"global generic rand", "", `import "math/rand/v2"; var n = rand.N[int](3)`, "global rand.N"},
		{"product", "", `func f(x, y, z float64) float64 { return x*y + z }`, "bare float product"},
		{"product over statements", "", `func f(x, y float32) float32 { p := x * y; return p }`, "bare float product"},
		{"product in place", "", `func f(x, y float64) { x *= y }`, "bare float product"},
		{"generic product", "", `func f[F ~float32 | ~float64](x F) F { return x * x }`, "bare float product"},
		{"logarithm", "", `import "math"; func f(x float64) float64 { return math.Log10(x) }`, "math.Log10"},
		{"long function", "", long, "long has 72 lines"},
		{"long line", "", "// " + strings.Repeat("x", columnsPerLine), "123 columns"},
		{"kept turn", "", `import "github.com/nekton-go/nekton/core"; type s struct { t *core.Turn }`, "beyond Handle"},
		{"kept turn, in core", "core", "// Turn is.\ntype Turn int; type s struct { t *Turn }", "beyond Handle"},
		{"exported function", "", `func F() {}`, "F is exported and has no comment"},
		{"exported method", "", "// T is.\ntype T[P any] struct{}\nfunc (*T[P]) M() {}", "M is exported and has no comment"},
		{"another method", "", types + "func (T) M() {}\nfunc (T) N() {}", "N is exported and has no comment"},
		{"the same, apart", "", types + "func (T) M() {}\n\nfunc (U) M() {}", "M is exported and has no comment"},
		{"exported type", "", `type T struct{}`, "T is exported and has no comment"},
		{"exported type in a group", "", "// These are types.\ntype (\n\tT struct{}\n)", "T is exported and has no comment"},
		{"exported value", "", `const A = 1`, "A is exported and has no comment"},
		{"long function, elsewhere", "hosts/native", long, "long has 72 lines"},
		{"uncommented, elsewhere", "internal/script", `func F() {}`, "F is exported and has no comment"},

		{"methods of one name", "", types + "func (T) M() {}\nfunc (U) M() {}", ""},
		{"sorted keys", "", `import ("maps"; "slices"); func f(m map[int]int) { slices.Sorted(maps.Keys(m)) }`, ""},
		{"map use", "", `func f(m map[int]int) { delete(m, m[1]); clear(m) }`, ""},
		{"slice range", "", `func f[S ~[]E, E any](s S) { for range s {} }`, ""},
		{"rounded product", "", `func f(x, y, z float64) float64 { return float64(x*y) + z }`, ""},
		{"constant product", "", `const c = 2.5 * 4`, ""},
		{"integer product", "", `func f(x, y int) int { x *= y; return x * y }`, ""},
		{"seeded rand", "", `import "math/rand/v2"; var n = rand.New(rand.NewPCG(1, 2)).IntN(3)`, ""},
		{"pure time", "", `import "time"; var d = time.Unix(0, 0).Add(time.Second).After(time.Time{})`, ""},
		{"addresses", "", `import "net/netip"; var a netip.AddrPort`, ""},
		{"a turn in passing", "", `import "github.com/nekton-go/nekton/core"; func f(t *core.Turn) { _ = t }`, ""},
		{"comments", "", "// T is.\ntype T int\n\n// The values of T.\nconst (\n\tA T = iota\n\tB\n)\nvar C T // the third\n", ""},
		{"goroutines, elsewhere", "runtime", `func f() { go f() }`, ""},
		{"harness", "codec/codectest", `import _ "testing"`, ""},
	}
	for _, name := range impureImports[1:] {
		tests = append(tests, struct{ name, pkg, code, want string }{
			"import " + name, "", `import _ "` + name + `"`, "must not import " + name,
		})
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.pkg == "" {
				test.pkg = "core/swim"
			}
			p := &goPackage{path: test.pkg, fset: token.NewFileSet()}
			require.NoError(t, p.parse("x.go", []byte("package x\n\n"+test.code+"\n")))
			if pure(test.pkg) {
				require.NoError(t, p.check(exports))
			}
			got := p.tidy()
			if test.want == "" {
				require.Empty(t, got)
				return
			}
			require.Len(t, got, 1)
			require.Contains(t, got[0], test.want)
		})
	}
}

func TestCountsAreRight(t *testing.T) {
	p := &goPackage{path: "core", fset: token.NewFileSet()}
	require.NoError(t, p.parse("x.go", []byte(`package core

type A struct{ B int }
type c int
const D, e = 1, 2
var F int
func (A) G() {}
func H() {}
`)))
	require.Equal(t, []string{"A", "D", "F", "H"}, p.exports())
	require.Equal(t, 8, p.lines())
}

func TestForbiddenTextIsNoticed(t *testing.T) {
	for _, bad := range []string{
		"x\n// TO" + "DO: later\n", "FIX" + "ME", "XX" + "X", "see ../" + "shared/x", "/ro" + "ot/go", `"/ho` + `me/me/x"`,
	} {
		require.Len(t, forbidden("x.md", []byte(bad)), 1, bad)
	}
	for _, good := range []string{"a todo list", "XX" + "XL", "network/home/x", "https://example.org/work/x", "./work/x"} {
		require.Empty(t, forbidden("x.md", []byte(good)), good)
	}
}
