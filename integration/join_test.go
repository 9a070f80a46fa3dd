package integration

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/raresync/raresync/cmd/raresync/demo"
	"github.com/raresync/raresync/daemon/admin"
)

// invited has a hospital make an invitation, and returns its token and id.
func (n *network) invited(by *demo.Process) admin.Invited {
	n.t.Helper()
	out, errs, code := n.run("member", "invite", "--for", "Huaxi", "-o", "json", "-c", by.Config())
	var i admin.Invited
	if code != 0 || json.Unmarshal(out, &i) != nil || !strings.HasPrefix(i.Token, "rsjoin1-") {
		n.t.Fatalf("member invite: exit code %d\n%s%s", code, out, errs)
	}
	return i
}

func (n *network) join(token, id string, more ...string) (string, []byte, int) {
	n.t.Helper()
	dir := filepath.Join(n.Dir, id)
	_, errs, code := n.run(append([]string{"join", token, dir, "--id", id, "--entity", "late-" + id, "--name-zh", "新医院", "--province", "51"}, more...)...)
	return dir, errs, code
}

// startProxy starts an HTTP proxy that carries CONNECT for a name and password, and
// counts what it carried.
func startProxy(t *testing.T, login string) (address string, carried *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	return startProxyAt(t, l, net.Dial, login)
}

// startProxyAt is startProxy with a listener and a way out of the caller's own.
func startProxyAt(t *testing.T, l net.Listener, dial func(network, address string) (net.Conn, error), login string) (address string, carried *atomic.Int64) {
	t.Helper()
	carried = &atomic.Int64{}
	var ways sync.WaitGroup
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("Authorization", r.Header.Get("Proxy-Authorization"))
		if name, password, _ := r.BasicAuth(); name+":"+password != login {
			http.Error(w, "who are you", http.StatusProxyAuthRequired)
			return
		}
		out, err := dial("tcp", r.Host)
		if err != nil {
			http.Error(w, "not there", http.StatusBadGateway)
			return
		}
		in, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		carried.Add(1)
		_, _ = io.WriteString(in, "HTTP/1.1 200 Connection established\r\n\r\n") // a lost one is dialled again
		for _, way := range [][2]net.Conn{{in, out}, {out, in}} {
			ways.Go(func() {
				defer way[0].Close()
				_, _ = io.Copy(way[0], way[1]) // ends with the nodes
			})
		}
	}))
	must(t, server.Listener.Close())
	server.Listener = l
	server.Start()
	t.Cleanup(func() { server.Close(); ways.Wait() })
	return server.URL, carried
}

// TestANewcomerJoinsWithAnInvitation follows a hospital from a token to its first
// files, and what the token is good for afterwards.
func TestANewcomerJoinsWithAnInvitation(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, 3, 3)
	h := n.Hospitals
	invitation := n.invited(h[0])

	stranger := []byte(invitation.Token)
	stranger[len(stranger)/2] ^= 1
	if _, errs, code := n.join(string(stranger), "bad"); code != 7 {
		t.Errorf("with a mistyped token: exit code %d\n%s", code, errs)
	}
	for _, v := range madeUpVisits(t, 3, 1) {
		must(t, n.submit(h[0], []*visit{&v}))
	}
	folder, login := filepath.Join(n.Dir, "copy"), filepath.Join(n.Dir, "proxy.login")
	if _, errs, code := n.run("log", "export", folder, "--bodies", "-c", h[0].Config()); code != 0 {
		t.Fatalf("log export: exit code %d\n%s", code, errs)
	}
	proxy, carried := startProxy(t, "late:fresh")
	way := []string{"--proxy", proxy, "--proxy-login", login, "--copy", "file://" + folder}
	if _, errs, code := n.join(invitation.Token, "bad", "--proxy", "http://late:SECRET@p:1"); code != 7 || bytes.Contains(errs, []byte("SECRET")) {
		t.Errorf("with a password in the address: exit code %d\n%s", code, errs)
	}
	must(t, os.WriteFile(login, []byte("late:stale\n"), 0o600))
	if _, errs, code := n.join(invitation.Token, "late1", way...); code != 4 || !bytes.Contains(errs, []byte("(407)")) || bytes.Contains(errs, []byte("stale")) {
		t.Errorf("with an old password for the proxy: exit code %d\n%s", code, errs)
	}
	must(t, os.WriteFile(login, []byte("late:fresh\n"), 0o600))
	dir, errs, code := n.join(invitation.Token, "late1", way...)
	if code != 0 || carried.Load() != 1 {
		t.Fatalf("join through the proxy: exit code %d, it carried %d connections\n%s", code, carried.Load(), errs)
	}
	if _, errs, code := n.join(invitation.Token, "late1", "--proxy", "http://127.0.0.1:1"); code != 2 || !bytes.Contains(errs, []byte("raresync.toml was made before")) {
		t.Errorf("with another proxy than before: exit code %d\n%s", code, errs)
	}
	if _, errs, code := n.join(invitation.Token, "late1"); code != 0 { // goes on where it stopped
		t.Errorf("the same again: exit code %d\n%s", code, errs)
	}
	if _, errs, code := n.join(invitation.Token, "late2"); code != 6 || !bytes.Contains(errs, []byte("was used")) {
		t.Errorf("used by another: exit code %d\n%s", code, errs)
	}
	p, err := demo.Open(n.Binary, "late1", dir)
	must(t, err)
	must(t, p.Start())
	t.Cleanup(func() { _ = p.Kill() })

	if out, errs, code := n.run("member", "list", "-c", h[0].Config()); code != 0 || !bytes.Contains(out, []byte("asked")) {
		t.Errorf("who waits: exit code %d\n%s%s", code, out, errs)
	}
	var a admin.Approval
	out, errs, code := n.run("member", "approve", invitation.ID, "--yes", "-o", "json", "-c", h[0].Config())
	if code != 0 || json.Unmarshal(out, &a) != nil || a.Proposal.Given != 1 {
		t.Fatalf("member approve: exit code %d\n%s%s", code, out, errs)
	}
	if a := n.approve(h[1], a.Proposal.ID); a.Proposal.State != "fulfilled" {
		t.Fatalf("after the second approval: %+v", a)
	}
	n.eventually("the newcomer to be a mirror with all of the log", func() error {
		s, err := p.Client.Status(n.ctx)
		if err == nil && (s.Hospital != 5 || s.Kind != "mirror" || !s.Ready) {
			err = fmt.Errorf("institution %d, a %s, %s", s.Hospital, s.Kind, s.Why)
		}
		return err
	})
	log, err := os.ReadFile(p.Log())
	must(t, err)
	if !bytes.Contains(log, []byte("taken from a static copy")) || bytes.Contains(log, []byte("fresh")) || carried.Load() < 2 {
		t.Errorf("it did not take the bulk from the copy, or not all by way of the proxy (%d connections):\n%s", carried.Load(), log)
	}
	visits := madeUpVisits(t, 1, 1)
	must(t, n.submit(p, []*visit{&visits[0]}))
	if visits[0].result.Outcome != "accepted" {
		t.Errorf("its first file: %+v", visits[0].result)
	}
	second := n.invited(h[0])
	if _, errs, code := n.run("member", "reject", second.ID, "--yes", "-c", h[0].Config()); code != 0 {
		t.Errorf("member reject: exit code %d\n%s", code, errs)
	}
	if _, errs, code := n.join(second.Token, "late3"); code != 6 {
		t.Errorf("with an invitation that was taken back: exit code %d\n%s", code, errs)
	}
	n.convergeOf(append(n.Processes(), p))
}
