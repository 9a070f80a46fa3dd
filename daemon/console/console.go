package console

import (
	"context"
	"embed"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/raresync/raresync/crypto/password"
	"github.com/raresync/raresync/daemon/report"
	"github.com/raresync/raresync/daemon/site"
	"github.com/raresync/raresync/daemon/view"
	"github.com/raresync/raresync/registry/catalog"
)

//go:embed templates
var templates embed.FS

//go:embed static
var style embed.FS

// The roles of accounts, beside site.Admin.
const (
	Coordinator = "coordinator" // reads everything, maybe of one province
	QC          = "qc"          // quality, hospitals and queries
	Biobank     = "biobank"     // diseases, cohorts and specimens
	DPO         = "dpo"         // withdrawals
	Auditor     = "auditor"     // the log and who keeps it
)

// Kind says who has accounts of the console.
func Kind() site.Kind {
	return site.Kind{Name: "console", Roles: []string{Coordinator, QC, Biobank, DPO, Auditor, site.Admin}, Limited: Coordinator}
}

// Config is what a console needs.
type Config struct {
	// DataDir is the node's data directory; accounts and certificate are in its
	// folder console.
	DataDir string
	// Node is the log and the network as this node has them.
	Node Node
	// Read calls f with the view, narrowed to a province unless that is "".
	Read func(ctx context.Context, province string, f func(view.Query) error) error
	// Report makes the report that a request names, exact, of a province's hospitals
	// unless that is "".
	Report func(r *http.Request, province string) (report.Report, error)
	// Audit says on the log that an account is about to be shown what was opened. Nothing
	// is read before it returns, and nothing after an error. What is read is read with
	// the context that it returns, and done is called in the end.
	Audit func(ctx context.Context, account site.Account, what string) (with context.Context, done func(), err error)
	// Record writes what was done into the node's own trail.
	Record func(what string) error
	// Catalogue is the newest edition of the lists.
	Catalogue func() (*catalog.Catalog, error)
	// MinCell is the smallest count that is printed.
	MinCell func() int
	// Institution is the reader's name, in English and in Chinese.
	Institution [2]string
	Number      uint32 // its own
	// Only is what the institution may open, in English and in Chinese; nothing if it may
	// open everything. Each page with figures says it.
	Only [2]string
	// Plain says that the console is served without TLS, on a loopback address.
	Plain  bool
	Hash   password.Params // of new passwords
	Now    func() time.Time
	Logger *slog.Logger
}

// Console is a reader's web pages. It is safe for concurrent use.
type Console struct {
	cfg     Config
	site    *site.Site
	handler http.Handler
}

// Open opens the console.
func Open(cfg Config) (*Console, error) {
	c := &Console{cfg: cfg}
	var err error
	c.site, err = site.Open(site.Config{
		Kind: Kind(), DataDir: cfg.DataDir, Templates: templates, Style: style, Words: words, Menu: menu,
		Signed:      func(a site.Account) error { return cfg.Record("console: signed in: " + a.Name + " (" + a.Role + ")") },
		Institution: cfg.Institution, Plain: cfg.Plain, Hash: cfg.Hash, Now: cfg.Now, Logger: cfg.Logger,
	})
	if err != nil {
		return nil, err
	}
	c.handler = c.site.Guard(c.mux(), nil)
	return c, nil
}

// ServeHTTP answers a browser.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) { c.handler.ServeHTTP(w, r) }

// section is a part of the console, and who may open it.
type section struct {
	site.Item
	roles []string
}

// sections are the parts in the order of the menu.
func sections() []section {
	return []section{
		{site.Item{Path: "/", Word: "overview"}, []string{Coordinator, QC, Biobank}},
		{site.Item{Path: "/diseases", Word: "diseases"}, []string{Coordinator, Biobank}},
		{site.Item{Path: "/hospitals", Word: "hospitals"}, []string{Coordinator, QC}},
		{site.Item{Path: "/quality", Word: "quality"}, []string{Coordinator, QC}},
		{site.Item{Path: "/cohorts", Word: "cohorts"}, []string{Coordinator, Biobank}},
		{site.Item{Path: "/queries", Word: "queries"}, []string{Coordinator, QC}},
		{site.Item{Path: "/log", Word: "log"}, Kind().Roles},
		{site.Item{Path: "/nodes", Word: "nodes"}, Kind().Roles},
		{site.Item{Path: "/reports", Word: "reports"}, []string{Coordinator, QC, Biobank, DPO, Auditor}},
	}
}

func menu(a site.Account) (items []site.Item) {
	for _, s := range sections() {
		if slices.Contains(s.roles, a.Role) {
			items = append(items, s.Item)
		}
	}
	return items
}
