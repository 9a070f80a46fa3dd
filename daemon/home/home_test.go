package home

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/raresync/raresync/crypto/keyfile"
	"github.com/raresync/raresync/daemon/config"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/founding/foundingtest"
)

func options(dir string) InitOptions {
	return InitOptions{
		Dir: dir, NodeID: "h1", Kind: act.Voter, Listen: "0.0.0.0:8470", Addresses: []string{"h1.example:8470"},
		Institution: act.Institution{Role: act.RoleHospital, Entity: "entity-1", NameEN: "Hospital 1", Province: "11", Lead: true},
	}
}

// newHome returns the configuration of a fresh data directory.
func newHome(t *testing.T) config.Config {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "h1")
	if err := Init(options(dir)); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(filepath.Join(dir, configName))
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestInit(t *testing.T) {
	cfg := newHome(t)
	if cfg.Node.ID != "h1" || cfg.Listen.Node != "0.0.0.0:8470" {
		t.Errorf("configuration: node %q at %q", cfg.Node.ID, cfg.Listen.Node)
	}
	keys, warnings, err := LoadKeys(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0], "file.key lies beside") {
		t.Errorf("warnings %q, want one of the file key beside the key file", warnings)
	}
	card, err := Card(cfg.Node.DataDir)
	if err != nil {
		t.Fatal(err)
	}
	i, n := &card.Institution, card.Nodes[0]
	if n.ID != "h1" || n.Kind != act.Voter || !reflect.DeepEqual(n.Addresses, []string{"h1.example:8470"}) || i.NameEN != "Hospital 1" || !i.Lead {
		t.Errorf("card: %+v %+v", i, n)
	}
	if i.Envelope.ID() != keys.Envelope.Public().ID() || i.Request.ID() != keys.Request.Public().ID() ||
		i.Response.ID() != keys.Response.Public().ID() || i.Sealing.ID() != keys.Sealing.Public().ID() ||
		n.TLS.ID() != keys.TLS.Public().ID() || n.Log.ID() != keys.Log.Public().ID() || n.Cosign.ID() != keys.Cosign.Public().ID() {
		t.Error("the card's keys are not those of the key file")
	}
	if keys.EntryID == keys.Local || keys.Local == keys.Handle || keys.Handle == [32]byte{} {
		t.Error("the symmetric keys are not three different keys")
	}
	if keys.Shares.Current != nil {
		t.Error("a fresh node holds a share")
	}
	for name, want := range map[string]os.FileMode{".": os.ModeDir | 0o700, keysName: 0o600, fileKeyName: 0o600, cardName: 0o600, configName: 0o600} {
		if info, err := os.Stat(filepath.Join(cfg.Node.DataDir, name)); err != nil || info.Mode() != want {
			t.Errorf("%s: mode %v (%v), want %v", name, info.Mode(), err, want)
		}
	}
}

func TestDefaultNamesAreTheConfigurations(t *testing.T) {
	c := config.Default()
	if err := c.Resolve("/home"); err != nil {
		t.Fatal(err)
	}
	if c.Keys.File != "/home/"+keysName || c.Keys.Key != "/home/"+fileKeyName {
		t.Errorf("the configuration says %s and %s", c.Keys.File, c.Keys.Key)
	}
}

func TestInitOverwritesNothing(t *testing.T) {
	for name, file := range map[string]string{
		"a finished node":       configName,
		"somebody else's files": "letter.txt",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, file)
			if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := Init(options(dir)); !errors.Is(err, ErrOccupied) {
				t.Errorf("Init: %v, want %v", err, ErrOccupied)
			}
			if got, _ := os.ReadFile(path); string(got) != "mine" {
				t.Errorf("%s now holds %q", file, got)
			}
			if list, _ := os.ReadDir(dir); len(list) != 1 {
				t.Errorf("Init left %v", list)
			}
		})
	}
}

