package doctor

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/raresync/raresync/crypto/password"
	"github.com/raresync/raresync/daemon/config"
	"github.com/raresync/raresync/daemon/console"
	"github.com/raresync/raresync/daemon/home"
	"github.com/raresync/raresync/daemon/mesh"
	"github.com/raresync/raresync/daemon/page"
	"github.com/raresync/raresync/daemon/site"
	"github.com/raresync/raresync/registry/act"
)

// patient is a node that was just made, and belongs to no network.
func patient(t *testing.T) Patient {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "h1")
	o := home.InitOptions{Dir: dir, NodeID: "h1", Kind: act.Mirror, Institution: act.Institution{
		Role: act.RoleHospital, Entity: "e1", NameEN: "Hospital 1", Province: "11",
	}}
	if err := home.Init(o); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(filepath.Join(dir, "raresync.toml"))
	if err != nil {
		t.Fatal(err)
	}
	return Patient{Config: cfg, Answer: errors.New("no daemon")}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// closed is an address where nobody listens.
func closed(t *testing.T) string {
	t.Helper()
	l := listen(t)
	l.Close()
	return l.Addr().String()
}

func TestEachIllnessIsFoundWithItsFix(t *testing.T) {
	for name, tc := range map[string]struct {
		spoil func(t *testing.T, p *Patient)
		check string
		level Level
		says  string
		fix   string
	}{
		"no data directory": {func(_ *testing.T, p *Patient) { p.Config.Node.DataDir += "-gone" }, "directory", Failure, "there is no data directory", "data_dir"},
		"a directory that others read": {func(t *testing.T, p *Patient) { chmod(t, p.Config.Node.DataDir, 0o755) },
			"directory", Warning, "has mode 0755", "chmod 0700"},
		"a node in quarantine": {func(t *testing.T, p *Patient) {
			write(t, filepath.Join(home.LogDir(p.Config), "QUARANTINE"), "roots differ\n")
		},
			"directory", Failure, "quarantined: roots differ", "do not start it again"},
		"a key file that others read": {func(t *testing.T, p *Patient) { chmod(t, p.Config.Keys.File, 0o644) }, "keys", Failure, "others on this machine", "mode 0600"},
		"no keys":                     {func(t *testing.T, p *Patient) { remove(t, p.Config.Keys.File) }, "keys", Failure, "is not there", "[keys]"},
		"a credential": {func(_ *testing.T, p *Patient) { p.Config.Keys.Key = "credential:file.key" },
			"keys", Unknown, "only the service manager", "journal"},
		"a proxy's password that others read": {func(t *testing.T, p *Patient) {
			p.Config.Network.Proxy, p.Config.Network.ProxyLogin = "http://127.0.0.1:1", filepath.Join(p.Config.Node.DataDir, "login")
			write(t, p.Config.Network.ProxyLogin, "h1:x")
			chmod(t, p.Config.Network.ProxyLogin, 0o644)
		}, "proxy", Failure, "mode 0644", "name:password"},
		"no genesis": {func(*testing.T, *Patient) {}, "network", Failure, "belongs to no network yet", "found adopt"},
		"an inbox that is not there": {func(_ *testing.T, p *Patient) { p.Config.Inbox.Dir = p.Config.Node.DataDir + "-inbox" },
			"inbox", Failure, "or there is none", "mount the share"},
		"an inbox that is a file": {func(t *testing.T, p *Patient) {
			p.Config.Inbox.Dir = p.Config.Node.DataDir + "-inbox"
			write(t, p.Config.Inbox.Dir, "")
		}, "inbox", Failure, "may not read and write", "chown"},
		"an inbox for everybody": {func(t *testing.T, p *Patient) {
			p.Config.Inbox.Dir = t.TempDir()
			write(t, filepath.Join(p.Config.Inbox.Dir, "new", "x"), "")
			chmod(t, filepath.Join(p.Config.Inbox.Dir, "new"), 0o777)
		}, "inbox", Warning, "everybody on this machine", "chmod o-rwx"},
		"a sound inbox":        {func(t *testing.T, p *Patient) { p.Config.Inbox.Dir = t.TempDir() }, "inbox", Good, "are taken", ""},
		"a page for everybody": {func(_ *testing.T, p *Patient) { p.Config.Page.Listen = ":8443" }, "page", Warning, "every address", "listen under [page]"},
		"a page for the world": {func(_ *testing.T, p *Patient) { p.Config.Page.Listen = "8.8.8.8:8443" }, "page", Warning, "a public address", "listen under [page]"},
		"a page without accounts": {func(_ *testing.T, p *Patient) { p.Config.Page.Listen = "10.1.2.3:8443" },
			"page", Warning, "has no account", "--role admin"},
		"a page without its certificate": {func(_ *testing.T, p *Patient) {
			p.Config.Page.Listen, p.Config.Page.Cert, p.Config.Page.Key = "10.1.2.3:8443", "/nowhere/page.crt", "/nowhere/page.key"
		}, "page", Failure, "cannot be used", "cert and key"},
		"accounts that others read": {func(t *testing.T, p *Patient) {
			p.Config.Page.Listen = "10.1.2.3:8443"
			write(t, filepath.Join(p.Config.Node.DataDir, "page", "accounts"), "{}")
			chmod(t, filepath.Join(p.Config.Node.DataDir, "page", "accounts"), 0o644)
		}, "page", Failure, "nobody can sign in", "mode 0600"},
		"a page with a clerk alone": {func(t *testing.T, p *Patient) { account(t, p, page.Kind(), page.Clerk) }, "page", Warning, "no administrator", "unlock"},
		"a sound page":              {func(t *testing.T, p *Patient) { account(t, p, page.Kind(), site.Admin) }, "page", Good, "can sign in", ""},
		"a console for the world":   {func(_ *testing.T, p *Patient) { p.Config.Console.Listen = "8.8.8.8:8443" }, "console", Warning, "a public address", "listen under [console]"},
		"a console without accounts": {func(_ *testing.T, p *Patient) { p.Config.Console.Listen = "10.1.2.3:8443" },
			"console", Warning, "the console has no account", "raresync console user add"},
		"a console without its certificate": {func(_ *testing.T, p *Patient) {
			p.Config.Console.Listen, p.Config.Console.Cert, p.Config.Console.Key = "10.1.2.3:8443", "/nowhere/console.crt", "/nowhere/console.key"
		}, "console", Failure, "the console's certificate cannot be used", "under [console]"},
		"a console's accounts that others read": {func(t *testing.T, p *Patient) {
			account(t, p, console.Kind(), site.Admin)
			chmod(t, filepath.Join(p.Config.Node.DataDir, "console", "accounts"), 0o644)
		}, "console", Failure, "nobody can sign in", "console/accounts"},
		"a console with a coordinator alone": {func(t *testing.T, p *Patient) { account(t, p, console.Kind(), console.Coordinator) }, "console", Warning, "no administrator", "raresync console user"},
		"a sound console":                    {func(t *testing.T, p *Patient) { account(t, p, console.Kind(), site.Admin) }, "console", Good, "coordinators can sign in", ""},
		"no daemon":                          {func(*testing.T, *Patient) {}, "daemon", Failure, "does not run", "systemctl start"},
		"a daemon that is deaf": {func(t *testing.T, p *Patient) {
			release, err := home.Lock(p.Config.Node.DataDir)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { release() })
		}, "daemon", Failure, "does not answer", "admin_socket"},
		"a clock from before": {func(_ *testing.T, p *Patient) { p.Now = func() time.Time { return time.Unix(0, 0) } },
			"clock", Failure, "1970-01-01", "NTP"},
		"a port that is taken": {func(t *testing.T, p *Patient) { p.Config.Listen.Node = listen(t).Addr().String() },
			"port", Failure, "another process listens", "ss -ltnp"},
		"a full disk": {func(_ *testing.T, p *Patient) { p.Config.Disk.WarnMiB = 1 << 40 }, "disk", Warning, "too little", "make room"},
		"a peer that does not run": {func(t *testing.T, p *Patient) { p.Config.Peers = map[string][]string{"h2": {closed(t)}} },
			"peer h2", Failure, "is not reached", "whether node h2 runs"},
		"a name that is not found": {func(_ *testing.T, p *Patient) { p.Config.Peers = map[string][]string{"h2": {"h2.invalid:8470"}} },
			"dns", Failure, "name of node h2 is not found", "/etc/resolv.conf"},
		"a proxy that is not there": {func(t *testing.T, p *Patient) {
			p.Proxy = &mesh.Proxy{Address: closed(t)}
			p.Config.Peers = map[string][]string{"h2": {"h2.invalid:8470"}}
		}, "proxy", Failure, "cannot be reached", "[network]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := patient(t)
			tc.spoil(t, &p)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			var said []string
			hit := false
			for _, f := range Examine(ctx, p) {
				said = append(said, f.Check+" "+f.Level.String()+": "+f.Says.EN+" / "+f.Fix.EN)
				hit = hit || f.Check == tc.check && f.Level == tc.level && strings.Contains(f.Says.EN, tc.says) && strings.Contains(f.Fix.EN, tc.fix)
				checkWords(t, f)
			}
			if !hit {
				t.Errorf("no %s of %s that says %q and %q in\n%s", tc.level, tc.check, tc.says, tc.fix, strings.Join(said, "\n"))
			}
		})
	}
}

// checkWords wants every finding in both languages, with a fix unless all is well.
func checkWords(t *testing.T, f Finding) {
	t.Helper()
	texts := []Text{f.Says}
	if f.Level != Good {
		texts = append(texts, f.Fix)
	}
	for _, text := range texts {
		if text.EN == "" || !strings.ContainsFunc(text.ZH, func(r rune) bool { return unicode.Is(unicode.Han, r) }) || strings.Contains(text.EN+text.ZH, "%!") {
			t.Errorf("%s %s: a text is missing or broken: %+v", f.Check, f.Level, text)
		}
	}
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

// account gives a site an account.
func account(t *testing.T, p *Patient, kind site.Kind, role string) {
	t.Helper()
	*map[string]*string{"page": &p.Config.Page.Listen, "console": &p.Config.Console.Listen}[kind.Name] = "10.1.2.3:8443"
	accounts := site.AccountsIn(p.Config.Node.DataDir, kind, password.Params{Time: 1, MemoryKiB: 64, Threads: 1})
	if err := accounts.Add("anna", role, "", "correct horse battery", time.Now()); err != nil {
		t.Fatal(err)
	}
}
