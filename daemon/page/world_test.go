package page

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/raresync/raresync/crypto/password"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/delivery"
	"github.com/raresync/raresync/daemon/site"
)

const (
	rightPassword = "correct horse battery"
	secret        = "ZHANGSAN11010519491231002X" // in what comes in, and nowhere else
)

// world is a page with accounts anna, an administrator, and bo and cy, clerks, in
// front of a daemon that takes what no record number forbids.
type world struct {
	*Page
	t      *testing.T
	server *httptest.Server
	dir    string
	log    *lockedBuffer

	mu        sync.Mutex // guards what follows
	now       time.Time
	trail     []string
	documents []string // that the daemon was given
	sent      int      // patients that the daemon was given to take
	fails     error
	asked     []Query
	letters   []admin.Letter
	drawn     []Check
	waited    chan struct{} // what is sent waits for it, if it is there
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), log: &lockedBuffer{}, now: time.Date(2026, 11, 27, 1, 0, 0, 0, time.UTC)}
	key, err := seal.GenerateReader()
	must(t, err)
	w.open(key)
	for name, role := range map[string]string{"anna": site.Admin, "bo": Clerk, "cy": Clerk} {
		must(t, w.site.Accounts.Add(name, role, "", rightPassword, w.clock()))
	}
	return w
}

// open opens the page, as a start of the daemon does.
func (w *world) open(key *seal.ReaderPrivate) {
	w.t.Helper()
	p, err := Open(Config{
		DataDir: w.dir, Sealing: func() []*seal.ReaderPrivate { return []*seal.ReaderPrivate{key} },
		Preview: w.preview, Send: w.take, Receipts: proven{}, Queries: asking{w}, Letters: posted{w}, Checks: drawing{w},
		Record: func(what string, entries int) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.trail = append(w.trail, fmt.Sprintf("%s: %d", what, entries))
			return nil
		},
		Problem: func(error) string { return "the network cannot be reached" }, Hospital: [2]string{"First Hospital", "第一医院"},
		Keep: 48 * time.Hour, Plain: true, Hash: password.Params{Time: 1, MemoryKiB: 64, Threads: 1},
		Now: w.clock, Logger: slog.New(slog.NewTextHandler(w.log, nil)),
	})
	must(w.t, err)
	w.Page, w.server = p, httptest.NewServer(p)
	ctx, cancel := context.WithCancel(w.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	w.t.Cleanup(func() {
		w.server.Close()
		cancel()
		must(w.t, <-ended)
	})
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) later(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// answerTo says of a file what the daemon would, by the words in it.
func answerTo(f admin.File) admin.FileResult {
	r := admin.FileResult{Name: f.Name, Outcome: delivery.Accepted, Foreseen: &admin.Foreseen{}}
	has := func(word string) bool { return strings.Contains(string(f.Data), word) }
	flag := func(code, severity string) {
		r.Findings = append(r.Findings, admin.Finding{Code: code, Severity: severity, Where: f.Name + " $.subject.id"})
	}
	switch {
	case len(f.Refused) > 0:
		r.Outcome = delivery.Refused
	case has("REFUSED"):
		r.Outcome = delivery.Refused
		r.Findings = append(r.Findings, admin.Finding{Code: "DX001", Severity: "E", Where: f.Name + " $.diseases"})
	case has("KNOWN"):
		r.Outcome, r.Foreseen.Known = delivery.Known, 1
		flag("DU004", "I")
	case has("CHANGED"):
		r.Foreseen.Changed = 1
		flag("DU005", "W")
	case has("LINKED"):
		r.Foreseen.Linked = 1
		flag("DU006", "I")
	default:
		r.Foreseen.Added = 1
	}
	return r
}

// note keeps the documents of a file; seen does for who holds mu.
func (w *world) note(f admin.File) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen(f)
}

func (w *world) seen(f admin.File) {
	for _, d := range f.Identities {
		w.documents = append(w.documents, d.Value)
	}
}

func (w *world) preview(_ context.Context, files []admin.File) (out []admin.FileResult, err error) {
	for _, f := range files {
		w.note(f)
		out = append(out, answerTo(f))
	}
	return out, nil
}

