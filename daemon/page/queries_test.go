package page

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/delivery"
	"github.com/raresync/raresync/registry/envelope"
)

// proven are receipts whose checkpoint nobody signed.
type proven struct{}

func (proven) Policy(context.Context) ([]byte, error) { return []byte("policy\n"), nil }

func (proven) Proof(_ context.Context, index uint64) ([]byte, error) {
	leaf := envelope.Leaf{Version: 1, Kind: 1, Hospital: 1, Sequence: 1, LogTime: 1_790_000_000_000, Commitment: [32]byte{0xab}}
	p := tlog.Proof{Extra: leaf.Append(nil), Index: index}
	p.Checkpoint.Checkpoint = tlog.Checkpoint{Origin: "example/network/1", Size: 400}
	p.Checkpoint.Signatures = []tlog.NoteSignature{{Name: "x", Blob: []byte("signature")}}
	return p.Marshal(), nil
}

// asking is what readers have asked.
type asking struct{ w *world }

func (a asking) Queries(context.Context) ([]Query, error) {
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	return slices.Clone(a.w.asked), nil
}

// Answer takes answer 1, refuses 4, and loses the network at 3.
func (a asking) Answer(_ context.Context, index uint64, text uint8) (admin.QueryResult, error) {
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	switch text {
	case 3:
		return admin.QueryResult{}, errors.New("secret of the network")
	case 4:
		return admin.QueryResult{Outcome: delivery.Refused, Findings: []admin.Finding{{Code: "QY003", Severity: "E"}}}, nil
	}
	for i := range a.w.asked {
		if q := &a.w.asked[i]; q.Index == index {
			q.State, q.Reply = "answered", text
		}
	}
	return admin.QueryResult{Outcome: delivery.Accepted}, nil
}

func asked(index uint64, state string) Query {
	return Query{
		Query: admin.Query{Index: index, Target: 7, Rule: "ID007", Text: 4, Asked: "2026-11-26T17:30:00Z", State: state, Days: 3},
		Type:  "case", Date: "2020-05-06", Disease: "法布雷病", CaseNumber: "4Q8X-92JK-M3TV-7D",
	}
}

func TestAClerkAnswersWhatIsAsked(t *testing.T) {
	w := newWorld(t)
	bo := w.signsIn("bo")
	bo.get("/queries").has(t, "没有质疑", `<a href="/queries" aria-current="page">`)
	w.asked = []Query{asked(40, "closed"), asked(41, "open"), asked(42, "corrected")}
	list := bo.get("/queries")
	list.has(t, "待答复：1", "该值不寻常，请确认或更正。", "4Q8X-92JK-M3TV-7D", "2026-11-27", "病例 7") // the day is China's
	if strings.Index(list.body, "/queries/41") > strings.Index(list.body, "/queries/40") {
		t.Error("what waits is not first")
	}
	bo.get("/queries/41").has(t, "法布雷病", "ID007", "读取方</td>", `value="4"`, "raresync entry correct 7", "case-number link show 4Q8X-92JK-M3TV-7D", "请选择一项答复")
	if closed := bo.get("/queries/40"); strings.Contains(closed.body, "<fieldset>") {
		t.Error("what is closed can be answered")
	}
	for _, text := range []string{"", "0", "5", "x", "1000"} {
		if p := bo.post("/queries/41/answer", "text", text); p.status != http.StatusUnprocessableEntity {
			t.Errorf("answer %q: %d", text, p.status)
		}
	}
	p := bo.post("/queries/41/answer", "text", "4")
	p.has(t, "QY003 该质疑已由提出方关闭")
	if p = bo.post("/queries/41/answer", "text", "3"); p.status != http.StatusServiceUnavailable || strings.Contains(p.body, "secret") {
		t.Errorf("without a network: %d %s", p.status, p.body)
	}
	if p = bo.post("/queries/41/answer", "text", "1"); p.header.Get("Location") != "/queries/41" {
		t.Errorf("answered: %d %s", p.status, p.body)
	}
	bo.get("/queries/41").has(t, "已答复", "已与原始病历核对，条目无误。", "重新答复")
	bo.get("/queries?lang=en")
	bo.get("/queries/42").has(t, "Corrected", "The value is unusual: please confirm or correct it.", "Case 7")
	for _, path := range []string{"/queries/43", "/queries/x", "/queries/-1"} {
		if p := bo.get(path); p.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, p.status)
		}
	}
	if p := w.browser().post("/queries/41/answer", "text", "2"); p.header.Get("Location") != "/sign-in" {
		t.Errorf("nobody answers: %d", p.status)
	}
	if want := []string{"query answered on the page by bo: 1"}; !slices.Equal(w.trail, want) {
		t.Errorf("the trail has %q", w.trail)
	}
}

func TestReceiptsAreHadTogetherAndPrinted(t *testing.T) {
	w := newWorld(t)
	bo := w.signsIn("bo")
	path, _ := bo.upload("名单.csv", tableOf("B1", "B2", "B3 REFUSED"))
	bo.settled(path)
	for _, early := range []string{"/receipts", "/receipts.zip"} {
		if p := bo.get(path + early); p.status != http.StatusNotFound {
			t.Errorf("%s before it is sent: %d", early, p.status)
		}
	}
	bo.post(path + "/confirm")
	bo.settled(path).has(t, path+"/receipts.zip")
	bo.get(path+"/receipts").has(t, "本院 2 条记录已载入 example/network/1 的日志", ">101</th>", "2026-09-21T14:13:20Z", "<code>ab00", "--proof entry-100.tlog-proof")
	p := bo.get(path + "/receipts.zip")
	if name := p.header.Get("Content-Disposition"); !strings.Contains(name, "receipts-20261127-090000.zip") {
		t.Errorf("the archive is named %s", name)
	}
	z, err := zip.NewReader(bytes.NewReader([]byte(p.body)), int64(len(p.body)))
	must(t, err)
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name)
	}
	if got := strings.Join(names, " "); got != "entry-100.tlog-proof entry-101.tlog-proof policy.txt receipts.html" {
		t.Errorf("the archive holds %s", got)
	}
	page, err := z.Open("receipts.html")
	must(t, err)
	said, err := io.ReadAll(page)
	must(t, errors.Join(err, page.Close()))
	if !strings.Contains(string(said), "<td>名单.csv</td><td>101</td>") || strings.Contains(string(said), "条目</th>") {
		t.Errorf("the page to print is %s", said)
	}
	if p := w.signsIn("cy").get(path + "/receipts.zip"); p.status != http.StatusNotFound {
		t.Errorf("another's receipts: %d", p.status)
	}
}
