package browser

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/raresync/raresync/crypto/password"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/delivery"
	"github.com/raresync/raresync/daemon/page"
	"github.com/raresync/raresync/daemon/report"
	"github.com/raresync/raresync/daemon/site"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/envelope"
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

// packet is a phenopacket of a patient who has a document.
const packet = `{"id":"p1","subject":{"id":"P-1","sex":"MALE"},"diseases":[{"term":{"id":"ORPHA:324","label":"Fabry disease"}}],"metaData":{"created":"2026-01-01T00:00:00Z","createdBy":"x","phenopacketSchemaVersion":"2.0"}}`

// served is a page with accounts, and what stands for the daemon behind it.
type served struct {
	address string
	file    string // to upload

	packet, papers string // likewise: a phenopacket, and documents beside it

	mu        sync.Mutex // guards what follows
	sent      int        // patients
	held      chan struct{}
	documents []string
	said      uint8 // the answer to what is asked
	compared  admin.Compared
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
	d.packet, d.papers = filepath.Join(dir, "packet.json"), filepath.Join(dir, "证件.csv")
	must(t, os.WriteFile(d.packet, []byte(packet), 0o600))
	must(t, os.WriteFile(d.papers, []byte("file,subject,type,issuer,value\npacket.json,P-1,PP,FRA,X1234567\n"), 0o600))
	key, err := seal.GenerateReader()
	must(t, err)
	small := password.Params{Time: 1, MemoryKiB: 64, Threads: 1}
	accounts := site.AccountsIn(dir, page.Kind(), small)
	for name, role := range map[string]string{"anna": site.Admin, "bo": page.Clerk} {
		must(t, accounts.Add(name, role, "", rightPassword, time.Now()))
	}
	p, err := page.Open(page.Config{
		DataDir: dir, Sealing: func() []*seal.ReaderPrivate { return []*seal.ReaderPrivate{key} }, Preview: d.preview, Send: d.take,
		Receipts: proven{}, Queries: d, Letters: d, Checks: d, Record: func(string, int) error { return nil }, Problem: func(error) string { return "" },
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
	case len(f.Refused) > 0:
		r.Outcome = delivery.Refused
	case strings.Contains(string(f.Data), "REFUSED"):
		r.Outcome = delivery.Refused
		r.Findings = append(r.Findings, admin.Finding{Code: "DX001", Severity: "E", Where: f.Name + " $.diseases"})
	case r.Foreseen.Known > 0:
		r.Outcome = delivery.Known
	case r.Foreseen.Changed+r.Foreseen.Linked == 0:
		r.Foreseen.Added = 1
	}
	return r
}

func (d *served) preview(_ context.Context, files []admin.File) (out []admin.FileResult, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range files {
		for _, one := range f.Identities {
			d.documents = append(d.documents, one.Value)
		}
		out = append(out, answer(f))
	}
	return out, nil
}

// given are the documents that came with files.
func (d *served) given() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.documents)
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

// Queries lists one question.
func (d *served) Queries(context.Context) ([]page.Query, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	q := admin.Query{Index: 1201, Target: 1071, Rule: "ID007", Text: 4, Asked: "2026-11-25T06:00:00Z", State: "open", Days: 3}
	if d.said != 0 {
		q.State, q.Reply = "answered", d.said
	}
	return []page.Query{{Query: q, Type: "case", Date: "2020-05-06", Disease: "法布雷病", CaseNumber: "4Q8X-92JK-M3TV-7D"}}, nil
}

// Letters lists two letters.
func (d *served) Letters(context.Context) ([]admin.Letter, error) {
	return []admin.Letter{{Index: 1250, Month: "2026-09", Sent: "2026-10-03T02:00:00Z", Open: 2}, {Index: 1300, Month: "2026-10", Sent: "2026-11-02T02:00:00Z"}}, nil
}

// Letter is one of them.
func (d *served) Letter(_ context.Context, _ uint64, lang string) ([]byte, error) {
	l := entry.Letter{Hospital: 1, Of: entry.Date{Year: 2026, Month: 10}, Size: 1240}
	made := report.OfLetter(l, report.Text{EN: "First Hospital", ZH: "第一医院"}, 1_793_600_000_000, nil, nil)
	var b bytes.Buffer
	err := made.HTML(&b, lang)
	return b.Bytes(), err
}

// Checks lists one registration that a letter draws.
func (d *served) Checks(context.Context) ([]page.Check, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := admin.Check{Letter: 1300, Month: "2026-10", Hospital: 1, Index: 1071, CaseNumber: "4Q8X-92JK-M3TV-7D", Result: d.compared.Result, Differs: d.compared.Differs}
	return []page.Check{{Check: c, Date: "2020-05-06", Disease: "法布雷病"}}, nil
}

// Compare takes what came of it.
func (d *served) Compare(_ context.Context, _ uint64, of admin.Compared) (admin.QueryResult, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.compared = of
	return admin.QueryResult{Outcome: delivery.Accepted}, nil
}

// Answer takes an answer.
func (d *served) Answer(_ context.Context, _ uint64, text uint8) (admin.QueryResult, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.said = text
	return admin.QueryResult{Outcome: delivery.Accepted}, nil
}

// proven are receipts whose checkpoint nobody signed.
type proven struct{}

func (proven) Policy(context.Context) ([]byte, error) { return []byte("policy\n"), nil }

func (proven) Proof(_ context.Context, index uint64) ([]byte, error) {
	leaf := envelope.Leaf{Version: 1, Kind: 1, Hospital: 1, Sequence: 1, LogTime: 1_790_000_000_000, Commitment: [32]byte{0xab, byte(index)}}
	p := tlog.Proof{Extra: leaf.Append(nil), Index: index}
	p.Checkpoint.Checkpoint = tlog.Checkpoint{Origin: "example/network/1", Size: 1300}
	p.Checkpoint.Signatures = []tlog.NoteSignature{{Name: "x", Blob: []byte("signature")}}
	return p.Marshal(), nil
}
