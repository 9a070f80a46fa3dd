package daemon

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/registry/envelope"
)

// stock is a client of tlog-tiles made of the go command's code.
type stock struct {
	t    *testing.T
	base string
}

func (c stock) get(path string, headers ...string) (*http.Response, string) {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodGet, c.base+path, nil)
	must(c.t, err)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	transport := &http.Transport{DisableCompression: true, DisableKeepAlives: true}
	resp, err := transport.RoundTrip(req)
	must(c.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	must(c.t, err)
	return resp, string(body)
}

func (stock) Height() int                     { return 8 }
func (stock) SaveTiles([]tlog.Tile, [][]byte) {}
func (c stock) ReadTiles(tiles []tlog.Tile) (out [][]byte, err error) {
	for _, t := range tiles {
		resp, body := c.get("/" + strings.Replace(t.Path(), "tile/8/", "tile/", 1))
		if resp.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("%s: %s", t.Path(), resp.Status)
		}
		out = append(out, []byte(body))
	}
	return out, nil
}

// checkpoint returns the tree under the checkpoint, which one of the keys has signed.
func (c stock) checkpoint(policy string) (tree tlog.Tree) {
	c.t.Helper()
	var keys []note.Verifier
	for line := range strings.Lines(policy) {
		if key, is := strings.CutPrefix(strings.TrimSpace(line), "log "); is {
			v, err := note.NewVerifier(key)
			must(c.t, err)
			keys = append(keys, v)
		}
	}
	resp, body := c.get("/checkpoint")
	if got := resp.Header.Get("Content-Type"); got != "text/plain; charset=utf-8" || !strings.Contains(resp.Header.Get("Cache-Control"), "max-age=2") {
		c.t.Errorf("checkpoint as %q, %v", got, resp.Header)
	}
	n, err := note.Open([]byte(body), note.VerifierList(keys...))
	must(c.t, err)
	lines := strings.Split(n.Text, "\n")
	_, err = fmt.Sscan(lines[1], &tree.N)
	must(c.t, err)
	tree.Hash, err = tlog.ParseHash(lines[2])
	must(c.t, err)
	return tree
}

// TestStockClientsReadTheLogWithoutACertificate runs two of three voters, and reads
// the log of one with code that is not ours.
func TestStockClientsReadTheLogWithoutACertificate(t *testing.T) {
	places := network(t)
	h1, h2 := places["h1"], places["h2"]
	h1.cfg.Listen.Tiles = freeAddress(t)
	h1.start(t)
	h2.start(t)
	h1.ready(t)
	h2.ready(t)
	c := stock{t, "http://" + h1.cfg.Listen.Tiles}
	policy, err := h1.client.Policy(t.Context())
	must(t, err)
	before := c.checkpoint(policy)
	file, _ := made(t)
	_, err = h1.client.Submit(t.Context(), admin.Submission{Files: []admin.File{file}, Wait: true})
	must(t, err)
	tree := c.checkpoint(policy)
	if tree.N <= before.N {
		t.Fatalf("the tree has %d leaves, before it had %d", tree.N, before.N)
	}
	hashes := tlog.TileHashReader(tree, c)
	proof, err := tlog.ProveTree(tree.N, before.N, hashes)
	must(t, err)
	must(t, tlog.CheckTree(proof, tree.N, tree.Hash, before.N, before.Hash))
	path := fmt.Sprintf("/tile/entries/000.p/%d", tree.N)
	resp, bundle := c.get(path)
	if h := resp.Header; h.Get("Content-Type") != "application/octet-stream" || !strings.Contains(h.Get("Cache-Control"), "immutable") || h.Get("Content-Encoding") != "" {
		t.Errorf("a bundle has the headers %v", h)
	}
	if len(bundle) != int(tree.N)*92 {
		t.Fatalf("a bundle of %d bytes, want 92 for each of %d leaves and nothing else", len(bundle), tree.N)
	}
	for index := range tree.N {
		leaf := []byte(bundle[index*92+2:][:90])
		if _, err := envelope.ParseLeaf(leaf); err != nil {
			t.Errorf("leaf %d: %v", index, err)
		}
		proof, err := tlog.ProveRecord(tree.N, index, hashes)
		must(t, err)
		must(t, tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(leaf)))
	}
	c.older(bundle, before.N)
	c.packed(path, bundle)
	c.nothingElse(tree.N)
	c.damaged(h1, path, bundle)
}

// older asks for what an earlier checkpoint needs.
func (c stock) older(bundle string, size int64) {
	c.t.Helper()
	if _, got := c.get(fmt.Sprintf("/tile/entries/000.p/%d", size)); got != bundle[:size*92] {
		c.t.Errorf("the bundle of the checkpoint before has %d bytes, want %d", len(got), size*92)
	}
}

