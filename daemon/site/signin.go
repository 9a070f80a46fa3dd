package site

import (
	"errors"
	"net/http"
	"strings"
	"time"
)

func (s *Site) showSignIn(w http.ResponseWriter, r *http.Request) {
	v := s.visit(w, r)
	if v.Account.Name != "" {
		v.Redirect("/")
		return
	}
	v.Show(http.StatusOK, "signin", &Screen{Title: "signIn"})
}

func (s *Site) signIn(w http.ResponseWriter, r *http.Request) {
	v := s.visit(w, r)
	name := strings.ToLower(strings.TrimSpace(r.PostFormValue("name")))
	token, err := s.door.enter(r.Context(), name, r.PostFormValue("password"), r.RemoteAddr)
	if err == nil {
		err = s.told(name, token)
	}
	var wait waitError
	switch {
	case errors.As(err, &wait):
		minutes := int(wait.until.Sub(s.cfg.Now())/time.Minute) + 1
		v.Show(http.StatusTooManyRequests, "signin", &Screen{Title: "signIn", Problem: v.Say("wait", minutes)})
		return
	case errors.Is(err, errWrong):
		if _, err := s.Accounts.Get(name); err != nil {
			name = "" // it may be a password, or a patient's number
		}
		s.cfg.Logger.Warn(s.cfg.Kind.Name+": a sign-in failed", "account", name, "from", r.RemoteAddr)
		v.Show(http.StatusUnauthorized, "signin", &Screen{Title: "signIn", Problem: v.Say("wrong"), Name: name})
		return
	case err != nil:
		v.Oops(err)
		return
	}
	if c, err := r.Cookie(s.sessionName()); err == nil {
		s.door.leave(c.Value)
	}
	s.cfg.Logger.Info(s.cfg.Kind.Name+": signed in", "account", name, "from", r.RemoteAddr)
	http.SetCookie(w, s.cookie(s.sessionName(), token, WorkingDay))
	v.Redirect("/")
}

// told says that an account has signed in; where that cannot be written down it has
// not.
func (s *Site) told(name, token string) error {
	if s.cfg.Signed == nil {
		return nil
	}
	a, err := s.Accounts.Get(name)
	if err == nil {
		err = s.cfg.Signed(a)
	}
	if err != nil {
		s.door.leave(token)
	}
	return err
}

func (s *Site) signOut(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie(s.sessionName()); err == nil {
		s.door.leave(c.Value)
	}
	http.SetCookie(w, s.cookie(s.sessionName(), "", -time.Second))
	http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
}
