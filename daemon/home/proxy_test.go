package home

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/raresync/raresync/daemon/config"
)

func TestProxyLogin(t *testing.T) {
	for name, tc := range map[string]struct {
		text           string
		mode           os.FileMode
		user, password string
		says           string // of the error
	}{
		"a line":                     {"h2:secret\n", 0o600, "h2", "secret", ""},
		"a password with colons":     {"h2:se:cr:et", 0o600, "h2", "se:cr:et", ""},
		"a domain's name":            {"HOSPITAL\\h2:secret\r\n", 0o600, "HOSPITAL\\h2", "secret", ""},
		"no password":                {"h2:", 0o600, "h2", "", ""},
		"a file that others read":    {"h2:secret", 0o640, "", "", "set it to 0600"},
		"no colon":                   {"h2 secret", 0o600, "", "", "want one line, name:password"},
		"no name":                    {":secret", 0o600, "", "", "want one line, name:password"},
		"two lines":                  {"h2:secret\nh3:secret\n", 0o600, "", "", "want one line, name:password"},
		"a header of somebody's own": {"h2:secret\r\nX: y", 0o600, "", "", "want one line, name:password"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "login")
			if err := os.WriteFile(path, []byte(tc.text), tc.mode); err != nil {
				t.Fatal(err)
			}
			user, password, err := ProxyLogin(config.Config{Network: config.Network{ProxyLogin: path}})
			if user != tc.user || password != tc.password || (err == nil) != (tc.says == "") {
				t.Fatalf("got %q, %q, %v; want %q, %q", user, password, err, tc.user, tc.password)
			}
			if err != nil && (!errors.Is(err, ErrProxyLogin) || !strings.Contains(err.Error(), tc.says) || strings.Contains(err.Error(), "secret")) {
				t.Errorf("error %v, want one that says %q and no secret", err, tc.says)
			}
		})
	}
}
