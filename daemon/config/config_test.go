package config

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "raresync.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoad(t *testing.T) {
	path := write(t, `
language = "zh"
[node]
id = "h1"
data_dir = "data"
[network]
genesis = "/srv/genesis.pem"
proxy = "http://proxy.example:3128/"
proxy_login = "proxy.login"
[keys]
key = "credential:raresync.key"
[peers]
h2 = ["10.9.0.2:8470", "[2001:db8::2]:8470"]
[submit]
production = false
`)
	got, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(filepath.Dir(path), "data")
	want := Default()
	want.Language = "zh"
	want.Node = Node{ID: "h1", DataDir: data}
	want.Network = Network{
		Genesis: "/srv/genesis.pem", Proxy: "http://proxy.example:3128/",
		ProxyLogin: filepath.Join(filepath.Dir(path), "proxy.login"),
	}
	if got.Network.ProxyAddress() != "proxy.example:3128" {
		t.Errorf("address of the proxy: %q", got.Network.ProxyAddress())
	}
	want.Listen.AdminSocket = filepath.Join(data, "admin.sock")
	want.Keys = Keys{File: filepath.Join(data, "keys.age"), Key: "credential:raresync.key"}
	want.Peers = map[string][]string{"h2": {"10.9.0.2:8470", "[2001:db8::2]:8470"}}
	want.Submit.Production = false
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func TestProblems(t *testing.T) {
	long := "/" + strings.Repeat("s", 100)
	for name, tc := range map[string]struct {
		text string
		want []string
	}{
		"an empty file has no node id":        {"", []string{"node.id: is required: the node's name in the roster"}},
		"an unknown key near a known one":     {"[node]\nid='h1'\ndatadir='x'", []string{"node.datadir: is not known; did you mean node.data_dir?"}},
		"an unknown key near none":            {"[node]\nid='h1'\n[nothing]\nport=1", []string{"nothing: is not known"}},
		"a value of the wrong type":           {"[node]\nid=7", []string{"node.id: want a text in quotes", "node.id: is required: the node's name in the roster"}},
		"peers that are no lists of texts":    {"[node]\nid='h1'\n[peers]\nh2='host:1'\nh3=['h:1', 2]", []string{`peers.h2: want a list of texts, as ["host:8470"]`, `peers.h3: want a list of texts, as ["host:8470"]`}},
		"a value that is not true or false":   {"[node]\nid='h1'\n[submit]\nproduction='no'", []string{"submit.production: want true or false"}},
		"a rate that is no number":            {"[node]\nid='h1'\n[copy]\nfetch_kib_per_second='fast'", []string{"copy.fetch_kib_per_second: want a whole number"}},
		"a spread without a unit":             {"[node]\nid='h1'\n[withdraw]\nspread=72", []string{`withdraw.spread: want a time with its unit, as "72h"`}},
		"a spread beyond a month":             {"[node]\nid='h1'\n[withdraw]\nspread='721h'", []string{"withdraw.spread: 721h0m0s: want 0s, or 1m to 720h0m0s"}},
		"a rate below nothing":                {"[node]\nid='h1'\n[copy]\nscrub_kib_per_second=-1", []string{"copy.scrub_kib_per_second: -1: want 0 to 1048576 KiB a second"}},
		"a size that is no number":            {"[node]\nid='h1'\n[disk]\nwarn_mib='2 GiB'", []string{"disk.warn_mib: want a whole number"}},
		"a size below nothing":                {"[node]\nid='h1'\n[disk]\nreserve_mib=-1", []string{"disk.reserve_mib: -1: want 0 to 1048576 MiB"}},
		"a section that is a value":           {"log='info'\n[node]\nid='h1'", []string{"log: want a table, written [log]"}},
		"broken syntax is reported alone":     {"[node\nid='h1'", []string{"line 2: expected '.' or ']' to end table name, but got '\\n' instead"}},
		"a node id with capitals":             {"[node]\nid='H1'", []string{`node.id: "H1": use 1 to 32 of a-z 0-9 -`}},
		"a socket path too long":              {"[node]\nid='h1'\n[listen]\nadmin_socket='" + long + "'", []string{"listen.admin_socket: the path has 101 bytes, a unix socket's at most 100: choose a shorter one, as /run/raresync/admin.sock"}},
		"a credential that is a path":         {"[node]\nid='h1'\n[keys]\nkey='credential:../x'", []string{`keys.key: credential "../x": use the plain name given to LoadCredential`}},
		"a proxy with its password":           {"[node]\nid='h1'\n[network]\nproxy='http://h1:secret@proxy:3128'", []string{"network.proxy: name and password do not belong here: write them into a file of mode 0600, as name:password, and name it with network.proxy_login"}},
		"a proxy without a port":              {"[node]\nid='h1'\n[network]\nproxy='http://proxy'", []string{`network.proxy: "proxy": want host:port`}},
		"a proxy that is spoken to in TLS":    {"[node]\nid='h1'\n[network]\nproxy='https://proxy:443'", []string{`network.proxy: "https://proxy:443": want http://host:port; a proxy is spoken to in plain HTTP, and what goes through it is sealed`}},
		"credentials without a proxy":         {"[node]\nid='h1'\n[network]\nproxy_login='p'", []string{"network.proxy_login: is of no use without network.proxy"}},
		"a proxy's credential that is a path": {"[node]\nid='h1'\n[network]\nproxy='http://proxy:1'\nproxy_login='credential:a/b'", []string{`network.proxy_login: credential "a/b": use the plain name given to LoadCredential`}},
		"a peer without a port":               {"[node]\nid='h1'\n[peers]\nh2=['host']", []string{`peers.h2: "host": want host:port`}},
		"a peer at port 0":                    {"[node]\nid='h1'\n[peers]\nh2=['host:0']", []string{`peers.h2: "host:0": port "0" is not a number from 1 to 65535`}},
		"a peer without a host":               {"[node]\nid='h1'\n[peers]\nh2=[':1']", []string{`peers.h2: ":1": the host is missing`}},
		"a peer that is no node id":           {"[node]\nid='h1'\n[peers]\nH2=['h:1']", []string{"peers.H2: is no node id: use 1 to 32 of a-z 0-9 -"}},
		"metrics for everybody":               {"[node]\nid='h1'\n[listen]\nmetrics='0.0.0.0:8472'", []string{`listen.metrics: "0.0.0.0:8472": anybody who reaches it may ask, so it must be a loopback address, as 127.0.0.1:8472`}},
		"metrics without a port":              {"[node]\nid='h1'\n[listen]\nmetrics='127.0.0.1'", []string{`listen.metrics: "127.0.0.1": want host:port`}},
		"a listening address without a port":  {"[node]\nid='h1'\n[listen]\nnode='8470'", []string{`listen.node: "8470": want host:port`}},
		"all problems are reported together": {"language='fr'\n[node]\nid='-'\n[log]\nlevel='loud'\nformat='xml'\ncolour=1\n[submit]\nprofile='all'", []string{
			`language: "fr": want one of "zh", "en"`,
			"log.colour: is not known",
			`log.format: "xml": want one of "text", "json"`,
			`log.level: "loud": want one of "debug", "info", "warn", "error"`,
			`node.id: "-": use 1 to 32 of a-z 0-9 -`,
			`submit.profile: "all": want one of "", "report", "cohort", "published"`,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(write(t, tc.text))
			var p *Problems
			if !errors.As(err, &p) {
				t.Fatalf("Load: %v, want problems", err)
			}
			var got []string
			for _, one := range p.List {
				got = append(got, one.String())
			}
			if !reflect.DeepEqual(got, tc.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tc.want, "\n"))
			}
			for _, line := range got {
				if !strings.Contains(err.Error(), line) {
					t.Errorf("the error leaves out %q: %v", line, err)
				}
			}
		})
	}
}

