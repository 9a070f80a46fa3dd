package site

import (
	"context"
	"errors"
	"net/http"
)

// errTwo reports two passwords that should be one.
var errTwo = errors.New("the two passwords differ")

// errDeed reports something that is not to be done with an account.
var errDeed = errors.New("no such thing is done with an account")

// explain is the key of what an error of an account says, or "".
func explain(err error) string {
	for _, known := range []struct {
		err error
		key string
	}{
		{errTwo, "twoPasswords"}, {errWrong, "wrongPassword"}, {ErrPassword, "badPassword"}, {ErrAccountName, "badName"}, {ErrRole, "badRole"},
		{ErrThere, "there"}, {ErrNoAccount, "noAccount"}, {ErrLastAdmin, "lastAdmin"}, {errBusy, "busy"}, {ErrLimit, "badLimit"}, {errDeed, "unknownDeed"},
	} {
		if errors.Is(err, known.err) {
			return known.key
		}
	}
	return ""
}

// answer shows a screen again with what is wrong; an error that is nobody's fault is
// logged.
func (v *Visit) answer(err error, again func(problem string)) {
	var wait waitError
	switch key := explain(err); {
	case errors.As(err, &wait):
		again(v.Say("waitOwn"))
	case key == "":
		v.Oops(err)
	default:
		again(v.Say(key))
	}
}

func (s *Site) showPassword(v *Visit) {
	v.Show(http.StatusOK, "password", &Screen{Title: "password"})
}

// setPassword changes the visitor's own password, which signs them out everywhere.
func (s *Site) setPassword(v *Visit) {
	if err := s.newPassword(v); err != nil {
		v.answer(err, func(problem string) {
			v.Show(http.StatusUnprocessableEntity, "password", &Screen{Title: "password", Problem: problem})
		})
		return
	}
	s.cfg.Logger.Info(s.cfg.Kind.Name+": a password was changed", "account", v.Account.Name, "by", v.Account.Name)
	v.Redirect("/sign-in")
}

func (s *Site) newPassword(v *Visit) error {
	keys := keysOf(v.Account.Name, v.R.RemoteAddr)
	ok, err := s.door.verify(v.R.Context(), keys, v.Account.Hash, v.R.PostFormValue("old"))
	if err != nil {
		return err
	}
	if !ok {
		s.door.failed(keys)
		return errWrong
	}
	text, err := twice(v.R)
	if err != nil {
		return err
	}
	return s.hashing(v.R.Context(), func() error { return s.Accounts.SetPassword(v.Account.Name, text) })
}

func twice(r *http.Request) (string, error) {
	text := r.PostFormValue("new")
	if text != r.PostFormValue("again") {
		return "", errTwo
	}
	return text, nil
}

// hashing makes a hash in its turn.
func (s *Site) hashing(ctx context.Context, f func() error) error {
	ctx, cancel := context.WithTimeout(ctx, hashPatience)
	defer cancel()
	select {
	case s.door.hashing <- struct{}{}:
		defer func() { <-s.door.hashing }()
		return f()
	case <-ctx.Done():
		return errBusy
	}
}

func (s *Site) showAccounts(v *Visit) { s.listAccounts(v, http.StatusOK, "") }

func (s *Site) listAccounts(v *Visit, status int, problem string) {
	list, err := s.Accounts.List()
	if err != nil {
		v.Oops(err)
		return
	}
	v.Show(status, "accounts", &Screen{Title: "accounts", Problem: problem, Accounts: list})
}

// changeAccounts does one thing with one account.
func (s *Site) changeAccounts(v *Visit) {
	what, name := v.R.PostFormValue("do"), v.R.PostFormValue("name")
	if err := s.changeAccount(v, what, name); err != nil {
		v.answer(err, func(problem string) { s.listAccounts(v, http.StatusUnprocessableEntity, problem) })
		return
	}
	s.cfg.Logger.Info(s.cfg.Kind.Name+": an account was changed", "what", what, "account", name, "by", v.Account.Name)
	v.Redirect("/accounts")
}

func (s *Site) changeAccount(v *Visit, what, name string) error {
	switch what {
	case "add", "passwd":
		text, err := twice(v.R)
		if err != nil {
			return err
		}
		return s.hashing(v.R.Context(), func() error {
			if what == "add" {
				return s.Accounts.Add(name, v.R.PostFormValue("role"), v.R.PostFormValue("province"), text, s.cfg.Now())
			}
			return s.Accounts.SetPassword(name, text)
		})
	case "lock", "remove":
		if keep, err := s.Accounts.othersKeep(name); err != nil {
			return err
		} else if !keep {
			return ErrLastAdmin
		}
		if what == "remove" {
			return s.Accounts.Remove(name)
		}
		return s.Accounts.Lock(name, true)
	case "unlock":
		return s.Accounts.Lock(name, false)
	}
	return errDeed
}
