package integration

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/mod/modfile"
)

// houseTree is a source tree as the house rules see it.
type houseTree struct {
	mod   *modfile.File
	fset  *token.FileSet
	goes  []goFile          // what the go command compiles; no testdata
	texts map[string]string // every text file by its path
}

// goFile is one parsed Go file. Paths are relative to the tree, with slashes.
type goFile struct {
	path, dir string
	test      bool
	syntax    *ast.File
}

func loadHouse(t *testing.T, root string) *houseTree {
	t.Helper()
	tree := &houseTree{fset: token.NewFileSet(), texts: map[string]string{}}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		if rel = filepath.ToSlash(rel); rel == ".git" || rel == "bin" {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil // in a linked worktree .git is a file
		}
		if !d.Type().IsRegular() {
			return nil
		}
		return tree.add(rel, name)
	})
	if err != nil {
		t.Fatal(err)
	}
	tree.mod, err = modfile.Parse("go.mod", []byte(tree.texts["go.mod"]), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(tree.goes) == 0 {
		t.Fatalf("no Go files under %s", root)
	}
	return tree
}

func (tree *houseTree) add(rel, name string) error {
	raw, err := os.ReadFile(name)
	if err != nil || !utf8.Valid(raw) {
		return err
	}
	tree.texts[rel] = string(raw)
	dir := path.Dir(rel)
	if path.Ext(rel) != ".go" || slices.Contains(strings.Split(dir, "/"), "testdata") {
		return nil
	}
	syntax, err := parser.ParseFile(tree.fset, rel, raw, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	tree.goes = append(tree.goes, goFile{rel, dir, strings.HasSuffix(rel, "_test.go"), syntax})
	return nil
}

// local is the folder of an import path of this module.
func (tree *houseTree) local(importPath string) (dir string, ok bool) {
	return strings.CutPrefix(importPath, tree.mod.Module.Mod.Path+"/")
}

func (tree *houseTree) line(p token.Pos) int { return tree.fset.Position(p).Line }

// imports lists the import paths of f.
func (f goFile) imports() []string {
	var paths []string
	for _, spec := range f.syntax.Imports {
		p, _ := strconv.Unquote(spec.Path.Value) // the parser has checked it
		paths = append(paths, p)
	}
	return paths
}

// uses calls see for each name that f takes from a package it imports, such
// as Now of time. Imports are known by the last element of their path, or by
// the one before it when the last is a major version.
func (f goFile) uses(see func(pkg, name string, at token.Pos)) {
	pkgs := map[string]string{}
	for i, p := range f.imports() {
		name := path.Base(p)
		if len(name) > 1 && name[0] == 'v' && strings.Trim(name[1:], "0123456789") == "" {
			name = path.Base(path.Dir(p))
		}
		if as := f.syntax.Imports[i].Name; as != nil {
			name = as.Name
		}
		pkgs[name] = p
	}
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok && pkgs[x.Name] != "" {
				see(pkgs[x.Name], sel.Sel.Name, sel.Pos())
			}
		}
		return true
	})
}

// under reports whether p is base or lies in it.
func under(p, base string) bool { return p == base || strings.HasPrefix(p, base+"/") }
