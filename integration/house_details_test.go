package integration

import (
	"fmt"
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/raresync/raresync/registry/rule"
)

// detailMakers are functions that answer with a detail, or a part of one, beside
// those that are called with a rule's code.
var detailMakers = []string{"unwelcome", "strange", "strangeText", "lacking", "follow", "deref", "unwrap", "PersonalNumber", "leak", "belongs"}

var (
	ruleCode   = regexp.MustCompile(`^"[A-Z]{2}[0-9]{3}"$`)
	aWord      = regexp.MustCompile(`[a-z]{3}`)
	twoWords   = regexp.MustCompile(`[a-z]{2,} [a-z]{2,}`)
	aCommand   = regexp.MustCompile(`raresync [a-z]+( [a-z]+)?`)
	formatVerb = regexp.MustCompile(`%[a-z]`)
)

// detailFaults finds details of findings that a clerk would read in English where
// everything around them is Chinese.
func detailFaults(tree *houseTree) (faults []string) {
	for _, f := range tree.goes {
		if f.test || !strings.HasPrefix(f.dir, "registry/") && !strings.HasPrefix(f.dir, "daemon/") && !strings.HasPrefix(f.dir, "cmd/") {
			continue
		}
		check := func(e ast.Expr) {
			said := sampleOf(e)
			if zh := aCommand.ReplaceAllString(rule.Detail(said, "zh"), ""); aWord.MatchString(said) && (zh == said || twoWords.MatchString(zh)) {
				faults = append(faults, fmt.Sprintf("%s: the detail %q is not known in Chinese", f.path, said))
			}
		}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				detailOfCall(f, n, check)
			case *ast.FuncDecl:
				if slices.Contains(detailMakers, n.Name.Name) {
					everyReturn(n, check)
				}
			}
			return true
		})
	}
	return faults
}

// detailOfCall looks at what is said with a rule's code: by convention the last
// argument. What the parser of JSON fails with becomes one.
func detailOfCall(f goFile, call *ast.CallExpr, check func(ast.Expr)) {
	if len(call.Args) == 0 {
		return
	}
	last := call.Args[len(call.Args)-1]
	if name, ok := call.Fun.(*ast.SelectorExpr); ok && name.Sel.Name == "fail" && f.dir == "registry/jsontree" {
		check(last)
	}
	for _, arg := range call.Args[:len(call.Args)-1] {
		if lit, ok := arg.(*ast.BasicLit); ok && ruleCode.MatchString(lit.Value) {
			check(last)
			return
		}
	}
}

// everyReturn looks at the texts that a function may answer with.
func everyReturn(f *ast.FuncDecl, check func(ast.Expr)) {
	ast.Inspect(f, func(n ast.Node) bool {
		if r, ok := n.(*ast.ReturnStmt); ok {
			for _, e := range r.Results {
				check(e)
			}
		}
		return true
	})
}

// sampleOf writes what an expression would say, with x for what is not known here.
func sampleOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if s, err := strconv.Unquote(e.Value); err == nil && e.Kind == token.STRING {
			return s
		}
	case *ast.BinaryExpr:
		if e.Op == token.ADD {
			return sampleOf(e.X) + sampleOf(e.Y)
		}
	case *ast.CallExpr:
		switch name := e.Fun.(type) {
		case *ast.SelectorExpr:
			if name.Sel.Name == "Sprintf" {
				return formatVerb.ReplaceAllString(sampleOf(e.Args[0]), "7")
			}
		case *ast.Ident:
			if name.Name == "tooMany" {
				return "more than 7 " + sampleOf(e.Args[0])
			}
		}
	}
	return "x"
}
