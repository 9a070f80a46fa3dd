package browser

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/raresync/raresync/crypto/password"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/delivery"
	"github.com/raresync/raresync/daemon/page"
	"github.com/raresync/raresync/daemon/site"
)

const rightPassword = "correct horse battery"

// table has a row for each thing that can become of one.
const table = `病案号,姓名,性别,出生日期,居住省份,科室,疾病名称,目录编号,诊断日期,起病,生存状态
B10001,王小明,男,1990-03-07,广东,肾内科,法布雷病,1.27,2020-05-06,8岁,存活
B10002,李小红,女,1985-11-20,北京,神经内科,法布雷病,1.27,2021-02-11,12岁,存活
B10003 CHANGED,赵一,男,1979-01-02,广东,肾内科,法布雷病,1.27,2019-05-06,8岁,存活
B10004 LINKED,钱二,男,2001-07-17,上海,儿科,法布雷病,1.27,2020-05-06,8岁,存活
B10005 KNOWN,孙三,女,1990-03-07,广东,肾内科,法布雷病,1.27,2020-05-06,8岁,存活
B10006 REFUSED,周四,男,1990-03-07,广东,肾内科,法布雷病,1.27,2020-05-06,8岁,存活
B10007,吴五,不详性别,1990-03-07,广东,肾内科,法布雷病,1.27,2020年13月,8岁,存活
`

// served is a page with accounts, and what stands for the daemon behind it.
type served struct {
	address string
	file    string // to upload

	mu   sync.Mutex // guards what follows
	sent int        // patients
	held chan struct{}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// serve serves a page over TLS until the test ends.
func serve(t *testing.T) *served {
	t.Helper()
	dir := t.TempDir()
	d := &served{file: filepath.Join(dir, "患者登记表 2026.csv")}
	must(t, os.WriteFile(d.file, []byte(table), 0o600))
	key, err := seal.GenerateReader()
	must(t, err)
	small := password.Params{Time: 1, MemoryKiB: 64, Threads: 1}
	accounts := site.AccountsIn(dir, page.Kind(), small)
	for name, role := range map[string]string{"anna": site.Admin, "bo": page.Clerk} {
		must(t, accounts.Add(name, role, "", rightPassword, time.Now()))
	}
	p, err := page.Open(page.Config{
		DataDir: dir, Sealing: func() []*seal.ReaderPrivate { return []*seal.ReaderPrivate{key} }, Preview: d.preview, Send: d.take,
		Proof: func(uint64) (string, error) { return "", nil }, Record: func(string, int) error { return nil }, Problem: func(error) string { return "" },
		Hospital: [2]string{"First People's Hospital", "第一人民医院"}, Keep: time.Hour, Hash: small, Now: time.Now, Logger: slog.New(slog.DiscardHandler),
	})
	must(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	conf, _, err := site.TLS(dir, "page", "", "", l.Addr().String(), time.Now)
	must(t, err)
	server := &http.Server{Handler: p, TLSConfig: conf, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = server.ServeTLS(l, "", "") })
	running.Go(func() { _ = p.Run(ctx) })
	t.Cleanup(func() {
		_ = server.Close()
		cancel()
		running.Wait()
	})
	d.address = "https://" + l.Addr().String()
	return d
}

// answer says of a patient what the daemon would, by the words in it.
func answer(f admin.File) admin.FileResult {
	r := admin.FileResult{Name: f.Name, Outcome: delivery.Accepted, Foreseen: &admin.Foreseen{}}
	for word, foreseen := range map[string]struct {
		count *int
		code  string
	}{"CHANGED": {&r.Foreseen.Changed, "DU005"}, "LINKED": {&r.Foreseen.Linked, "DU006"}, "KNOWN": {&r.Foreseen.Known, "DU004"}} {
		if strings.Contains(string(f.Data), word) {
			*foreseen.count = 1
			r.Findings = append(r.Findings, admin.Finding{Code: foreseen.code, Severity: "I", Where: f.Name + " $.subject.id"})
		}
	}
	switch {
	case strings.Contains(string(f.Data), "REFUSED"):
		r.Outcome = delivery.Refused
		r.Findings = append(r.Findings, admin.Finding{Code: "DX001", Severity: "E", Where: f.Name + " $.diseases"})
	case r.Foreseen.Known > 0:
		r.Outcome = delivery.Known
	}
	return r
}

func (d *served) preview(_ context.Context, files []admin.File) (out []admin.FileResult, err error) {
	for _, f := range files {
		out = append(out, answer(f))
	}
	return out, nil
}

// hold keeps what is sent from being taken until release.
func (d *served) hold() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.held = make(chan struct{})
}

func (d *served) release() { close(d.held) }

func (d *served) taken() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.sent
}

func (d *served) take(ctx context.Context, files []admin.File) (out []admin.FileResult, err error) {
	d.mu.Lock()
	held := d.held
	d.mu.Unlock()
	select {
	case <-held:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range files {
		r := answer(f)
		if r.Foreseen = nil; r.Outcome == delivery.Accepted {
			r.Entries = []admin.EntryRef{{Type: "case", Index: uint64(1071 + d.sent), Receipt: true}}
			d.sent++
		}
		out = append(out, r)
	}
	return out, nil
}
