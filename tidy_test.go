package nekton_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Bounds on how much a reader must hold in the head at once.
const (
	linesPerFunction  = 70
	columnsPerLine    = 120
	tabWidth          = 4
	exportsOfCore     = 70
	linesOfMembership = 4000
)

// pure reports whether what happens in a package must follow from its inputs alone.
func pure(pkg string) bool {
	if strings.HasSuffix(pkg, "test") {
		return false // harnesses and conformance suites
	}
	for _, tree := range []string{"core", "codec", "sim"} {
		if pkg == tree || strings.HasPrefix(pkg, tree+"/") {
			return true
		}
	}
	return false
}

// impureImports bring I/O, scheduling, hidden time or hidden randomness.
var impureImports = []string{
	"C", "context", "crypto/rand", "hash/maphash", "io/fs", "log", "log/slog", "math/rand", "net", "net/http", "os",
	"os/exec", "reflect", "runtime", "runtime/debug", "sync", "sync/atomic", "syscall", "testing", "testing/synctest",
	"unsafe",
}

// impureNames are single identifiers of packages that are pure otherwise, with what to do instead.
var impureNames = map[string]string{
	"time.Now": "take core.Instant", "time.Since": "subtract Instants", "time.Until": "subtract Instants",
	"time.Sleep": "keep a deadline", "time.After": "keep a deadline", "time.AfterFunc": "keep a deadline",
	"time.Tick": "keep a deadline", "time.NewTimer": "keep a deadline", "time.NewTicker": "keep a deadline",
	"time.Local": "use UTC", "time.LoadLocation": "use UTC",
}

// exactMath is what package math computes to the same bits everywhere. The rest may be assembly.
var exactMath = []string{
	"Abs", "Ceil", "Copysign", "FMA", "Float32bits", "Float32frombits", "Float64bits", "Float64frombits", "Floor",
	"Inf", "IsInf", "IsNaN", "Max", "Min", "NaN", "Round", "RoundToEven", "Signbit", "Sqrt", "Trunc",
}

// TestTidy checks every package of this module against the rules that a compiler does not know.
func TestTidy(t *testing.T) {
	fset := token.NewFileSet()
	packages, err := parseModule(fset)
	require.NoError(t, err)
	exports, err := loadExports("./core/...", "./codec/...", "./sim/...")
	require.NoError(t, err)
	require.NotNil(t, packages["core"])
	for _, name := range slices.Sorted(maps.Keys(packages)) {
		pkg := packages[name]
		if pure(name) {
			require.NoError(t, pkg.check(exports))
		}
		for _, what := range pkg.tidy() {
			t.Error(what)
		}
	}
}

func TestCoreStaysSmall(t *testing.T) {
	packages, err := parseModule(token.NewFileSet())
	require.NoError(t, err)
	names := packages["core"].exports()
	require.LessOrEqual(t, len(names), exportsOfCore, "exported names of core: %v", names)
	require.Less(t, packages["core/swim"].lines(), linesOfMembership, "lines of core/swim, without tests")
}

