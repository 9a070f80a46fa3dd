package bundle

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/raresync/raresync/daemon/config"
)

// TestEverySettingIsDecidedOn fails for a setting that is new: whether it may be
// shown has to be thought about.
func TestEverySettingIsDecidedOn(t *testing.T) {
	left := map[string]bool{"node.data_dir": true, "network.genesis": true} // paths that say nothing
	shown := map[string]bool{}
	for _, s := range Settings(config.Default()) {
		shown[s.Key] = true
	}
	sections := reflect.TypeFor[config.Config]()
	for f := range sections.Fields() {
		name := f.Tag.Get("toml")
		if f.Type.Kind() != reflect.Struct {
			if !shown[name] {
				t.Errorf("%s is not decided on", name)
			}
			continue
		}
		for field := range f.Type.Fields() {
			if key := name + "." + field.Tag.Get("toml"); shown[key] == left[key] {
				t.Errorf("%s is not decided on", key)
			}
		}
	}
}

func TestSecretsAndChosenNamesAreNotShown(t *testing.T) {
	dir := t.TempDir()
	c := config.Default()
	c.Node.DataDir = dir
	c.Network.Proxy, c.Network.ProxyLogin = "http://zhang:pass@proxy.example", filepath.Join(dir, "login-zhang")
	c.Keys.Key, c.Keys.File, c.Listen.AdminSocket = "credential:zhang", filepath.Join(dir, "zhang.age"), "/run/zhang.sock"
	c.Network.Copies = []string{"https://zhang.example/log"}
	for _, name := range []string{"zhang.json", "node/ledger/leaves", "node/raft/snapshots/1-2-3/state.bin", "spool/1", "exports/zhang.csv"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte("zhang"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := json.Marshal([]any{Settings(c), Files(dir)})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"network.proxy","value":"set"`, `"network.proxy_login","value":"file"`, `"keys.key","value":"credential"`, `"keys.file","value":"in the data directory"`,
		`"listen.admin_socket","value":"elsewhere"`, `"network.copies","value":1`,
		`{"pattern":"(others)","count":2,"bytes":10,`, `{"pattern":"node/ledger/leaves","count":1,"bytes":5,`, `{"pattern":"node/raft/snapshots/*/*"`, `{"pattern":"spool/*"`,
	} {
		if !strings.Contains(string(raw), want) {
			t.Errorf("no %s in %s", want, raw)
		}
	}
	if strings.Contains(string(raw), "zhang") || strings.Contains(string(raw), "pass") {
		t.Errorf("a name or a secret is in %s", raw)
	}
}
