package page

import (
	"context"
	"embed"
	"log/slog"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"github.com/raresync/raresync/crypto/password"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/daemon/delivery"
	"github.com/raresync/raresync/daemon/receipt"
	"github.com/raresync/raresync/daemon/site"
	"github.com/raresync/raresync/registry/mapping"
)

//go:embed templates
var assets embed.FS

// Clerk is the role of who hands in files.
const Clerk = "clerk"

// Kind says who has accounts of the page: an administrator hands in files too.
func Kind() site.Kind {
	return site.Kind{Name: "page", Roles: []string{Clerk, site.Admin}}
}

// Config is what a page needs.
type Config struct {
	// DataDir is the node's data directory; what the page keeps is in its folder
	// page.
	DataDir string
	// Sealing returns the hospital's sealing keys, the present one first.
	Sealing func() []*seal.ReaderPrivate
	// Preview says what would become of files; it takes nothing and asks no other
	// node. Send hands them to the intake and waits for receipts.
	Preview, Send delivery.Send
	// Receipts gives the receipts of entries, and the policy that verifies them.
	Receipts receipt.Source
	// Queries are what the hospital is asked about its entries.
	Queries Queries
	// Letters are the quality letters to the hospital.
	Letters Letters
	// Checks are the hospital's registrations to compare with their source records.
	Checks Checks
	// Record writes what was done, with how many entries, into the node's own trail.
	Record func(what string, entries int) error
	// Problem is what a clerk reads of an error of these. It names no file.
	Problem func(error) string
	// Profile reads tables; nil is the shipped one that knows the headings.
	Profile *mapping.Profile
	// Hospital is the institution's name, in English and in Chinese.
	Hospital [2]string
	// Keep is for how long is kept what became of deliveries; 0 is for ever.
	Keep time.Duration
	// Plain says that the page is served without TLS, on a loopback address.
	Plain  bool
	Hash   password.Params // of new passwords
	Now    func() time.Time
	Logger *slog.Logger
}

// Page is the hospital's web page. It is safe for concurrent use.
type Page struct {
	cfg     Config
	site    *site.Site
	desk    *desk
	handler http.Handler

	jobs      chan func(context.Context)
	places    chan struct{} // holds one for each job that runs
	uploading chan struct{} // likewise for uploads
	proving   chan struct{} // likewise for receipts
	workers   sync.WaitGroup
}

// Open opens the page. Uploads that nobody confirmed before the last end are
// destroyed.
func Open(cfg Config) (*Page, error) {
	p := &Page{
		cfg: cfg, jobs: make(chan func(context.Context), maxStaged), places: make(chan struct{}, checksAtOnce), uploading: make(chan struct{}, checksAtOnce),
		proving: make(chan struct{}, checksAtOnce),
	}
	var err error
	if p.site, err = site.Open(site.Config{
		Kind: Kind(), DataDir: cfg.DataDir, Templates: assets, Words: words, Functions: functions,
		Menu: func(site.Account) []site.Item {
			return []site.Item{{Path: "/", Word: "home"}, {Path: "/queries", Word: "queries"}, {Path: "/letters", Word: "letters"}, {Path: "/checks", Word: "checks"}}
		},
		Institution: cfg.Hospital, Plain: cfg.Plain, Hash: cfg.Hash, Now: cfg.Now, Logger: cfg.Logger,
	}); err != nil {
		return nil, err
	}
	if p.desk, err = openDesk(filepath.Join(cfg.DataDir, "page"), cfg.Sealing, cfg.Keep, cfg.Now); err != nil {
		return nil, err
	}
	p.handler = p.site.Guard(p.mux(), func(r *http.Request) bool { return r.URL.Path == "/deliveries" })
	return p, nil
}

// ServeHTTP answers a browser.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.handler.ServeHTTP(w, r) }
