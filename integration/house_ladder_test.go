package integration

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// rungs orders the tree's folders: a package imports its own rung and those
// below. What looks in from outside stands on top and is imported by nobody.
var rungs = map[string]int{
	"crypto": 0, "registry": 1, "consensus": 2, "daemon": 3, "cmd": 4, "configs": 4, "integration": 5, "docs": 5,
}

func rungOf(dir string) (int, bool) {
	top, _, _ := strings.Cut(dir, "/")
	rung, ok := rungs[top]
	return rung, ok
}

func ladderFaults(tree *houseTree) (faults []string) {
	for _, f := range tree.goes {
		rung, ok := rungOf(f.dir)
		if !ok {
			faults = append(faults, fmt.Sprintf("%s: %s has no rung on the ladder", f.path, f.dir))
			continue
		}
		for _, p := range f.imports() {
			dir, ok := tree.local(p)
			if !ok {
				continue
			}
			if below, ok := rungOf(dir); !ok || below > rung {
				faults = append(faults, fmt.Sprintf("%s: %s imports %s, a rung above", f.path, f.dir, dir))
			}
		}
	}
	return faults
}

// homes says which folder knows a module, so that replacing the module is a
// change to one folder; "" stands for the tests of any folder. Code in
// integration looks at everything.
var homes = map[string]string{
	"filippo.io/age":                   "crypto",
	"filippo.io/edwards25519":          "crypto/internal/ristretto",
	"filippo.io/hpke":                  "crypto",
	"github.com/cloudflare/circl":      "crypto",
	"golang.org/x/crypto":              "crypto",
	"github.com/hashicorp/go-hclog":    "consensus",
	"github.com/hashicorp/go-metrics":  "consensus",
	"github.com/hashicorp/raft":        "consensus",
	"github.com/hashicorp/raft-boltdb": "consensus",
	"go.etcd.io/bbolt":                 "consensus",
	"golang.org/x/sys":                 "consensus",
	"github.com/BurntSushi/toml":       "registry/tomlfile",
	"github.com/xuri/excelize":         "registry/table",
	"golang.org/x/text":                "registry/table",
	"github.com/hashicorp/yamux":       "daemon",
	"github.com/prometheus":            "daemon/meter",
	"github.com/ncruces":               "daemon/view",
	"github.com/parquet-go":            "daemon/dataset",
	"golang.org/x/sync":                "daemon",
	"github.com/urfave/cli":            "cmd",
	"golang.org/x/term":                "cmd",

	"github.com/chromedp":             "integration/browser",
	"github.com/rogpeppe/go-internal": "",
	"github.com/transparency-dev":     "",
	"go.uber.org/goleak":              "",
	"golang.org/x/mod":                "",
}

func homeFaults(tree *houseTree) (faults []string) {
	for _, f := range tree.goes {
		for _, p := range f.imports() {
			if fault := homeFault(tree, f, p); fault != "" {
				faults = append(faults, f.path+": "+fault)
			}
		}
	}
	return faults
}

func homeFault(tree *houseTree, f goFile, importPath string) string {
	host, _, _ := strings.Cut(importPath, "/")
	_, local := tree.local(importPath)
	if local || !strings.Contains(host, ".") || under(f.dir, "integration") {
		return ""
	}
	for module, home := range homes {
		switch {
		case !under(importPath, module):
		case home == "" && f.test || home != "" && under(f.dir, home):
			return ""
		case home == "":
			return module + " is for tests only"
		default:
			return fmt.Sprintf("%s lives in %s, not in %s", module, home, f.dir)
		}
	}
	return importPath + " has no home"
}

// impure lists what the pure rungs may not import, with what lies below.
var impure = []string{
	"database", "io/ioutil", "log", "math/rand", "net", "os", "path/filepath", "plugin", "syscall",
}

// impureNames lists what they may not use of packages they may import.
var impureNames = map[string][]string{
	"fmt":  {"Print", "Printf", "Println", "Scan", "Scanf", "Scanln"},
	"time": {"After", "AfterFunc", "NewTicker", "NewTimer", "Now", "Since", "Sleep", "Tick", "Until"},
}

// pureNames lists the only names they may use of packages that are impure
// otherwise: a generator that the caller seeds is a function of its seed, and
// a value that hides itself from logs writes none.
var pureNames = map[string][]string{
	"math/rand/v2": {"ChaCha8", "New", "NewChaCha8", "NewPCG", "NewZipf", "PCG", "Rand", "Source", "Zipf"},
	"log/slog":     {"LogValuer", "StringValue", "Value"},
}

func purityFaults(tree *houseTree) (faults []string) {
	for _, f := range tree.goes {
		fixture := strings.HasSuffix(f.dir, "test") // as net/http/httptest: only tests import it
		if f.test || fixture || !under(f.dir, "registry") && !under(f.dir, "crypto") {
			continue
		}
		found := func(format string, args ...any) {
			faults = append(faults, f.path+": "+fmt.Sprintf(format, args...))
		}
		for _, p := range f.imports() {
			// Keys and salts are made in crypto.
			if importsImpure(p) || p == "crypto/rand" && !under(f.dir, "crypto") {
				found("imports %s", p)
			}
		}
		f.uses(func(pkg, name string, _ token.Pos) {
			if only := pureNames[pkg]; slices.Contains(impureNames[pkg], name) || only != nil && !slices.Contains(only, name) {
				found("uses %s.%s", pkg, name)
			}
		})
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			if _, ok := n.(*ast.GoStmt); ok {
				found("starts a goroutine")
			}
			return true
		})
	}
	return faults
}

func importsImpure(p string) bool {
	return pureNames[p] == nil && slices.ContainsFunc(impure, func(base string) bool { return under(p, base) })
}