// forbiddenText must not appear in any file of the repository.
var forbiddenText = []*regexp.Regexp{
	regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X)\b`),
	regexp.MustCompile(`\.\./` + `shared\b`),
	regexp.MustCompile(`(^|[^\w.])/(root|work|home/\w+|Users/\w+)/`),
}

func TestRepositoryText(t *testing.T) {
	require.NoError(t, walkModule(".", func(file string) error {
		if path.Ext(file) == ".sum" || strings.Contains(file, "testdata/fuzz/") {
			return nil
		}
		text, err := os.ReadFile(file)
		if err != nil || bytes.IndexByte(text, 0) >= 0 { // binary
			return err
		}
		for _, what := range forbidden(file, text) {
			t.Error(what)
		}
		return nil
	}))
}

func forbidden(file string, text []byte) (bad []string) {
	number := 0
	for line := range bytes.Lines(text) {
		number++
		for _, re := range forbiddenText {
			if found := re.Find(line); found != nil {
				bad = append(bad, fmt.Sprintf("%s:%d: %q must not stay in the repository", file, number, found))
			}
		}
	}
	return bad
}

// A goPackage is one package of this module, without its test files.
type goPackage struct {
	path  string // below the module
	fset  *token.FileSet
	files []*ast.File
	text  [][]byte // of files
	info  types.Info
}

// parseModule reads every package below the working directory, whatever its build constraints.
func parseModule(fset *token.FileSet) (map[string]*goPackage, error) {
	packages := map[string]*goPackage{}
	return packages, walkModule(".", func(file string) error {
		if path.Ext(file) != ".go" || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		dir := path.Dir(file)
		if packages[dir] == nil {
			packages[dir] = &goPackage{path: dir, fset: fset}
		}
		return packages[dir].parse(file, text)
	})
}

func (p *goPackage) parse(name string, text []byte) error {
	f, err := parser.ParseFile(p.fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
	p.files, p.text = append(p.files, f), append(p.text, text)
	return err
}

// check type-checks p against the export data of what it imports.
func (p *goPackage) check(exports map[string]string) error {
	lookup := func(path string) (io.ReadCloser, error) {
		if exports[path] == "" {
			return nil, errors.New("no export data for " + path)
		}
		return os.Open(exports[path])
	}
	p.info = types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}}
	conf := types.Config{Importer: importer.ForCompiler(p.fset, "gc", lookup)}
	_, err := conf.Check(p.path, p.fset, p.files, &p.info)
	return err
}

// loadExports asks the go command where the export data of packages and all they import lies.
func loadExports(patterns ...string) (map[string]string, error) {
	cmd := exec.Command("go", append([]string{"list", "-export", "-deps", "-json=ImportPath,Export"}, patterns...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	exports := map[string]string{}
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var p struct{ ImportPath, Export string }
		if err := dec.Decode(&p); err != nil {
			return nil, err
		}
		exports[p.ImportPath] = p.Export
	}
	return exports, nil
}

// tidy lists what p does against the rules, in the order of its files.
func (p *goPackage) tidy() (bad []string) {
	say := func(at token.Pos, format string, args ...any) {
		bad = append(bad, fmt.Sprintf("%v: %s", p.fset.Position(at), fmt.Sprintf(format, args...)))
	}
	for i, f := range p.files {
		p.lineLengths(f, p.text[i], say)
		p.functions(f, say)
		p.turnsKept(f, say)
		if f.Name.Name != "main" {
			p.comments(f, say)
		}
		if pure(p.path) {
			p.imports(f, say)
			p.concurrency(f, say)
			p.names(f, say)
			p.mapOrder(f, say)
			p.floats(f, say)
		}
	}
	return bad
}

type report func(at token.Pos, format string, args ...any)

func (p *goPackage) lineLengths(f *ast.File, text []byte, say report) {
	number := 0
	for line := range bytes.Lines(text) {
		number++
		width := len([]rune(string(line))) - 1 + bytes.Count(line, []byte("\t"))*(tabWidth-1)
		if width > columnsPerLine {
			say(p.fset.File(f.FileStart).LineStart(number), "%d columns; at most %d", width, columnsPerLine)
		}
	}
}

func (p *goPackage) functions(f *ast.File, say report) {
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		lines := p.fset.Position(fn.End()).Line - p.fset.Position(fn.Pos()).Line + 1
		if lines > linesPerFunction {
			say(fn.Pos(), "%s has %d lines; at most %d", fn.Name.Name, lines, linesPerFunction)
		}
	}
}

// turnsKept finds structs that keep a *core.Turn, which is only good for one Handle.
func (p *goPackage) turnsKept(f *ast.File, say report) {
	ast.Inspect(f, func(n ast.Node) bool {
		s, ok := n.(*ast.StructType)
		if !ok {
			return true
		}
		for _, field := range s.Fields.List {
			switch name := types.ExprString(field.Type); {
			case name == "*core.Turn", name == "*Turn" && p.path == "core":
				say(field.Pos(), "a struct field must not keep a %s beyond Handle", name)
			}
		}
		return true
	})
}

// comments finds exported identifiers that nothing explains. One comment may do for methods of one name that follow
// each other line by line, as several types implement an interface.
func (p *goPackage) comments(f *ast.File, say report) {
	line := func(at token.Pos) int { return p.fset.Position(at).Line }
	explained, last := "", 0
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			same := d.Recv != nil && d.Name.Name == explained && line(d.Pos()) == last+1 && line(d.End()) == last+1
			if d.Doc == nil && !same && d.Name.IsExported() && (d.Recv == nil || ast.IsExported(receiver(d))) {
				say(d.Pos(), "%s is exported and has no comment", d.Name.Name)
			}
			if explained, last = "", line(d.End()); d.Doc != nil || same {
				explained = d.Name.Name
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				p.specComments(d, spec, say)
			}
		}
	}
}

func (p *goPackage) specComments(d *ast.GenDecl, spec ast.Spec, say report) {
	switch s := spec.(type) {
	case *ast.TypeSpec:
		if s.Name.IsExported() && s.Doc == nil && s.Comment == nil && (d.Doc == nil || d.Lparen.IsValid()) {
			say(s.Pos(), "%s is exported and has no comment", s.Name.Name)
		}
	case *ast.ValueSpec:
		for _, name := range s.Names {
			if name.IsExported() && s.Doc == nil && s.Comment == nil && d.Doc == nil {
				say(name.Pos(), "%s is exported and has no comment", name.Name)
			}
		}
	}
}

// receiver is the name of the type that a method belongs to.
func receiver(d *ast.FuncDecl) string {
	name := strings.TrimPrefix(types.ExprString(d.Recv.List[0].Type), "*")
	name, _, _ = strings.Cut(name, "[")
	return name
}

func (p *goPackage) imports(f *ast.File, say report) {
	for _, spec := range f.Imports {
		if name := strings.Trim(spec.Path.Value, `"`); slices.Contains(impureImports, name) {
			say(spec.Pos(), "pure code must not import %s", name)
		}
	}
}