func TestInitEndsWhatWasCutShort(t *testing.T) {
	for _, last := range []string{fileKeyName, keysName, cardName} {
		t.Run("after "+last, func(t *testing.T) {
			cfg := newHome(t)
			path := func(name string) string { return filepath.Join(cfg.Node.DataDir, name) }
			before := map[string][]byte{}
			kept := true
			for _, name := range []string{fileKeyName, keysName, cardName, configName} {
				if kept {
					before[name], _ = os.ReadFile(path(name))
				} else if err := os.Remove(path(name)); err != nil {
					t.Fatal(err)
				}
				kept = kept && name != last
			}
			if err := os.WriteFile(path(keysName)+".tmp", []byte("half a key fi"), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := Init(options(cfg.Node.DataDir)); err != nil {
				t.Fatal(err)
			}
			for name, want := range before {
				if got, err := os.ReadFile(path(name)); err != nil || !bytes.Equal(got, want) {
					t.Errorf("%s changed (%v)", name, err)
				}
			}
			keys, _, err := LoadKeys(cfg)
			if err != nil {
				t.Fatal(err)
			}
			if card, err := Card(cfg.Node.DataDir); err != nil || card.Institution.Envelope.ID() != keys.Envelope.Public().ID() {
				t.Errorf("card and keys do not fit (%v)", err)
			}
		})
	}
}

func TestInitOptionsAreChecked(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*InitOptions)
		want   string
	}{
		"a node id with capitals":    {func(o *InitOptions) { o.NodeID = "H1" }, "node.id"},
		"a voter without an address": {func(o *InitOptions) { o.Addresses = nil }, "a voter needs an address"},
		"an address without a port":  {func(o *InitOptions) { o.Addresses = []string{"h1"} }, "want host:port"},
		"no kind":                    {func(o *InitOptions) { o.Kind = 0 }, "a voter or a mirror"},
		"no role":                    {func(o *InitOptions) { o.Institution.Role = 0 }, "a hospital or a reader"},
		"no entity":                  {func(o *InitOptions) { o.Institution.Entity = "" }, "entity and a name"},
		"a hospital in no province":  {func(o *InitOptions) { o.Institution.Province = "" }, "GB/T 2260"},
		"a hospital that reads all":  {func(o *InitOptions) { o.Institution.Rights = act.RightNational }, "a hospital has no reader rights"},
		"a leading reader":           {func(o *InitOptions) { o.Institution.Role = act.RoleReader }, "only a hospital can be a lead"},
		"a province reader of nowhere": {func(o *InitOptions) {
			o.Institution = act.Institution{Role: act.RoleReader, Entity: "e", NameZH: "读", Rights: act.RightProvince}
		}, "a province reader has a province"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "h1")
			o := options(dir)
			tc.change(&o)
			if err := Init(o); !errors.Is(err, ErrOptions) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("Init: %v, want one that says %q", err, tc.want)
			}
			if !isAbsent(dir) {
				t.Error("the directory was made all the same")
			}
		})
	}
}

func TestKeysThatAreRefused(t *testing.T) {
	other, err := keyfile.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		spoil func(c *config.Config) error
		want  string
	}{
		"a key file that its group may read":   {func(c *config.Config) error { return os.Chmod(c.Keys.File, 0o640) }, "set it to 0600"},
		"a file key that everybody may read":   {func(c *config.Config) error { return os.Chmod(c.Keys.Key, 0o604) }, "set it to 0600"},
		"a missing file key":                   {func(c *config.Config) error { return os.Remove(c.Keys.Key) }, "no such file"},
		"a missing key file":                   {func(c *config.Config) error { return os.Remove(c.Keys.File) }, "is not there"},
		"another file key":                     {func(c *config.Config) error { return os.WriteFile(c.Keys.Key, []byte(other.Text()), 0o600) }, keyfile.ErrWrongKey.Error()},
		"a file key that is none":              {func(c *config.Config) error { return os.WriteFile(c.Keys.Key, []byte("secret"), 0o600) }, keyfile.ErrKey.Error()},
		"a key file that was shortened":        {func(c *config.Config) error { return os.Truncate(c.Keys.File, 5000) }, keyfile.ErrDamaged.Error()},
		"a folder in place of the key file":    {func(c *config.Config) error { c.Keys.File = c.Node.DataDir; return nil }, "is no regular file"},
		"a file key of a gigabyte of nothing":  {func(c *config.Config) error { return os.Truncate(c.Keys.Key, 1<<30) }, "larger than 4096 bytes"},
		"a credential without service manager": {func(c *config.Config) error { c.Keys.Key = "credential:k"; return nil }, "$CREDENTIALS_DIRECTORY is not set"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(credentialsEnv, "")
			cfg := newHome(t)
			if err := tc.spoil(&cfg); err != nil {
				t.Fatal(err)
			}
			if _, _, err := LoadKeys(cfg); !errors.Is(err, ErrKeys) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("LoadKeys: %v, want one that says %q", err, tc.want)
			} else if strings.Contains(err.Error(), "SECRET") || strings.Contains(err.Error(), "secret\"") {
				t.Errorf("the error gives the key away: %v", err)
			}
		})
	}
}