func (w *world) take(ctx context.Context, files []admin.File) (out []admin.FileResult, err error) {
	w.mu.Lock()
	waited, fails := w.waited, w.fails
	w.mu.Unlock()
	if waited != nil {
		select {
		case <-waited:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if fails != nil {
		return nil, fails
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range files {
		w.seen(f)
		r := answerTo(f)
		if r.Foreseen = nil; r.Outcome == delivery.Accepted {
			r.Entries = []admin.EntryRef{{Type: "case", Index: uint64(100 + w.sent), Receipt: true}}
			w.sent++
		}
		out = append(out, r)
	}
	return out, nil
}

const heads = "病案号,姓名,性别,出生日期,居住省份,科室,疾病名称,目录编号,诊断日期,起病,生存状态\n"

// tableOf is a table of patients with these record numbers.
func tableOf(records ...string) []byte {
	var b strings.Builder
	b.WriteString(heads)
	for _, r := range records {
		b.WriteString(r + "," + secret + ",男,1990-03-07,广东,肾内科,法布雷病,1.27,2020-05-06,8岁,存活\n")
	}
	return []byte(b.String())
}

// browser is somebody's.
type browser struct {
	*world
	client *http.Client
}

func (w *world) browser() *browser {
	jar, err := cookiejar.New(nil)
	must(w.t, err)
	return &browser{w, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// page is an answer.
type page struct {
	status int
	header http.Header
	body   string
}

func (b *browser) do(r *http.Request) page {
	b.t.Helper()
	answer, err := b.client.Do(r)
	must(b.t, err)
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	must(b.t, err)
	return page{answer.StatusCode, answer.Header, string(raw)}
}

func (b *browser) get(path string) page {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.server.URL+path, nil)
	must(b.t, err)
	return b.do(r)
}

func (b *browser) post(path string, fields ...string) page {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.server.URL+path, strings.NewReader(form.Encode()))
	must(b.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.do(r)
}

// signsIn returns a browser in which an account is signed in.
func (w *world) signsIn(name string) *browser {
	w.t.Helper()
	b := w.browser()
	if p := b.post("/sign-in", "name", name, "password", rightPassword); p.status != http.StatusSeeOther || p.header.Get("Location") != "/" {
		w.t.Fatalf("%s signs in: %d %s", name, p.status, p.body)
	}
	return b
}

// upload hands in a file, and returns the path of its delivery.
func (b *browser) upload(name string, raw []byte) (path string, p page) {
	b.t.Helper()
	var form bytes.Buffer
	m := multipart.NewWriter(&form)
	part, err := m.CreateFormFile("file", name)
	must(b.t, err)
	_, err = part.Write(raw)
	must(b.t, errors.Join(err, m.Close()))
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.server.URL+"/deliveries", &form)
	must(b.t, err)
	r.Header.Set("Content-Type", m.FormDataContentType())
	p = b.do(r)
	return p.header.Get("Location"), p
}

var refreshes = regexp.MustCompile(`http-equiv="refresh"`)

// settled looks at a delivery until nothing goes on any more.
func (b *browser) settled(path string) page {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		p := b.get(path)
		if p.status != http.StatusOK {
			b.t.Fatalf("%s: %d %s", path, p.status, p.body)
		}
		if !refreshes.MatchString(p.body) {
			return p
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			b.t.Fatalf("%s goes on: %s", path, p.body)
		}
	}
}

// has fails the test for texts that an answer lacks.
func (p page) has(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(p.body, text) {
			t.Errorf("the answer (%d) lacks %q:\n%s", p.status, text, p.body)
		}
	}
}

// nothingInClear fails the test for files in which what came in can be read.
func (w *world) nothingInClear(names ...string) {
	w.t.Helper()
	err := filepath.WalkDir(w.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		info, err2 := d.Info()
		must(w.t, errors.Join(err, err2))
		for _, text := range append(names, secret, "法布雷病") {
			if bytes.Contains(raw, []byte(text)) {
				w.t.Errorf("%s holds %q in clear", path, text)
			}
		}
		if info.Mode().Perm() != 0o600 {
			w.t.Errorf("%s has mode %v", path, info.Mode())
		}
		return nil
	})
	must(w.t, err)
	for _, text := range append(names, secret) {
		if strings.Contains(w.log.String(), text) {
			w.t.Errorf("the log holds %q", text)
		}
	}
}

// files counts the files of a folder of the page.
func (w *world) files(folder string) int {
	w.t.Helper()
	list, err := os.ReadDir(filepath.Join(w.dir, "page", folder))
	must(w.t, err)
	return len(list)
}
