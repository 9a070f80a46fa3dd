package meter

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/daemon/quota"
)

// shown is what a scrape returns.
func shown(t *testing.T, m *Meter) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("a scrape: %d %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func wants(t *testing.T, m *Meter, lines ...string) {
	t.Helper()
	text := shown(t, m)
	for _, want := range lines {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestRequestsAreToldApartByPatternAlone(t *testing.T) {
	m := New()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/entries/{index}", func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("index") == "7" {
			w.WriteHeader(http.StatusNotFound)
		}
		if _, ok := w.(http.Flusher); !ok {
			t.Error("what streams cannot flush")
		}
	})
	mux.HandleFunc("GET /v1/gone", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	timed := m.Timed("admin", mux)
	for _, path := range []string{"/v1/entries/1", "/v1/entries/2", "/v1/entries/7", "/v1/zhang", "/v1/gone"} {
		func() {
			defer func() { _ = recover() }()
			timed.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "GET", path, nil))
		}()
	}
	wants(t, m,
		`raresync_http_request_duration_seconds_count{code="200",handler="GET /v1/entries/{index}",server="admin"} 2`,
		`raresync_http_request_duration_seconds_count{code="404",handler="GET /v1/entries/{index}",server="admin"} 1`,
		`raresync_http_request_duration_seconds_count{code="404",handler="none",server="admin"} 1`,
		`raresync_http_request_duration_seconds_count{code="200",handler="GET /v1/gone",server="admin"} 1`)
	if text := shown(t, m); strings.Contains(text, "zhang") {
		t.Errorf("what was asked for is a label:\n%s", text)
	}
}

// asked answers with an error.
type asked struct{ err error }

func (a asked) Pseudonyms(context.Context, [][]byte) ([]pseudonym.Pseudonym, error) {
	return nil, a.err
}

func TestRequestsForPseudonymsAreCountedByWhatCameOfThem(t *testing.T) {
	m := New()
	wants(t, m, `raresync_oprf_asked_total{result="ok"} 0`) // a rate begins somewhere
	for _, err := range []error{nil, nil, quota.ErrOver, errors.New("no holder")} {
		_, got := m.Asking(asked{err}).Pseudonyms(t.Context(), nil)
		if !errors.Is(got, err) {
			t.Errorf("the answer is %v, want %v", got, err)
		}
	}
	wants(t, m, `raresync_oprf_asked_total{result="ok"} 2`, `raresync_oprf_asked_total{result="over-quota"} 1`, `raresync_oprf_asked_total{result="failed"} 1`,
		`raresync_submit_duration_seconds_count{stage="pseudonymise"} 4`)
}

func TestGaugesAreAskedAtEachScrape(t *testing.T) {
	m := New()
	scrapes := 0.0
	m.Gauges(func() []Gauge {
		scrapes++
		return []Gauge{
			{Name: "ready", Help: "h", Samples: []Sample{{Value: scrapes}}},
			{Name: "filed_total", Help: "h", Labels: []string{"state"}, Samples: []Sample{{[]string{"done"}, 3}}, Counts: true},
			{Name: "nothing", Help: "h"},
		}
	})
	wants(t, m, "raresync_ready 1")
	wants(t, m, "raresync_ready 2", "# TYPE raresync_ready gauge", `raresync_filed_total{state="done"} 3`, "# TYPE raresync_filed_total counter")
	if text := shown(t, m); strings.Contains(text, "raresync_nothing") {
		t.Error("a gauge without samples is shown")
	}
}

func TestTimesAreSeconds(t *testing.T) {
	m := New()
	m.Committed(250 * time.Millisecond)
	m.Applied(3, time.Millisecond)
	wants(t, m, "raresync_raft_commit_duration_seconds_sum 0.25", `raresync_raft_commit_duration_seconds_bucket{le="0.25"} 1`,
		`raresync_raft_commit_duration_seconds_bucket{le="0.1"} 0`, "raresync_envelopes_applied_total 3")
}
