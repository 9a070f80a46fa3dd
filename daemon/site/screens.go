package site

import (
	"bytes"
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Screen is what every template shows; the site's own screens hold one.
type Screen struct {
	Title       string // key of the words; it names no file and no patient
	Menu        []Item
	Now         string // path of the menu's line that this belongs to
	Problem     string
	Refresh     int // seconds, while something goes on
	Institution string
	Account     Account
	Lang        string
	Other       string // path and query of the same screen in the other language
	Style       []string

	Name     string // typed
	Accounts []Account
	Kind     Kind
}

// frame has Show fill in what every screen has.
func (s *Screen) frame() *Screen { return s }

// Shown is a screen, or holds one.
type Shown interface{ frame() *Screen }

// screens are the templates in one language.
type screens map[string]*template.Template

// parseScreens reads the templates, once for each language.
func (s *Site) parseScreens() (map[string]screens, error) {
	out := map[string]screens{}
	for _, lang := range []string{"zh", "en"} {
		out[lang] = screens{}
		base, err := template.New("layout.html").Funcs(s.functions(lang)).ParseFS(templates, "templates/layout.html")
		if err != nil {
			return nil, err
		}
		for _, files := range []fs.FS{templates, s.cfg.Templates} {
			if files == nil {
				continue
			}
			names, err := fs.Glob(files, "templates/*.html")
			if err != nil {
				return nil, err
			}
			for _, name := range names {
				t, err := base.Clone()
				if err == nil && s.cfg.Templates != nil {
					t, err = s.withParts(t)
				}
				if err == nil {
					t, err = t.ParseFS(files, name)
				}
				if err != nil {
					return nil, err
				}
				out[lang][strings.TrimSuffix(strings.TrimPrefix(name, "templates/"), ".html")] = t
			}
		}
	}
	return out, nil
}

// withParts adds what the site's own screens share: its files templates/parts/*.html.
func (s *Site) withParts(t *template.Template) (*template.Template, error) {
	if parts, err := fs.Glob(s.cfg.Templates, "templates/parts/*.html"); err != nil || len(parts) == 0 {
		return t, err
	}
	return t.ParseFS(s.cfg.Templates, "templates/parts/*.html")
}

// china is the time zone of an institution's day.
var china = time.FixedZone("UTC+8", 8*3600)

func (s *Site) functions(lang string) template.FuncMap {
	all := template.FuncMap{
		"t":      func(key string, values ...any) string { return s.SayIn(lang, key, values...) },
		"number": Grouped,
		"time":   func(t time.Time) string { return t.In(china).Format("2006-01-02 15:04") },
		"inc":    func(i int) int { return i + 1 },
	}
	if s.cfg.Functions != nil {
		maps.Copy(all, s.cfg.Functions(lang))
	}
	return all
}

// Grouped writes a number with separators of thousands.
func Grouped(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// SayIn puts values into what a key says in a language, "zh" or any other for
// English. A key that is not there says itself; a test looks for those.
func (s *Site) SayIn(lang, key string, values ...any) string {
	said, ok := s.words[key]
	text := said[0]
	switch {
	case !ok:
		return key
	case lang == "zh":
		text = said[1]
	}
	return fmt.Sprintf(text, values...)
}

// Say is what a key says in the visitor's language.
func (v *Visit) Say(key string, values ...any) string { return v.SayIn(v.Lang, key, values...) }

// Show answers with a screen, whole or not at all.
func (v *Visit) Show(status int, name string, shown Shown) {
	s := shown.frame()
	s.Lang, s.Account, s.Kind = v.Lang, v.Account, v.cfg.Kind
	s.Institution = v.cfg.Institution[0]
	if v.Lang == "zh" && v.cfg.Institution[1] != "" || s.Institution == "" {
		s.Institution = v.cfg.Institution[1]
	}
	if v.Account.Name != "" {
		s.Menu = v.menu()
	}
	s.Style = v.style
	s.Other, s.Now = v.inOtherLanguage(), v.place(s.Menu)
	var b bytes.Buffer
	if err := v.screens[v.Lang][name].Execute(&b, shown); err != nil {
		v.cfg.Logger.Error(v.cfg.Kind.Name+": a screen cannot be shown", "screen", name, "reason", err.Error())
		http.Error(v.W, "internal error", http.StatusInternalServerError)
		return
	}
	v.W.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.W.Header().Set("Content-Language", map[string]string{"zh": "zh-CN", "en": "en"}[v.Lang])
	v.W.WriteHeader(status)
	_, _ = b.WriteTo(v.W) // the browser has gone if it fails
}

// menu is what the account may open, with what all sites have.
func (v *Visit) menu() (all []Item) {
	if v.cfg.Menu != nil {
		all = v.cfg.Menu(v.Account)
	}
	if v.Account.Role == Admin {
		all = append(all, Item{"/accounts", "accounts"})
	}
	return append(all, Item{"/password", "password"})
}

// inOtherLanguage is where the same screen is shown in the other language.
func (v *Visit) inOtherLanguage() string {
	if v.R.Method != http.MethodGet {
		return "/"
	}
	asked := v.R.URL.Query()
	asked.Set("lang", map[string]string{"zh": "en", "en": "zh"}[v.Lang])
	return localPath(v.R.URL.Path) + "?" + asked.Encode()
}

// place is the line of the menu that the visitor is at: the longest that begins the
// path.
func (v *Visit) place(menu []Item) (at string) {
	path := localPath(v.R.URL.Path)
	for _, item := range menu {
		if (path == item.Path || strings.HasPrefix(path, strings.TrimSuffix(item.Path, "/")+"/")) && len(item.Path) > len(at) {
			at = item.Path
		}
	}
	return at
}
