package integration

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"unicode"
)

// minIntroduction is the length in bytes of the shortest package comment that
// can say what a package does, how it is called and what it promises.
const minIntroduction = 200

func introductionFaults(tree *houseTree) (faults []string) {
	seen := map[string]bool{}
	for _, f := range tree.goes {
		if f.test || seen[f.dir] {
			continue
		}
		seen[f.dir] = true
		i := slices.IndexFunc(tree.goes, func(g goFile) bool { return g.path == f.dir+"/doc.go" })
		if i < 0 {
			faults = append(faults, f.dir+": has no doc.go")
			continue
		}
		if doc := tree.goes[i].syntax.Doc; doc == nil || len(doc.Text()) < minIntroduction {
			faults = append(faults, tree.goes[i].path+": its package comment says too little")
		}
	}
	return faults
}

func commentFaults(tree *houseTree) (faults []string) {
	for _, f := range tree.goes {
		if f.test {
			continue
		}
		bare := func(name string) { faults = append(faults, f.path+": "+name+" has no comment") }
		for _, decl := range f.syntax.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if name := funcName(d); d.Doc == nil && name != "" {
					bare(name)
				}
			case *ast.GenDecl:
				tree.genFaults(d, bare)
			}
		}
	}
	return faults
}

// funcName is the name of an exported function, or method of an exported
// type; "" for any other.
func funcName(d *ast.FuncDecl) string {
	if !d.Name.IsExported() {
		return ""
	}
	if d.Recv == nil {
		return d.Name.Name
	}
	recv := d.Recv.List[0].Type
	if star, ok := recv.(*ast.StarExpr); ok {
		recv = star.X
	}
	switch generic := recv.(type) {
	case *ast.IndexExpr:
		recv = generic.X
	case *ast.IndexListExpr:
		recv = generic.X
	}
	if base, ok := recv.(*ast.Ident); ok && base.IsExported() {
		return base.Name + "." + d.Name.Name
	}
	return ""
}

func (tree *houseTree) genFaults(d *ast.GenDecl, bare func(string)) {
	var group commentGroups
	for _, spec := range d.Specs {
		switch s := spec.(type) {
		case *ast.ValueSpec: // the comment of a parenthesis covers what is in it
			group.see(tree, s, s.Doc, s.Comment, s.Names)
		case *ast.TypeSpec:
			if !s.Name.IsExported() {
				continue
			}
			doc := s.Doc
			if doc == nil && !d.Lparen.IsValid() {
				doc = d.Doc
			}
			if doc == nil && s.Comment == nil {
				bare(s.Name.Name)
			}
			tree.fieldFaults(s, doc.Text(), bare)
		}
	}
	if d.Doc == nil {
		group.report("", "", bare)
	}
}

// fieldFaults wants a comment for each group of fields, or of an interface's
// methods. The type's own comment speaks for the first group, and for any of
// which it names a member.
func (tree *houseTree) fieldFaults(s *ast.TypeSpec, doc string, bare func(string)) {
	var list *ast.FieldList
	switch typ := s.Type.(type) {
	case *ast.StructType:
		list = typ.Fields
	case *ast.InterfaceType:
		list = typ.Methods
	default:
		return
	}
	var group commentGroups
	for _, field := range list.List {
		group.see(tree, field, field.Doc, field.Comment, field.Names)
	}
	if doc != "" && len(group.told) > 0 {
		group.told[0] = true
	}
	group.report(s.Name.Name+".", doc, bare)
}

// commentGroups gathers neighbours: lines without a gap between them, of
// which one comment may speak for all.
type commentGroups struct {
	names [][]string // the exported names of each group
	told  []bool     // whether the group has a comment
	last  int        // line on which the last member ended
}

func (g *commentGroups) see(tree *houseTree, n ast.Node, doc, after *ast.CommentGroup, names []*ast.Ident) {
	start := tree.line(n.Pos())
	if doc != nil {
		start = tree.line(doc.Pos())
	}
	if len(g.names) == 0 || start > g.last+1 {
		g.names, g.told = append(g.names, nil), append(g.told, false)
	}
	g.last = tree.line(n.End())
	i := len(g.names) - 1
	g.told[i] = g.told[i] || doc != nil || after != nil
	for _, name := range names {
		if name.IsExported() {
			g.names[i] = append(g.names[i], name.Name)
		}
	}
}

func (g *commentGroups) report(prefix, doc string, bare func(string)) {
	words := strings.FieldsFunc(doc, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	for i, names := range g.names {
		named := slices.ContainsFunc(names, func(name string) bool { return slices.Contains(words, name) })
		if len(names) > 0 && !g.told[i] && !named {
			bare(prefix + names[0])
		}
	}
}

// sleepFaults allows time.Sleep inside synctest.Test only, where it advances
// a clock of the test's own and takes no time.
func sleepFaults(tree *houseTree) (faults []string) {
	for _, f := range tree.goes {
		if !f.test {
			continue
		}
		bubbles := bubblesOf(f)
		f.uses(func(pkg, name string, at token.Pos) {
			inside := func(n ast.Node) bool { return n.Pos() <= at && at < n.End() }
			if pkg == "time" && name == "Sleep" && !slices.ContainsFunc(bubbles, inside) {
				faults = append(faults, f.path+": sleeps in "+enclosing(f, inside))
			}
		})
	}
	return faults
}

func bubblesOf(f goFile) (bubbles []ast.Node) {
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			if sel, ok := call.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == "Test" {
				if x, ok := sel.X.(*ast.Ident); ok && x.Name == "synctest" {
					bubbles = append(bubbles, call)
				}
			}
		}
		return true
	})
	return bubbles
}

func enclosing(f goFile, inside func(ast.Node) bool) string {
	var names []string
	for _, decl := range f.syntax.Decls {
		if fn, ok := decl.(*ast.FuncDecl); ok && inside(fn) {
			names = append(names, fn.Name.Name)
		}
	}
	return strings.Join(names, "")
}
