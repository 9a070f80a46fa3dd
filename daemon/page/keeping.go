package page

import (
	"context"
	"errors"
	"net/http"
)

// errTwo reports two passwords that should be one.
var errTwo = errors.New("the two passwords differ")

// explain is the key of what an error of an account says, or "".
func explain(err error) string {
	for _, known := range []struct {
		err error
		key string
	}{
		{errTwo, "twoPasswords"}, {errWrong, "wrongPassword"}, {ErrPassword, "badPassword"}, {ErrAccountName, "badName"}, {ErrRole, "badRole"},
		{ErrThere, "there"}, {ErrNoAccount, "noAccount"}, {ErrLastAdmin, "lastAdmin"}, {errBusy, "busy"},
	} {
		if errors.Is(err, known.err) {
			return known.key
		}
	}
	return ""
}

// answer shows a screen again with what is wrong; an error that is nobody's fault is
// logged.
func (v *visit) answer(err error, again func(problem string)) {
	var wait waitError
	switch key := explain(err); {
	case errors.As(err, &wait):
		again(v.say("waitOwn"))
	case key == "":
		v.oops(err)
	default:
		again(v.say(key))
	}
}

func (p *Page) showPassword(v *visit) {
	v.show(http.StatusOK, "password", screen{Title: "password"})
}

// setPassword changes the visitor's own password, which signs them out everywhere.
func (p *Page) setPassword(v *visit) {
	if err := p.newPassword(v); err != nil {
		v.answer(err, func(problem string) {
			v.show(http.StatusUnprocessableEntity, "password", screen{Title: "password", Problem: problem})
		})
		return
	}
	p.cfg.Logger.Info("page: a password was changed", "account", v.account.Name, "by", v.account.Name)
	v.redirect("/sign-in")
}

func (p *Page) newPassword(v *visit) error {
	keys := keysOf(v.account.Name, v.r.RemoteAddr)
	ok, err := p.door.verify(v.r.Context(), keys, v.account.Hash, v.r.PostFormValue("old"))
	if err != nil {
		return err
	}
	if !ok {
		p.door.failed(keys)
		return errWrong
	}
	text, err := twice(v.r)
	if err != nil {
		return err
	}
	return p.hashing(v.r.Context(), func() error { return p.accounts.SetPassword(v.account.Name, text) })
}

func twice(r *http.Request) (string, error) {
	text := r.PostFormValue("new")
	if text != r.PostFormValue("again") {
		return "", errTwo
	}
	return text, nil
}

// hashing makes a hash in its turn.
func (p *Page) hashing(ctx context.Context, f func() error) error {
	ctx, cancel := context.WithTimeout(ctx, hashPatience)
	defer cancel()
	select {
	case p.door.hashing <- struct{}{}:
		defer func() { <-p.door.hashing }()
		return f()
	case <-ctx.Done():
		return errBusy
	}
}

func (p *Page) showAccounts(v *visit) { p.listAccounts(v, http.StatusOK, "") }

func (p *Page) listAccounts(v *visit, status int, problem string) {
	list, err := p.accounts.List()
	if err != nil {
		v.oops(err)
		return
	}
	v.show(status, "accounts", screen{Title: "accounts", Problem: problem, Accounts: list})
}

// changeAccounts does one thing with one account.
func (p *Page) changeAccounts(v *visit) {
	what, name := v.r.PostFormValue("do"), v.r.PostFormValue("name")
	if err := p.changeAccount(v, what, name); err != nil {
		v.answer(err, func(problem string) { p.listAccounts(v, http.StatusUnprocessableEntity, problem) })
		return
	}
	p.cfg.Logger.Info("page: an account was changed", "what", what, "account", name, "by", v.account.Name)
	v.redirect("/accounts")
}

func (p *Page) changeAccount(v *visit, what, name string) error {
	switch what {
	case "add", "passwd":
		text, err := twice(v.r)
		if err != nil {
			return err
		}
		return p.hashing(v.r.Context(), func() error {
			if what == "add" {
				return p.accounts.Add(name, v.r.PostFormValue("role"), text, p.cfg.Now())
			}
			return p.accounts.SetPassword(name, text)
		})
	case "lock", "remove":
		if keep, err := p.accounts.othersKeep(name); err != nil {
			return err
		} else if !keep {
			return ErrLastAdmin
		}
		if what == "remove" {
			return p.accounts.Remove(name)
		}
		return p.accounts.Lock(name, true)
	case "unlock":
		return p.accounts.Lock(name, false)
	}
	return errNow
}
