package integration

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/raresync/raresync/cmd/raresync/demo"
	"github.com/raresync/raresync/registry/identity"
)

// pageBrowser is a browser of somebody at a node's web site.
type pageBrowser struct {
	w      *canaryWorld
	p      *demo.Process
	at     string
	client *http.Client
}

// browserAt opens one at an origin's page.
func (w *canaryWorld) browserAt(o *origin) *pageBrowser {
	w.t.Helper()
	return w.browserOf(o.Process, "page")
}

// browserOf opens one at a site of a node, whose log says at what address it is
// served, in the namespace of the network.
func (w *canaryWorld) browserOf(p *demo.Process, site string) *pageBrowser {
	w.t.Helper()
	log, err := os.ReadFile(p.Log())
	must(w.t, err)
	found := regexp.MustCompile(`msg"?[=:]"?`+site+`"?[ ,]"?address"?[=:]"?([0-9.]+:[0-9]+)`).FindAllSubmatch(log, -1)
	if found == nil {
		w.t.Fatalf("%s serves no %s", p.Node, site)
	}
	jar, err := cookiejar.New(nil)
	must(w.t, err)
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, // its certificate is of its own making
		DialContext: func(_ context.Context, network, address string) (conn net.Conn, err error) {
			err = w.lan.In(0, func() (err error) {
				conn, err = net.Dial(network, address)
				return err
			})
			return conn, err
		},
	}
	w.t.Cleanup(transport.CloseIdleConnections)
	return &pageBrowser{w, p, "https://" + string(found[len(found)-1][1]), &http.Client{Transport: transport, Jar: jar}}
}

// do asks for a path, keeps the answer to be searched, and returns where it led to
// and what it says.
func (b *pageBrowser) do(method, path, kind string, body io.Reader) (status int, to, said string) {
	b.w.t.Helper()
	r, err := http.NewRequestWithContext(b.w.ctx, method, b.at+path, body)
	must(b.w.t, err)
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	answer, err := b.client.Do(r)
	must(b.w.t, err)
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	must(b.w.t, err)
	var head bytes.Buffer
	must(b.w.t, answer.Header.Write(&head))
	b.w.askedOfPages = append(b.w.askedOfPages, path)
	if !strings.Contains(path, "/rejects/") { // the clerk's own rows, with the numbers by which they are found: see below
		b.w.keep(b.p, "page "+method+" "+path, append(head.Bytes(), raw...))
	}
	return answer.StatusCode, answer.Request.URL.Path, string(raw)
}

func (b *pageBrowser) get(path string) string {
	b.w.t.Helper()
	_, _, said := b.do(http.MethodGet, path, "", nil)
	return said
}

func (b *pageBrowser) post(path string, fields url.Values) (status int, to, said string) {
	b.w.t.Helper()
	return b.do(http.MethodPost, path, "application/x-www-form-urlencoded", strings.NewReader(fields.Encode()))
}

func (b *pageBrowser) signsIn(name, password string) {
	b.w.t.Helper()
	if status, to, said := b.post("/sign-in", url.Values{"name": {name}, "password": {password}}); status != http.StatusOK || to == "/sign-in" {
		b.w.t.Fatalf("%s signs in at %s: %d at %s: %.500s", name, b.p.Node, status, to, said)
	}
}

// upload hands in a file and returns the path of its delivery, once it is checked.
func (b *pageBrowser) upload(name string, raw []byte) (path string) {
	b.w.t.Helper()
	var form bytes.Buffer
	m := multipart.NewWriter(&form)
	part, err := m.CreateFormFile("file", name)
	must(b.w.t, err)
	_, err = part.Write(raw)
	must(b.w.t, errors.Join(err, m.Close()))
	status, path, said := b.do(http.MethodPost, "/deliveries", m.FormDataContentType(), &form)
	if status != http.StatusOK || !strings.HasPrefix(path, "/deliveries/") {
		b.w.t.Fatalf("a file is handed in at %s: %d at %s: %.500s", b.p.Node, status, path, said)
	}
	b.settles(path)
	return path
}

// settles waits until nothing goes on with a delivery.
func (b *pageBrowser) settles(path string) (said string) {
	b.w.t.Helper()
	b.w.eventually("a delivery of the page at "+b.p.Node, func() error {
		if said = b.get(path); strings.Contains(said, `http-equiv="refresh"`) {
			return errors.New("it goes on")
		}
		return nil
	})
	return said
}

