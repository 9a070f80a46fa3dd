package faults

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	root = "../.."
	page = "docs/FAULTS.md"
)

// row is one of the page's: a bug or a step, and the test that needs it.
type row struct {
	name string   // of the bug or step
	what string   // its comment in consensus/fault
	pkg  string   // folder of the test
	test string   // its name, with the subtest if there is one
	says []string // words by which it fails, any of them; bugs only
}

// cell takes the parts of a row that stand in backquotes.
var cell = regexp.MustCompile("`([^`]+)`")

// rows reads the page's table under a heading.
func rows(t *testing.T, heading string) []row {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root, page))
	if err != nil {
		t.Fatal(err)
	}
	_, text, found := strings.Cut(string(raw), "\n## "+heading+"\n")
	text, _, _ = strings.Cut(text, "\n## ")
	var list []row
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "| \n"), " | ")
		r := row{name: quoted(cells[0])[0], what: cells[1]}
		test := quoted(cells[2])
		r.pkg, r.test = test[0], test[1]
		if len(cells) > 3 {
			r.says = slices.DeleteFunc(quoted(cells[3]), func(s string) bool { return s == "" })
		}
		list = append(list, r)
	}
	if !found || len(list) == 0 {
		t.Fatalf("%s has no table under %q", page, heading)
	}
	return list
}

func quoted(text string) (words []string) {
	for _, m := range cell.FindAllStringSubmatch(text, -1) {
		words = append(words, m[1])
	}
	return append(words, "", "")
}

// declared returns the values of the constants of a type in consensus/fault,
// with their comments without the constant's name.
func declared(t *testing.T, typeName string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "consensus/fault/*.go"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			if id, ok := spec.Type.(*ast.Ident); !ok || id.Name != typeName {
				return true
			}
			value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			words := strings.Join(strings.Fields(spec.Doc.Text()+spec.Comment.Text()), " ")
			words = strings.TrimLeft(strings.TrimPrefix(words, spec.Names[0].Name), ": ")
			found[value] = strings.TrimSuffix(words, ".")
			return true
		})
	}
	return found
}

// A test that nobody runs catches nothing, and neither does a bug that the page
// forgot.
func TestThePageListsEveryBugAndStep(t *testing.T) {
	for typeName, headings := range map[string][]string{"Bug": {"Planted bugs", onDisks}, "Leak": {"Planted leaks"}, "Step": {"Steps"}} {
		want, got := declared(t, typeName), map[string]string{}
		var listed []row
		for _, heading := range headings {
			listed = append(listed, rows(t, heading)...)
		}
		for _, r := range listed {
			if said, twice := got[r.name]; twice && said != r.what {
				t.Errorf("%s: the page says %q and %q", r.name, said, r.what)
			}
			got[r.name] = r.what
			body := functions(t, r.pkg)
			if name, _, _ := strings.Cut(r.test, "/"); !body[name] {
				t.Errorf("%s: %s has no test %s", r.name, r.pkg, name)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(want)) {
			if got[name] != want[name] {
				t.Errorf("%s %s: the page says %q, consensus/fault says %q", typeName, name, got[name], want[name])
			}
		}
		for name := range got {
			if _, ok := want[name]; !ok {
				t.Errorf("%s %s is on the page and not in consensus/fault", typeName, name)
			}
		}
	}
}

// functions returns the names of the functions of a package's tests.
func functions(t *testing.T, pkg string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, pkg, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				names[f.Name.Name] = true
			}
		}
	}
	return names
}