func TestPathsBeginWhereALinkLeads(t *testing.T) {
	path := write(t, "[node]\nid = \"h1\"\n")
	link := filepath.Join(t.TempDir(), "raresync.toml")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	want, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Load(link); err != nil || got.Node.DataDir != want.Node.DataDir {
		t.Errorf("data in %s, %v, want %s", got.Node.DataDir, err, want.Node.DataDir)
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	if _, err := Load(filepath.Join(t.TempDir(), "absent.toml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an absent file: %v, want not exist", err)
	}
	if _, err := Load(write(t, strings.Repeat("#", maxFileBytes+1))); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("a file above the limit: %v", err)
	}
}

var commentedKey = regexp.MustCompile(`(?m)^#([a-z_]+ = )`)

func TestDefaultsTOMLShowsTheDefaults(t *testing.T) {
	path := write(t, commentedKey.ReplaceAllString(string(DefaultsTOML()), "$1"))
	shown, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Node.ID = "hospital-1"
	if err := want.Resolve(filepath.Dir(path)); err != nil {
		t.Fatal(err)
	}
	shown.Peers = nil // an empty table
	if !reflect.DeepEqual(shown, want) {
		t.Errorf("the file shows\n%+v, the defaults are\n%+v", shown, want)
	}
	for _, key := range keys() {
		name := key[strings.LastIndex(key, ".")+1:]
		if !regexp.MustCompile(`(?m)^(\[` + name + `\]$|#?` + name + ` = )`).Match(DefaultsTOML()) {
			t.Errorf("the file does not mention %s", key)
		}
	}
}

func TestInitialTOML(t *testing.T) {
	c, err := Load(write(t, string(InitialTOML(Initial{ID: "h7", Listen: "0.0.0.0:8470", Proxy: "http://p.example:3128", ProxyLogin: "/etc/登录", Copies: []string{"https://a/b", "file:///c"}}))))
	if err != nil {
		t.Fatal(err)
	}
	if c.Node.ID != "h7" || c.Listen.Node != "0.0.0.0:8470" {
		t.Errorf("node %q listens at %q", c.Node.ID, c.Listen.Node)
	}
	if n := c.Network; n.Proxy != "http://p.example:3128" || n.ProxyLogin != "/etc/登录" || !slices.Equal(n.Copies, []string{"https://a/b", "file:///c"}) {
		t.Errorf("the way out is %+v", n)
	}
	if c, err = Load(write(t, string(InitialTOML(Initial{ID: "h8"})))); err != nil || c.Listen.Node != "" {
		t.Errorf("a node that only dials listens at %q (%v)", c.Listen.Node, err)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(string(DefaultsTOML()))
	f.Add("[peers]\nh1=[]\n[node]\nid='h1'")
	f.Add("node=1\npeers=[1]\n[log]\nlevel={}")
	f.Fuzz(func(t *testing.T, text string) {
		p := &Problems{}
		c := decode(text, p)
		if len(p.List) > 0 {
			return
		}
		if err := c.Resolve("/"); err != nil {
			t.Fatal(err)
		}
		once := c
		if err := c.Resolve("/elsewhere"); err != nil || !reflect.DeepEqual(c, once) {
			t.Errorf("resolving twice changed %+v to %+v (%v)", once, c, err)
		}
	})
}