func (p *goPackage) concurrency(f *ast.File, say report) {
	ast.Inspect(f, func(n ast.Node) bool {
		switch n.(type) {
		case *ast.GoStmt:
			say(n.Pos(), "pure code must not start goroutines")
		case *ast.SelectStmt:
			say(n.Pos(), "pure code must not select")
		case *ast.ChanType:
			say(n.Pos(), "pure code must not use channels")
		}
		return true
	})
}

// names finds uses of single impure identifiers, however their package was imported.
func (p *goPackage) names(f *ast.File, say report) {
	ast.Inspect(f, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok || p.info.Uses[id] == nil || p.info.Uses[id].Pkg() == nil {
			return true
		}
		object := p.info.Uses[id]
		fn, isFunc := object.(*types.Func)
		global := isFunc && fn.Signature().Recv() == nil
		switch from := object.Pkg().Path(); {
		case impureNames[from+"."+id.Name] != "" && (global || !isFunc):
			say(id.Pos(), "pure code must not use %s.%s; %s", from, id.Name, impureNames[from+"."+id.Name])
		case from == "math/rand/v2" && global && !strings.HasPrefix(id.Name, "New"):
			say(id.Pos(), "pure code must not use global rand.%s; use Turn.Rand", id.Name)
		case from == "math" && global && !slices.Contains(exactMath, id.Name):
			say(id.Pos(), "math.%s is not the same to the last bit everywhere", id.Name)
		}
		return true
	})
}

// mapOrder finds iteration in the random order of maps.
func (p *goPackage) mapOrder(f *ast.File, say report) {
	sorted := map[ast.Node]bool{} // calls whose result is sorted at once
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.RangeStmt:
			if isMap(p.info.Types[n.X].Type) {
				say(n.Pos(), "pure code must not range over a map: its order is random")
			}
		case *ast.CallExpr:
			name := p.callee(n)
			if strings.HasPrefix(name, "slices.Sorted") && len(n.Args) > 0 {
				sorted[ast.Unparen(n.Args[0])] = true
			}
			if (name == "maps.Keys" || name == "maps.Values" || name == "maps.All") && !sorted[n] {
				say(n.Pos(), "pure code must not use %s outside slices.Sorted: its order is random", name)
			}
		}
		return true
	})
}

