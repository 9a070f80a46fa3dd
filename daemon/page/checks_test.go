package page

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/delivery"
)

// drawing is what letters draw.
type drawing struct{ w *world }

func (d drawing) Checks(context.Context) ([]Check, error) {
	d.w.mu.Lock()
	defer d.w.mu.Unlock()
	return slices.Clone(d.w.drawn), nil
}

// Compare refuses result 1, and loses the network at 3.
func (d drawing) Compare(_ context.Context, index uint64, of admin.Compared) (admin.QueryResult, error) {
	d.w.mu.Lock()
	defer d.w.mu.Unlock()
	switch {
	case of.Result == 3:
		return admin.QueryResult{}, errors.New("secret of the network")
	case of.Result == 1:
		return admin.QueryResult{Outcome: delivery.Refused, Findings: []admin.Finding{{Code: "QY003", Severity: "E"}}}, nil
	}
	for i := range d.w.drawn {
		if c := &d.w.drawn[i]; c.Index == index && c.Letter == of.Letter {
			c.Result, c.Differs = of.Result, of.Differs
		}
	}
	return admin.QueryResult{Outcome: delivery.Accepted}, nil
}

func TestAClerkComparesWhatALetterDraws(t *testing.T) {
	w := newWorld(t)
	bo := w.signsIn("bo")
	bo.get("/checks").has(t, "没有待核对的登记", `<a href="/checks" aria-current="page">`)
	for _, index := range []uint64{7, 9} {
		w.drawn = append(w.drawn, Check{Check: admin.Check{Letter: 30, Month: "2026-10", Hospital: 1, Index: index, CaseNumber: "4Q8X-92JK-M3TV-7D"}, Date: "2020-05-06", Disease: "法布雷病"})
	}
	w.drawn[0].Result = 1
	list := bo.get("/checks")
	list.has(t, "待核对：1", "法布雷病", "4Q8X-92JK-M3TV-7D", "2026-10", "未核对", "一致")
	if strings.Index(list.body, "/checks/30/9") > strings.Index(list.body, "/checks/30/7") {
		t.Error("what is to be compared is not first")
	}
	bo.get("/checks/30/9").has(t, "法布雷病", "raresync entry correct 9", "case-number link show 4Q8X-92JK-M3TV-7D", `value="onset"`)
	for _, form := range [][]string{{}, {"result", "0"}, {"result", "4"}, {"result", "x"}, {"result", "2"}, {"result", "1", "differs", "sex"}, {"result", "2", "differs", "<b>"}} {
		p := bo.post("/checks/30/9", form...)
		if p.status != http.StatusUnprocessableEntity || strings.Contains(p.body, "<b>") {
			t.Errorf("%q: %d", form, p.status)
		}
	}
	if p := bo.post("/checks/30/9", "result", "3"); p.status != http.StatusServiceUnavailable || strings.Contains(p.body, "secret") {
		t.Errorf("without a network: %d %s", p.status, p.body)
	}
	if p := bo.post("/checks/30/9", "result", "1"); p.status != http.StatusUnprocessableEntity || !strings.Contains(p.body, "QY003") {
		t.Errorf("what is refused: %d %s", p.status, p.body)
	}
	if p := bo.post("/checks/30/9", "result", "2", "differs", "onset"); p.header.Get("Location") != "/checks" {
		t.Errorf("compared: %d %s", p.status, p.body)
	}
	bo.get("/checks/30/9").has(t, "不一致", "起病", `value="onset" checked`)
	bo.get("/checks?lang=en")
	bo.get("/checks").has(t, "To be compared: 0", "differs", "onset")
	for _, path := range []string{"/checks/30/8", "/checks/31/9", "/checks/x/9", "/checks/30/-1"} {
		if p := bo.get(path); p.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, p.status)
		}
	}
	if p := w.browser().post("/checks/30/9", "result", "1"); p.header.Get("Location") != "/sign-in" {
		t.Errorf("nobody compares: %d", p.status)
	}
	if want := []string{"check answered on the page by bo: 1"}; !slices.Equal(w.trail, want) {
		t.Errorf("the trail has %q", w.trail)
	}
}