func (c stock) packed(path, bundle string) {
	c.t.Helper()
	for accept, want := range map[string]string{"gzip": "gzip", "br, gzip;q=0.5": "gzip", "gzip;q=0": "", "identity": "", "": ""} {
		resp, body := c.get(path, "Accept-Encoding", accept)
		if got := resp.Header.Get("Content-Encoding"); got != want || resp.Header.Get("Vary") != "Accept-Encoding" {
			c.t.Errorf("who accepts %q gets %q", accept, got)
		}
		if want == "" {
			continue
		}
		z, err := gzip.NewReader(strings.NewReader(body))
		must(c.t, err)
		unpacked, err := io.ReadAll(z)
		must(c.t, err)
		if string(unpacked) != bundle {
			c.t.Errorf("who accepts %q gets another bundle", accept)
		}
	}
}

// nothingElse asks for what is not there, and for what is nobody's business.
func (c stock) nothingElse(size int64) {
	c.t.Helper()
	for _, path := range []string{
		"/", "/v1/status", "/v1/envelopes?from=0", "/metrics", "//checkpoint", "/checkpoint/", "/../checkpoint", "/tile/0/0", "/tile/00/000",
		"/tile/0/000", "/tile/0/000.p/0", fmt.Sprintf("/tile/0/000.p/%d", size+1), "/tile/entries/001.p/1", "/tile/1/000.p/1", "/tile/64/000.p/1",
		"/tile/entries/x999/x999/x999/x999/x999/x999/999", "/bodies/001", "/envelope/000", "/copy.json",
	} {
		if resp, body := c.get(path); resp.StatusCode != http.StatusNotFound || body != "not found\n" {
			c.t.Errorf("%s: %s, %q", path, resp.Status, body)
		}
	}
	resp, err := http.Post(c.base+"/checkpoint", "text/plain", strings.NewReader("x"))
	must(c.t, err)
	resp.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if resp.StatusCode != http.StatusMethodNotAllowed {
		c.t.Errorf("a post: %s", resp.Status)
	}
}

// damaged flips a byte on the disk: nobody is ever given it.
func (c stock) damaged(p *place, path, bundle string) {
	c.t.Helper()
	f, err := os.OpenFile(filepath.Join(p.cfg.Node.DataDir, "node", "ledger", "leaves"), os.O_WRONLY, 0)
	must(c.t, err)
	_, err = f.WriteAt([]byte{^bundle[60]}, 60)
	must(c.t, err)
	must(c.t, f.Close())
	resp, _ := c.get(path)
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Cache-Control") != "no-store" {
		c.t.Errorf("a damaged leaf: %s, %v; want 503 that nobody keeps", resp.Status, resp.Header)
	}
	until(c.t, "the node has repaired it", func() (bool, error) {
		resp, body := c.get(path)
		if resp.StatusCode == http.StatusOK && body != bundle {
			return false, fmt.Errorf("another bundle is given")
		}
		return resp.StatusCode == http.StatusOK, nil
	})
}

func TestOnlySoManyConnectionsAreAccepted(t *testing.T) {
	raw, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	l := &fewAtOnce{Listener: raw, places: make(chan struct{}, 2), closed: make(chan struct{})}
	var open, most atomic.Int64
	server := &http.Server{
		Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}),
		ConnState: func(_ net.Conn, s http.ConnState) {
			switch s {
			case http.StateNew:
				most.Store(max(most.Load(), open.Add(1)))
			case http.StateClosed:
				open.Add(-1)
			}
		},
	}
	ended := make(chan error)
	go func() { ended <- server.Serve(l) }()
	var conns []net.Conn
	for range 3 {
		conn, err := net.Dial("tcp", raw.Addr().String())
		must(t, err)
		conns = append(conns, conn)
	}
	ask := func(conn net.Conn) chan error {
		done := make(chan error, 1)
		go func() {
			err := httptest.NewRequest(http.MethodGet, "http://x/", nil).Write(conn)
			if err == nil {
				_, err = http.ReadResponse(bufio.NewReader(conn), nil)
			}
			done <- err
		}()
		return done
	}
	must(t, <-ask(conns[0]))
	must(t, <-ask(conns[1]))
	third := ask(conns[2])
	must(t, conns[0].Close())
	must(t, <-third) // it has the place of the first
	if got := most.Load(); got != 2 {
		t.Errorf("%d connections at once, want 2", got)
	}
	must(t, server.Close())
	if err := <-ended; err != http.ErrServerClosed {
		t.Errorf("ended with %v", err)
	}
	for _, conn := range conns[1:] {
		must(t, conn.Close())
	}
}