func TestACredentialOpensTheKeyFile(t *testing.T) {
	cfg := newHome(t)
	credentials := t.TempDir()
	if err := os.Rename(cfg.Keys.Key, filepath.Join(credentials, "raresync.key")); err != nil {
		t.Fatal(err)
	}
	// As the service manager's access lists show.
	if err := os.Chmod(filepath.Join(credentials, "raresync.key"), 0o440); err != nil {
		t.Fatal(err)
	}
	t.Setenv(credentialsEnv, credentials)
	cfg.Keys.Key = "credential:raresync.key"
	if _, warnings, err := LoadKeys(cfg); err != nil || len(warnings) != 0 {
		t.Errorf("LoadKeys: %v, warnings %q; want neither", err, warnings)
	}
}

func TestSaveShare(t *testing.T) {
	cfg := newHome(t)
	before, _, err := LoadKeys(cfg)
	if err != nil {
		t.Fatal(err)
	}
	share := foundingtest.New(t, 3).Hospitals[1].Share
	for range 2 { // the second is in place of the first
		if err := SaveShare(cfg, share); err != nil {
			t.Fatal(err)
		}
	}
	after, _, err := LoadKeys(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if after.Shares.Current == nil || after.Shares.Current.Holder != share.Holder || after.Shares.Current.Scalar.Reveal() != share.Scalar.Reveal() {
		t.Error("the share is not the one saved")
	}
	if after.Envelope.Public().ID() != before.Envelope.Public().ID() || after.EntryID != before.EntryID {
		t.Error("saving a share changed other keys")
	}
	if info, err := os.Stat(cfg.Keys.File); err != nil || info.Mode() != 0o600 {
		t.Errorf("key file: %v (%v), want mode 0600", info.Mode(), err)
	}
	if !isAbsent(cfg.Keys.File + ".tmp") {
		t.Error("a file was left beside the key file")
	}
}

func TestLock(t *testing.T) {
	dir := t.TempDir()
	release, err := Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Lock(dir); !errors.Is(err, ErrInUse) {
		t.Errorf("a second Lock: %v, want %v", err, ErrInUse)
	}
	if err := Init(options(dir)); !errors.Is(err, ErrInUse) {
		t.Errorf("Init in a locked directory: %v, want %v", err, ErrInUse)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	again, err := Lock(dir)
	if err != nil {
		t.Fatalf("Lock after release: %v", err)
	}
	if err := again(); err != nil {
		t.Error(err)
	}
}

func TestGenesis(t *testing.T) {
	cfg := newHome(t)
	if _, err := ReadGenesis(cfg); !errors.Is(err, ErrNoGenesis) {
		t.Errorf("before founding: %v, want %v", err, ErrNoGenesis)
	}
	network := foundingtest.New(t, 1)
	for range 2 { // the same once more is a success
		if err := WriteGenesis(cfg, network.Genesis); err != nil {
			t.Fatal(err)
		}
	}
	if e, err := ReadGenesis(cfg); err != nil || !bytes.Equal(e.Marshal(), network.Genesis.Marshal()) {
		t.Errorf("the genesis read is not the one written (%v)", err)
	}
	if err := WriteGenesis(cfg, foundingtest.New(t, 1).Genesis); !errors.Is(err, ErrOtherGenesis) {
		t.Errorf("another genesis: %v, want %v", err, ErrOtherGenesis)
	}
	if err := os.WriteFile(cfg.Network.Genesis, []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := WriteGenesis(cfg, network.Genesis); err == nil {
		t.Error("a damaged genesis was overwritten")
	}
}

func TestKeysPrintAsAPlaceholder(t *testing.T) {
	keys, err := newKeys()
	if err != nil {
		t.Fatal(err)
	}
	keys.Shares.Current = &foundingtest.New(t, 1).Hospitals[0].Share
	holder := struct{ Keys *Keys }{keys}
	var b bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&b, verb+"\n", keys)
		fmt.Fprintf(&b, verb+"\n", *keys)
		fmt.Fprintf(&b, verb+"\n", holder)
	}
	if err := json.NewEncoder(&b).Encode(holder); err != nil {
		t.Fatal(err)
	}
	slog.New(slog.NewTextHandler(&b, nil)).Info("keys", "keys", keys, "in", holder)
	if n := strings.Count(b.String(), redacted); n < 21 {
		t.Errorf("%d placeholders in 21 and more printings:\n%s", n, b.String())
	}
	for _, secret := range [][32]byte{keys.EntryID, keys.Local, keys.Handle, keys.Shares.Current.Scalar.Reveal()} {
		for _, form := range []string{fmt.Sprintf("%x", secret), fmt.Sprint(secret[:3]), string(secret[:])} {
			if strings.Contains(b.String(), strings.Trim(form, "[]")) {
				t.Error("a secret was printed")
			}
		}
	}
}
