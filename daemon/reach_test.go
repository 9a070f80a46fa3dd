package daemon

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/mesh"
)

// startProxy starts an HTTP proxy that carries CONNECT for a name and password,
// and returns its URL.
func startProxy(t *testing.T, login string) string {
	t.Helper()
	var wg sync.WaitGroup
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		wg.Add(1) // before the connection is taken over: Close waits for it until then
		defer wg.Done()
		r.Header.Set("Authorization", r.Header.Get("Proxy-Authorization"))
		if name, password, _ := r.BasicAuth(); name+":"+password != login {
			http.Error(w, "who are you", http.StatusProxyAuthRequired)
			return
		}
		out, err := net.Dial("tcp", r.Host)
		if err != nil {
			http.Error(w, "not there", http.StatusBadGateway)
			return
		}
		in, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		io.WriteString(in, "HTTP/1.1 200 Connection established\r\n\r\n") // a lost one is dialled again
		for _, way := range [][2]net.Conn{{in, out}, {out, in}} {
			wg.Go(func() {
				defer way[0].Close()
				io.Copy(way[0], way[1]) // ends with the nodes
			})
		}
	}))
	t.Cleanup(func() { server.Close(); wg.Wait() })
	return server.URL
}

// TestAVoterBehindAProxyIsAFullMember runs a voter that nobody can reach and that
// gets out through a proxy only: first with an old password, which status names,
// then with the right one, without a restart.
func TestAVoterBehindAProxyIsAFullMember(t *testing.T) {
	places := network(t)
	proxy := startProxy(t, "h3:fresh")
	h3 := places["h3"]
	login := filepath.Join(h3.cfg.Node.DataDir, "proxy.login")
	must(t, os.WriteFile(login, []byte("h3:stale\n"), 0o600))
	h3.cfg.Listen.Node, h3.cfg.Network.Proxy, h3.cfg.Network.ProxyLogin = "", proxy, login
	for _, id := range []string{"h1", "h2", "h3"} {
		places[id].start(t)
	}
	var said admin.Status
	until(t, "h3 names the old password", func() (ok bool, err error) {
		said, err = h3.client.Status(t.Context())
		return strings.Contains(strings.Join(said.Warnings, "\n"), "mend the file named by proxy_login"), err
	})
	if zh := strings.Join(said.WarningsZH, "\n"); !strings.Contains(zh, "无法连接 h1, h2") || strings.Contains(zh+h3.logged.text(), "stale") {
		t.Errorf("warnings %s, log %s: want both nodes named, and no password", zh, h3.logged.text())
	}
	must(t, os.WriteFile(login, []byte("h3:fresh\n"), 0o600))
	for _, id := range []string{"h1", "h2", "h3"} {
		places[id].ready(t)
	}
	file, _ := made(t)
	got, err := h3.client.Submit(t.Context(), admin.Submission{Files: []admin.File{file}, Wait: true})
	must(t, err)
	if f := got.Files[0]; f.Outcome != "accepted" || !f.Entries[0].Receipt {
		t.Errorf("got %+v", f)
	}
	places["h2"].end(t) // from here on nothing is committed without h3
	_, err = places["h1"].client.Submit(t.Context(), admin.Submission{Files: []admin.File{file}, Wait: true})
	must(t, err)
}

func TestWhatStandsInTheWayIsSaidInBothLanguages(t *testing.T) {
	for name, tc := range map[string]struct {
		err    error
		en, zh string
	}{
		"a proxy that opens TLS": {&mesh.OpenedError{Address: "h1.example:8470", Issuer: "CN=Gateway"},
			"exempt h1.example:8470 from TLS inspection", "颁发者为 CN=Gateway；请网络部门对 h1.example:8470 免除"},
		"a proxy that is not there":    {mesh.ErrProxyUnreachable, "the proxy p:1 cannot be reached", "无法连接代理服务器 p:1"},
		"credentials that are wrong":   {fmt.Errorf("%w: expired", mesh.ErrProxyLogin), "(407): mend the file named by proxy_login; no restart is needed (expired)", "（407）：请更正"},
		"an address that is forbidden": {mesh.ErrProxyForbids, "allow CONNECT", "放行"},
		"a proxy that fails":           {fmt.Errorf("%w: it answered 502", mesh.ErrProxy), "(it answered 502)", "（it answered 502）"},
	} {
		w, ok := obstacle(fmt.Errorf("h1.example:8470: %w", tc.err), "p:1")
		if !ok || !strings.Contains(w.en, tc.en) || !strings.Contains(w.zh, tc.zh) {
			t.Errorf("%s: got %q and %q, want %q and %q", name, w.en, w.zh, tc.en, tc.zh)
		}
	}
	if w, ok := obstacle(errors.New("connection refused"), ""); ok {
		t.Errorf("a node that does not run is blamed on the network: %v", w)
	}
}
