package page

import (
	"errors"
	"io/fs"
	"net/http"
	"strings"
	"time"
)

const (
	maxFormBytes = 16 << 10
	languageName = "raresync_lang"
)

// sessionName is that of the session's cookie. Over TLS its prefix has browsers take
// it from this host alone.
func (p *Page) sessionName() string {
	if p.cfg.Plain {
		return "raresync_session"
	}
	return "__Host-raresync_session"
}

// mux answers each path.
func (p *Page) mux() http.Handler {
	mux := http.NewServeMux()
	static, err := fs.Sub(assets, "static")
	if err != nil {
		panic(err) // it is embedded
	}
	mux.Handle("GET /static/{file}", http.StripPrefix("/static/", http.FileServerFS(static)))
	mux.HandleFunc("GET /sign-in", p.showSignIn)
	mux.HandleFunc("POST /sign-in", p.signIn)
	mux.HandleFunc("POST /sign-out", p.signOut)
	mux.HandleFunc("GET /{$}", p.signedIn("", p.home))
	mux.HandleFunc("POST /deliveries", p.signedIn("", p.upload))
	mux.HandleFunc("GET /deliveries/{id}", p.signedIn("", p.delivery))
	mux.HandleFunc("POST /deliveries/{id}/confirm", p.signedIn("", p.confirm))
	mux.HandleFunc("POST /deliveries/{id}/discard", p.signedIn("", p.discard))
	mux.HandleFunc("GET /deliveries/{id}/rejects/{number}", p.signedIn("", p.rejects))
	mux.HandleFunc("GET /deliveries/{id}/receipts/{index}", p.signedIn("", p.receipt))
	mux.HandleFunc("GET /password", p.signedIn("", p.showPassword))
	mux.HandleFunc("POST /password", p.signedIn("", p.setPassword))
	mux.HandleFunc("GET /accounts", p.signedIn(Admin, p.showAccounts))
	mux.HandleFunc("POST /accounts", p.signedIn(Admin, p.changeAccounts))
	mux.HandleFunc("/", p.signedIn("", func(v *visit) { v.fail(http.StatusNotFound, "notFound") }))
	return mux
}

// guard sets what every answer has, refuses forms of other origins, and bounds what
// is read.
func (p *Page) guard(next http.Handler) http.Handler {
	others := http.NewCrossOriginProtection()
	others.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.visit(w, r).fail(http.StatusForbidden, "otherOrigin")
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
		if lang := r.URL.Query().Get("lang"); r.Method == http.MethodGet && (lang == "zh" || lang == "en") {
			http.SetCookie(w, p.cookie(languageName, lang, 365*24*time.Hour))
			http.Redirect(w, r, localPath(r.URL.Path), http.StatusSeeOther)
			return
		}
		if r.URL.Path != "/deliveries" {
			r.Body = http.MaxBytesReader(w, r.Body, maxFormBytes)
		}
		next.ServeHTTP(w, r)
	})
}

// localPath is a path of this host: two slashes would begin another's name.
func localPath(path string) string { return "/" + strings.TrimLeft(path, `/\`) }

func (p *Page) cookie(name, value string, age time.Duration) *http.Cookie {
	return &http.Cookie{
		Name: name, Value: value, Path: "/", HttpOnly: true, Secure: !p.cfg.Plain, SameSite: http.SameSiteStrictMode,
		MaxAge: int(age / time.Second),
	}
}

// visit is one request of somebody.
type visit struct {
	*Page
	w       http.ResponseWriter
	r       *http.Request
	lang    string
	account Account // none if nobody is signed in
}

func (p *Page) visit(w http.ResponseWriter, r *http.Request) *visit {
	v := &visit{Page: p, w: w, r: r, lang: "zh"} // until somebody chooses another
	if c, err := r.Cookie(languageName); err == nil && (c.Value == "zh" || c.Value == "en") {
		v.lang = c.Value
	}
	if c, err := r.Cookie(p.sessionName()); err == nil {
		v.account, _ = p.door.who(c.Value)
	}
	return v
}

// signedIn lets in who is signed in and, with a role, has it; anybody else signs in
// first.
func (p *Page) signedIn(role string, next func(*visit)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v := p.visit(w, r)
		switch {
		case v.account.Name == "":
			http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
		case role != "" && v.account.Role != role:
			v.fail(http.StatusForbidden, "notYours")
		default:
			next(v)
		}
	}
}

// fail answers with what is wrong, by its key in the words.
func (v *visit) fail(status int, what string) {
	v.show(status, "problem", screen{Title: "problem", Problem: v.say(what)})
}

// oops answers with an error, logged where it is not the visitor's.
func (v *visit) oops(err error) {
	switch {
	case errors.Is(err, errNone):
		v.fail(http.StatusNotFound, "notFound")
	case errors.Is(err, errNow):
		v.fail(http.StatusConflict, "notNow")
	case errors.Is(err, errFull):
		v.fail(http.StatusServiceUnavailable, "full")
	case errors.Is(err, errBusy):
		v.fail(http.StatusServiceUnavailable, "busy")
	default:
		v.cfg.Logger.Error("page: a request failed", "reason", err.Error())
		v.fail(http.StatusInternalServerError, "internal")
	}
}

func (v *visit) redirect(to string) { http.Redirect(v.w, v.r, to, http.StatusSeeOther) }

func (p *Page) showSignIn(w http.ResponseWriter, r *http.Request) {
	v := p.visit(w, r)
	if v.account.Name != "" {
		v.redirect("/")
		return
	}
	v.show(http.StatusOK, "signin", screen{Title: "signIn"})
}

func (p *Page) signIn(w http.ResponseWriter, r *http.Request) {
	v := p.visit(w, r)
	name := strings.ToLower(strings.TrimSpace(r.PostFormValue("name")))
	token, err := p.door.enter(r.Context(), name, r.PostFormValue("password"), r.RemoteAddr)
	var wait waitError
	switch {
	case errors.As(err, &wait):
		minutes := int(wait.until.Sub(p.cfg.Now())/time.Minute) + 1
		v.show(http.StatusTooManyRequests, "signin", screen{Title: "signIn", Problem: v.say("wait", minutes)})
		return
	case errors.Is(err, errWrong):
		if _, err := p.accounts.Get(name); err != nil {
			name = "" // it may be a password, or a patient's number
		}
		p.cfg.Logger.Warn("page: a sign-in failed", "account", name, "from", r.RemoteAddr)
		v.show(http.StatusUnauthorized, "signin", screen{Title: "signIn", Problem: v.say("wrong"), Name: name})
		return
	case err != nil:
		v.oops(err)
		return
	}
	if c, err := r.Cookie(p.sessionName()); err == nil {
		p.door.leave(c.Value)
	}
	p.cfg.Logger.Info("page: signed in", "account", name, "from", r.RemoteAddr)
	http.SetCookie(w, p.cookie(p.sessionName(), token, workingDay))
	v.redirect("/")
}

func (p *Page) signOut(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie(p.sessionName()); err == nil {
		p.door.leave(c.Value)
	}
	http.SetCookie(w, p.cookie(p.sessionName(), "", -time.Second))
	http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
}
