package site

import (
	"embed"
	"html/template"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/raresync/raresync/crypto/password"
)

//go:embed templates
var templates embed.FS

//go:embed static
var style embed.FS

// Text is what a key says, in English and in Chinese.
type Text [2]string

// Config is what a site needs.
type Config struct {
	Kind    Kind
	DataDir string
	// Templates are the site's own screens, each a file NAME.html that defines "main".
	// What it finds there stands beside the screens that all sites have.
	Templates fs.FS
	// Style are files to be had under /static/ beside those of all sites.
	Style fs.FS
	// Words are what keys say on the site's own screens, and Functions what its
	// templates may call, by language.
	Words     map[string]Text
	Functions func(lang string) template.FuncMap
	// Menu is what an account may open.
	Menu func(Account) []Item
	// Institution is the institution's name, in English and in Chinese.
	Institution [2]string
	// Signed is told of every sign-in before it holds; an error refuses it.
	Signed func(Account) error
	// Plain says that the site is served without TLS, on a loopback address.
	Plain  bool
	Hash   password.Params // of new passwords
	Now    func() time.Time
	Logger *slog.Logger
}

// Item is a line of the menu.
type Item struct{ Path, Word string }

// Site is a web site of accounts. It is safe for concurrent use.
type Site struct {
	Accounts *Accounts
	cfg      Config
	door     *door
	words    map[string]Text
	screens  map[string]screens // by language
	style    []string           // the site's own style sheets
}

// Open reads the templates; the accounts are read as they are asked for.
func Open(cfg Config) (*Site, error) {
	s := &Site{cfg: cfg, Accounts: AccountsIn(cfg.DataDir, cfg.Kind, cfg.Hash), words: Words()}
	maps.Copy(s.words, cfg.Words)
	var err error
	if cfg.Style != nil {
		sheets, err := fs.Glob(cfg.Style, "static/*.css")
		if err != nil {
			return nil, err
		}
		for _, path := range sheets {
			s.style = append(s.style, strings.TrimPrefix(path, "static/"))
		}
	}
	if s.screens, err = s.parseScreens(); err != nil {
		return nil, err
	}
	s.door, err = newDoor(s.Accounts, cfg.Now)
	return s, err
}

// Mux answers what all sites have. Whatever no other pattern answers is not found.
func (s *Site) Mux() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /static/{file}", s.static)
	mux.HandleFunc("GET /sign-in", s.showSignIn)
	mux.HandleFunc("POST /sign-in", s.signIn)
	mux.HandleFunc("POST /sign-out", s.signOut)
	mux.HandleFunc("GET /password", s.For(nil, s.showPassword))
	mux.HandleFunc("POST /password", s.For(nil, s.setPassword))
	mux.HandleFunc("GET /accounts", s.For([]string{Admin}, s.showAccounts))
	mux.HandleFunc("POST /accounts", s.For([]string{Admin}, s.changeAccounts))
	mux.HandleFunc("/", s.For(nil, func(v *Visit) { v.Fail(http.StatusNotFound, "notFound") }))
	return mux
}

func (s *Site) static(w http.ResponseWriter, r *http.Request) {
	for _, files := range []fs.FS{style, s.cfg.Style} {
		if files == nil {
			continue
		}
		if sub, err := fs.Sub(files, "static"); err == nil {
			if _, err := fs.Stat(sub, r.PathValue("file")); err == nil {
				http.StripPrefix("/static/", http.FileServerFS(sub)).ServeHTTP(w, r)
				return
			}
		}
	}
	http.NotFound(w, r)
}