// thePageIsUsed has a clerk hand in files on the page: good rows and refused ones,
// what nobody can read, what is discarded; and somebody else look.
func (w *canaryWorld) thePageIsUsed(o *origin) {
	w.t.Helper()
	word := w.marker("a password", w.mint.Words(3), o.Node)
	w.wants(0, o.Process, word+"\n", "page", "user", "add", "bo", "--password-from", "-")
	w.wants(0, o.Process, word+"\n", "page", "user", "add", "anna", "--role", "admin", "--password-from", "-", "--lang", "zh")
	w.wants(0, o.Process, "", "page", "user", "list", "-o", "json")
	good, local, bad := w.patient(identity.RIC, o.Node), w.patient(identity.LOCAL, o.Node), w.patient(identity.RIC, o.Node)

	bo, anna := w.browserAt(o), w.browserAt(o)
	for _, name := range []string{bad.document.Value, bad.record, bad.name} { // typed into the wrong field
		if status, _, _ := bo.post("/sign-in", url.Values{"name": {name}, "password": {name}}); status != http.StatusUnauthorized {
			w.t.Errorf("a number signs in at %s: %d", o.Node, status)
		}
	}
	bo.signsIn("bo", word)
	anna.signsIn("anna", word)
	row, unnamed := tableRow(bad), tableRow(local)
	row[9], unnamed[4] = "科室 "+bad.name, ""
	name := w.fileName(o, "page.csv")
	path := bo.upload(name, w.tableOf("gb.csv", tableRow(good), unnamed, row))
	if said := bo.get(path + "?lang=en"); !strings.Contains(said, "PR001") || !strings.Contains(said, "Nothing has left the hospital yet") {
		w.t.Errorf("the preview at %s says %s", o.Node, said)
	}
	rejects := bo.get(path + "/rejects/1")
	for _, text := range []string{bad.document.Value, bad.phone, good.record} { // the name stands in a cell that is no name's
		if strings.Contains(rejects, text) {
			w.t.Errorf("the refused rows at %s hold %q", o.Node, text)
		}
	}
	bo.post(path+"/confirm", nil)
	said := bo.settles(path)
	receipt := regexp.MustCompile(`/deliveries/[0-9a-f]+/receipts/[0-9]+`).FindString(said)
	if !strings.Contains(said, "Partly accepted") || receipt == "" || !strings.Contains(bo.get(receipt), "c2sp.org/tlog-proof") {
		w.t.Errorf("what was sent from the page at %s: %s", o.Node, said)
	}
	for way, want := range map[string]string{"/receipts": "log verify --policy", "/receipts.zip": "receipts.html"} {
		if said := bo.get(path + way); !strings.Contains(said, want) {
			w.t.Errorf("%s at %s: %.500s", way, o.Node, said)
		}
	}
	again := bo.upload(w.fileName(o, "page.csv"), w.tableOf("plain.csv", tableRow(good)))
	if said := bo.get(again); !strings.Contains(said, "DU004") {
		w.t.Errorf("what was sent at %s is not known: %s", o.Node, said)
	}
	for ending, raw := range map[string][]byte{
		"page.xlsx": w.tableOf("book.xlsx", tableRow(bad))[:700], "page.json": jsonOf(bad.packet())[:300], "packet.json": jsonOf(local.packet()),
	} {
		bo.post(bo.upload(w.fileName(o, ending), raw)+"/discard", nil)
	}
	for _, way := range []string{"/", "/accounts", "/password", "/sign-in", "/queries", "/queries/1", "/letters", "/letters/1", "/checks", "/checks/1/1", path, path + "/rejects/1", path + "/receipts", path + "/receipts.zip", receipt, again, "/static/page.css", "/nothing"} {
		for _, who := range []*pageBrowser{anna, w.browserAt(o)} {
			said := who.get(way)
			for _, text := range []string{name, good.record, good.document.Value, bad.record, bad.name, local.record} {
				if strings.Contains(said, text) {
					w.t.Errorf("the page at %s shows another account, at %s: %q", o.Node, way, text)
				}
			}
		}
	}
	w.everyPageIsAsked("page/handler.go", "site/site.go")
}

// everyPageIsAsked fails the test for a path that the page answers and nobody asked.
func (w *canaryWorld) everyPageIsAsked(sources ...string) {
	w.t.Helper()
	var patterns [][][]byte
	for _, file := range sources {
		raw, err := os.ReadFile("../daemon/" + file)
		must(w.t, err)
		patterns = append(patterns, getPattern.FindAllSubmatch(raw, -1)...)
	}
	for _, m := range patterns {
		way := strings.ReplaceAll(string(m[1]), "{$}", "")
		way = regexp.MustCompile(`\{[a-z]+\}`).ReplaceAllString(way, "[^/]+")
		if strings.HasSuffix(way, "/") && way != "/" {
			way += ".*"
		}
		if !slices.ContainsFunc(w.askedOfPages, regexp.MustCompile("^"+way+"$").MatchString) {
			w.t.Errorf("GET %s of the page is not asked: add it, so that its answers are searched", m[1])
		}
	}
	if len(patterns) < 8 {
		w.t.Errorf("only %d paths of the page are found", len(patterns))
	}
}