// callee names the package-level function that a call calls.
func (p *goPackage) callee(call *ast.CallExpr) string {
	fun := ast.Unparen(call.Fun)
	if generic, ok := fun.(*ast.IndexExpr); ok {
		fun = generic.X
	}
	id, ok := fun.(*ast.Ident)
	if selector, isSelector := fun.(*ast.SelectorExpr); isSelector {
		id, ok = selector.Sel, true
	}
	if !ok {
		return ""
	}
	fn, ok := p.info.Uses[id].(*types.Func)
	if !ok || fn.Pkg() == nil || fn.Signature().Recv() != nil {
		return ""
	}
	return fn.Pkg().Path() + "." + fn.Name()
}

// floats finds products that a compiler may fuse with an addition, which rounds differently.
func (p *goPackage) floats(f *ast.File, say report) {
	rounded := map[ast.Node]bool{} // directly inside a conversion
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if p.info.Types[n.Fun].IsType() && len(n.Args) == 1 {
				rounded[ast.Unparen(n.Args[0])] = true
			}
		case *ast.BinaryExpr:
			tv := p.info.Types[n]
			if n.Op == token.MUL && tv.Value == nil && isFloat(tv.Type) && !rounded[n] {
				say(n.Pos(), "a bare float product, which may fuse into an addition; write float64(x*y)")
			}
		case *ast.AssignStmt:
			if n.Tok == token.MUL_ASSIGN && isFloat(p.info.Types[n.Lhs[0]].Type) {
				say(n.Pos(), "a bare float product, which may fuse into an addition; write x = float64(x*y)")
			}
		}
		return true
	})
}

func isMap(t types.Type) bool {
	return anyTerm(t, func(t types.Type) bool { _, ok := t.(*types.Map); return ok })
}

func isFloat(t types.Type) bool {
	return anyTerm(t, func(t types.Type) bool {
		b, ok := t.(*types.Basic)
		return ok && b.Info()&(types.IsFloat|types.IsComplex) != 0
	})
}

// anyTerm reports whether t, or a type that may stand for the type parameter t, satisfies is.
func anyTerm(t types.Type, is func(types.Type) bool) bool {
	switch t := t.(type) {
	case nil:
		return false
	case *types.TypeParam:
		return anyTerm(t.Constraint(), is)
	case *types.Union:
		for i := range t.Len() {
			if anyTerm(t.Term(i).Type(), is) {
				return true
			}
		}
		return false
	}
	constraint, ok := t.Underlying().(*types.Interface)
	if !ok {
		return is(t.Underlying())
	}
	for i := range constraint.NumEmbeddeds() {
		if anyTerm(constraint.EmbeddedType(i), is) {
			return true
		}
	}
	return false
}

// exports lists the exported package-level names of p.
func (p *goPackage) exports() (names []string) {
	add := func(id *ast.Ident) {
		if id.IsExported() {
			names = append(names, id.Name)
		}
	}
	for _, f := range p.files {
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil {
					add(d.Name)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					switch s := spec.(type) {
					case *ast.TypeSpec:
						add(s.Name)
					case *ast.ValueSpec:
						for _, id := range s.Names {
							add(id)
						}
					}
				}
			}
		}
	}
	return names
}

// lines counts the lines of p.
func (p *goPackage) lines() (n int) {
	for _, text := range p.text {
		n += bytes.Count(text, []byte("\n"))
	}
	return n
}

// TestScriptsOutweighCore holds us to at least one line of golden script for each line of core.
func TestScriptsOutweighCore(t *testing.T) {
	code, scripts := 0, 0
	require.NoError(t, walkModule(".", func(file string) error {
		script := path.Ext(file) == ".txt" && strings.Contains(file, "/testdata/")
		source := path.Ext(file) == ".go" && !strings.HasSuffix(file, "_test.go")
		if !strings.HasPrefix(file, "core/") || strings.HasPrefix(file, "core/coretest/") || !script && !source {
			return nil
		}
		text, err := os.ReadFile(file)
		if script {
			scripts += bytes.Count(text, []byte("\n"))
		} else {
			code += bytes.Count(text, []byte("\n"))
		}
		return err
	}))
	require.GreaterOrEqual(t, scripts, code, "lines of golden script, lines of core without tests")
}
