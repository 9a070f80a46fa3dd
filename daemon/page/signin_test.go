package page

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/raresync/raresync/daemon/site"
)

func TestASessionEndsWhenItIdlesWithTheDayAndWithItsAccount(t *testing.T) {
	w := newWorld(t)
	in := func(b *browser) bool { return b.get("/password").status == http.StatusOK }
	for name, tc := range map[string]struct {
		account string
		end     func(b *browser)
	}{
		"it idles":                 {"bo", func(*browser) { w.later(site.IdleTime + time.Second) }},
		"its day is over":          {"bo", func(b *browser) { w.workOn(b) }},
		"signed out":               {"bo", func(b *browser) { b.post("/sign-out") }},
		"the account is locked":    {"bo", func(*browser) { must(t, w.site.Accounts.Lock("bo", true)) }},
		"its password was changed": {"cy", func(*browser) { must(t, w.site.Accounts.SetPassword("cy", "another long password")) }},
		"the account is removed":   {"bo", func(*browser) { must(t, w.site.Accounts.Remove("bo")) }},
	} {
		if _, err := w.site.Accounts.Get(tc.account); err == nil {
			must(t, w.site.Accounts.Remove(tc.account))
		}
		must(t, w.site.Accounts.Add(tc.account, Clerk, "", rightPassword, w.clock()))
		b := w.signsIn(tc.account)
		if !in(b) {
			t.Errorf("%s: the session never began", name)
		}
		tc.end(b)
		if in(b) {
			t.Errorf("%s, and the session goes on", name)
		}
	}
}

// workOn looks at the page again and again for a whole day.
func (w *world) workOn(b *browser) {
	for range int(site.WorkingDay/site.IdleTime) + 1 {
		w.later(site.IdleTime - time.Second)
		b.get("/password")
	}
	w.later(site.IdleTime)
}

func TestCookiesAreNoScriptsAndNoOtherSites(t *testing.T) {
	w := newWorld(t)
	p := w.browser().post("/sign-in", "name", " Bo ", "password", rightPassword)
	plain := p.header.Get("Set-Cookie")
	cfg := w.cfg
	cfg.Plain = false
	over, err := Open(cfg)
	must(t, err)
	plainly := w.server
	w.server = httptest.NewServer(over)
	defer func() { w.server.Close(); w.server = plainly }()
	secure := w.browser().post("/sign-in", "name", "bo", "password", rightPassword).header.Get("Set-Cookie")
	for _, want := range []string{"HttpOnly", "SameSite=Strict", "Path=/"} {
		if !strings.Contains(plain, want) || !strings.Contains(secure, want) {
			t.Errorf("cookies lack %s: %s; %s", want, plain, secure)
		}
	}
	if strings.Contains(plain, "Secure") || !strings.Contains(secure, "Secure") || !strings.HasPrefix(secure, "__Host-") {
		t.Errorf("cookies are %s and, over TLS, %s", plain, secure)
	}
}

func TestAFailedSignInLogsNothingThatWasTypedButAnAccount(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	for _, name := range []string{"110105194912310021", "mypassword", "bo"} {
		p := b.post("/sign-in", "name", name, "password", secret)
		if p.status != http.StatusUnauthorized || strings.Contains(p.body, secret) || name != "bo" && strings.Contains(p.body, name) {
			t.Errorf("%s: %d %s", name, p.status, p.body)
		}
	}
	if log := w.log.String(); strings.Contains(log, "110105") || strings.Contains(log, "mypassword") || strings.Contains(log, secret) || !strings.Contains(log, "account=bo") {
		t.Errorf("the log says %s", log)
	}
}

func TestAnAdministratorKeepsTheAccounts(t *testing.T) {
	w := newWorld(t)
	anna := w.signsIn("anna")
	anna.get("/accounts").has(t, "anna", "bo", "管理员")
	add := func(name, role, text, again string) page {
		return anna.post("/accounts", "do", "add", "name", name, "role", role, "new", text, "again", again)
	}
	add("di", Clerk, rightPassword, "something else").has(t, "两次输入的密码不一致")
	add("di", Clerk, "short", "short").has(t, "12 至 128")
	add("Di!", Clerk, rightPassword, rightPassword).has(t, "账号须为")
	add("di", "root", rightPassword, rightPassword).has(t, "请选择角色")
	add("bo", Clerk, rightPassword, rightPassword).has(t, "已有同名账号")
	if p := add("di", Clerk, rightPassword, rightPassword); p.status != http.StatusSeeOther {
		t.Errorf("added: %d %s", p.status, p.body)
	}
	di := w.signsIn("di")
	for _, what := range []string{"lock", "remove"} {
		anna.post("/accounts", "do", what, "name", "anna").has(t, "最后一个可登录的管理员")
	}
	for _, do := range []string{"lock", "unlock"} {
		anna.post("/accounts", "do", do, "name", "bo")
		if one, err := w.site.Accounts.Get("bo"); err != nil || one.Locked != (do == "lock") {
			t.Errorf("%s: %+v, %v", do, one, err)
		}
	}
	if p := anna.post("/accounts", "do", "nothing", "name", "bo"); p.status != http.StatusUnprocessableEntity {
		t.Errorf("nothing is done with a %d", p.status)
	}
	anna.post("/accounts", "do", "remove", "name", "bo")
	if _, err := w.site.Accounts.Get("bo"); err == nil {
		t.Error("bo is there")
	}
	if p := di.post("/accounts", "do", "remove", "name", "cy"); p.status != http.StatusForbidden {
		t.Errorf("a clerk removes an account: %d", p.status)
	}
	di.post("/password", "old", "wrong password", "new", "another long password", "again", "another long password").has(t, "当前密码错误")
	if p := di.post("/password", "old", rightPassword, "new", "another long password", "again", "another long password"); p.header.Get("Location") != "/sign-in" {
		t.Errorf("a password of one's own: %d %s", p.status, p.body)
	}
	if p := w.browser().post("/sign-in", "name", "di", "password", "another long password"); p.status != http.StatusSeeOther {
		t.Errorf("the new password: %d", p.status)
	}
}

func TestTheAccountsFileIsItsOwnersAndReadAgainWhenItChanges(t *testing.T) {
	w := newWorld(t)
	command := site.AccountsIn(w.dir, Kind(), w.cfg.Hash) // as another process has it
	must(t, command.Add("ed", Clerk, "", rightPassword, w.clock()))
	w.signsIn("ed")
	must(t, command.Remove("ed"))
	if p := w.browser().post("/sign-in", "name", "ed", "password", rightPassword); p.status != http.StatusUnauthorized {
		t.Errorf("a removed account signs in: %d", p.status)
	}
	w.nothingInClear(rightPassword)
}
