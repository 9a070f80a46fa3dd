package site

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"
)

// MaxFormBytes is how much of a form is read.
const MaxFormBytes = 16 << 10

// sessionName is that of the session's cookie: browsers do not tell ports of a host
// apart, so each kind of site has its own. Over TLS its prefix has browsers take it
// from this host alone.
func (s *Site) sessionName() string {
	name := "raresync_" + s.cfg.Kind.Name
	if s.cfg.Plain {
		return name
	}
	return "__Host-" + name
}

const languageName = "raresync_lang"

// Guard sets what every answer has, refuses forms of other origins, and bounds what
// is read: to MaxFormBytes but for what is large, which may be nil.
func (s *Site) Guard(next http.Handler, large func(*http.Request) bool) http.Handler {
	others := http.NewCrossOriginProtection()
	others.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.visit(w, r).Fail(http.StatusForbidden, "otherOrigin")
	}))
	next = others.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'; script-src 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		asked := r.URL.Query()
		if lang := asked.Get("lang"); r.Method == http.MethodGet && (lang == "zh" || lang == "en") {
			http.SetCookie(w, s.cookie(languageName, lang, 365*24*time.Hour))
			asked.Del("lang")
			to := localPath(r.URL.Path)
			if rest := asked.Encode(); rest != "" {
				to += "?" + rest
			}
			http.Redirect(w, r, to, http.StatusSeeOther)
			return
		}
		if large == nil || !large(r) {
			r.Body = http.MaxBytesReader(w, r.Body, MaxFormBytes)
		}
		next.ServeHTTP(w, r)
	})
}

// localPath is a path of this host: two slashes would begin another's name.
func localPath(path string) string { return "/" + strings.TrimLeft(path, `/\`) }

func (s *Site) cookie(name, value string, age time.Duration) *http.Cookie {
	return &http.Cookie{
		Name: name, Value: value, Path: "/", HttpOnly: true, Secure: !s.cfg.Plain, SameSite: http.SameSiteStrictMode,
		MaxAge: int(age / time.Second),
	}
}

// Visit is one request of somebody.
type Visit struct {
	*Site
	W       http.ResponseWriter
	R       *http.Request
	Lang    string  // "zh" or "en"
	Account Account // none if nobody is signed in
}

func (s *Site) visit(w http.ResponseWriter, r *http.Request) *Visit {
	v := &Visit{Site: s, W: w, R: r, Lang: "zh"} // until somebody chooses another
	if c, err := r.Cookie(languageName); err == nil && (c.Value == "zh" || c.Value == "en") {
		v.Lang = c.Value
	}
	if c, err := r.Cookie(s.sessionName()); err == nil {
		v.Account, _ = s.door.who(c.Value)
	}
	return v
}

// For lets in who is signed in and has one of the roles, of nil any; who is not
// signed in does so first.
func (s *Site) For(roles []string, next func(*Visit)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v := s.visit(w, r)
		switch {
		case v.Account.Name == "":
			http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
		case roles != nil && !slices.Contains(roles, v.Account.Role):
			v.Fail(http.StatusForbidden, "notYours")
		default:
			next(v)
		}
	}
}

// Fail answers with what is wrong, by its key in the words.
func (v *Visit) Fail(status int, what string) {
	v.Show(status, "problem", &Screen{Title: "problem", Problem: v.Say(what)})
}

// Oops answers with an error of the node, which is logged: it must hold nothing of a
// patient.
func (v *Visit) Oops(err error) {
	if errors.Is(err, errBusy) {
		v.Fail(http.StatusServiceUnavailable, "busy")
		return
	}
	v.cfg.Logger.Error(v.cfg.Kind.Name+": a request failed", "reason", err.Error())
	v.Fail(http.StatusInternalServerError, "internal")
}

// Redirect has the browser go to a path of the site.
func (v *Visit) Redirect(to string) { http.Redirect(v.W, v.R, to, http.StatusSeeOther) }

// Download answers with a file.
func (v *Visit) Download(name, kind string, data []byte) {
	v.Attach(name, kind)
	_, _ = v.W.Write(data) // the browser has gone if it fails
}

// Printed answers with a page that stands by itself, to be printed. Its own style is let
// in, and no other.
func (v *Visit) Printed(page []byte) {
	_, rest, _ := bytes.Cut(page, []byte("<style>"))
	style, _, _ := bytes.Cut(rest, []byte("</style>"))
	sum := sha256.Sum256(style)
	h := v.W.Header()
	h.Set("Content-Security-Policy", "default-src 'self'; script-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; style-src 'sha256-"+
		base64.StdEncoding.EncodeToString(sum[:])+"'")
	h.Set("Content-Type", "text/html; charset=utf-8")
	_, _ = v.W.Write(page) // the browser has gone if it fails
}

// Attach says that what is written next is a file.
func (v *Visit) Attach(name, kind string) {
	h := v.W.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
}
