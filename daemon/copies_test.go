package daemon

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/raresync/raresync/daemon/config"
)

func TestACopyIsReadThroughTheProxyAndNoOtherWay(t *testing.T) {
	folder := t.TempDir()
	must(t, os.WriteFile(filepath.Join(folder, "checkpoint"), []byte("a note"), 0o600))
	server := httptest.NewServer(http.FileServer(http.Dir(folder)))
	defer server.Close()
	login := filepath.Join(t.TempDir(), "login")
	s := &service{cfg: config.Config{Network: config.Network{
		Proxy: startProxy(t, "h9:fresh"), ProxyLogin: login, Copies: []string{server.URL},
	}}}
	must(t, s.openCopies())
	defer s.closeCopies()
	must(t, os.WriteFile(login, []byte("h9:stale\n"), 0o600))
	if _, err := s.copies[0].Checkpoint(t.Context()); err == nil || !strings.Contains(err.Error(), "does not let this node in (407)") || strings.Contains(err.Error(), "stale") {
		t.Errorf("with an old password: %v, want that the proxy lets nobody in, and no password", err)
	}
	must(t, os.WriteFile(login, []byte("h9:fresh\n"), 0o600))
	if got, err := s.copies[0].Checkpoint(t.Context()); err != nil || string(got) != "a note" {
		t.Errorf("through the proxy: %q, %v", got, err)
	}
}
