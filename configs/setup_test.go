package configs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/raresync/raresync/daemon/config"
)

// TestSetupNamesTheCredentialInTheConfigurationThatInitWrites runs what the packages'
// setup does to a configuration: one line becomes another, in the section [keys].
func TestSetupNamesTheCredentialInTheConfigurationThatInitWrites(t *testing.T) {
	script, err := os.ReadFile("package/raresync-setup")
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`sed -i '([^']+)' "\$home/raresync.toml"`).FindSubmatch(script)
	if line == nil {
		t.Fatal("the script changes no configuration")
	}
	before := config.DefaultsTOML()
	path := filepath.Join(t.TempDir(), "raresync.toml")
	if err := os.WriteFile(path, before, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("sed", "-i", string(line[1]), path).CombinedOutput(); err != nil {
		t.Fatalf("sed: %v %s", err, out)
	}
	after, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	was, is := strings.Split(string(before), "\n"), strings.Split(string(after), "\n")
	section, changed := "", 0
	for i := range is {
		if strings.HasPrefix(is[i], "[") {
			section = is[i]
		}
		if is[i] != was[i] {
			changed++
			if section != "[keys]" || is[i] != `key = "credential:file.key"` {
				t.Errorf("in %s, %q became %q", section, was[i], is[i])
			}
		}
	}
	if changed != 1 || len(was) != len(is) {
		t.Errorf("%d lines changed", changed)
	}
}
