package view_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/raresync/raresync/daemon/console"
	"github.com/raresync/raresync/daemon/console/consoletest"
	"github.com/raresync/raresync/daemon/dataset"
	"github.com/raresync/raresync/daemon/report"
	"github.com/raresync/raresync/daemon/view"
)

// exportNation reads the log and writes all registrations in a form, once for each
// round; the entries are all that are read.
func exportNation(b *testing.B, n *view.Nation, form string) {
	size, r := n.M.View().Tree.Size(), n.Reader()
	if _, err := r.Changes(b.Context()); err != nil { // a daemon follows them
		b.Fatal(err)
	}
	for b.Loop() {
		began, used := time.Now(), cpu()
		set, err := dataset.Collect(b.Context(), r, dataset.Options{
			Size: size, Project: "p", Genetics: true, Day: func(uint64) string { return "2026-11-28" }, Of: func(uint32) dataset.Hospital { return dataset.Hospital{} },
		})
		if err != nil {
			b.Fatal(err)
		}
		for _, file := range dataset.Files(form) {
			if err := set.Write(form, file, io.Discard); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(size)/time.Since(began).Seconds(), "entries/s")
		b.ReportMetric(float64(size)/(cpu()-used), "entries/cpu-s")
		b.ReportMetric(float64(len(set.Rows)), "rows")
	}
}

// BenchmarkMorning measures what a national coordinator waits for: how fast the view is
// built, and how long each page of the console and each report take once nothing changes. NATION is a directory in which the log is kept, NATION_ENTRIES how
// many entries it has; make morning sets both.
func BenchmarkMorning(b *testing.B) {
	dir, entries := os.Getenv("NATION"), 3000
	if dir == "" {
		dir = b.TempDir()
	}
	if n, err := strconv.Atoi(os.Getenv("NATION_ENTRIES")); err == nil {
		entries = n
	}
	n := view.OpenNation(b, dir, entries)
	b.Run("rebuild", func(b *testing.B) {
		for b.Loop() {
			began, used := time.Now(), cpu()
			v, closed := n.OpenView(b)
			if err := v.Read(b.Context(), func(q view.Query) error { return q.Cases(func(*view.Case) {}) }); err != nil {
				b.Fatal(err)
			}
			took, size := time.Since(began).Seconds(), float64(n.M.View().Tree.Size())
			b.ReportMetric(size/took, "entries/s")
			b.ReportMetric(size/(cpu()-used), "entries/cpu-s")
			closed()
		}
	})
	for _, form := range []string{"parquet", "csv"} {
		b.Run("export-"+form, func(b *testing.B) { exportNation(b, n, form) })
	}
	v, closed := n.OpenView(b)
	b.Cleanup(closed)
	m := &morning{w: consoletest.Over(b, n.M, v)}
	m.signIn(b)
	for _, path := range []string{"/", "/diseases", "/diseases/1.3", "/hospitals", "/hospitals/7", "/quality", "/cohorts", "/cohorts?disease=1.3&sex=1&from=2018", "/cohorts?province=31"} {
		b.Run("page"+strings.ReplaceAll(path, "/", "-"), func(b *testing.B) { measure(b, func(t testing.TB) { m.get(t, path) }) })
	}
	look := func(t testing.TB, f func(view.Query) error) {
		if err := v.Read(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	for _, l := range report.List() {
		b.Run("report-"+l.Name, func(b *testing.B) {
			measure(b, func(t testing.TB) {
				look(t, func(q view.Query) error {
					_, err := report.Make(q, l.Name, report.Options{Disease: "1.3"})
					return err
				})
			})
		})
	}
	b.Run("sql-persons", func(b *testing.B) { // the barest SQL, for comparison
		measure(b, func(t testing.TB) {
			look(t, func(q view.Query) error {
				var persons, cases int64
				return q.One(`SELECT count(DISTINCT person), count(*) FROM registrations`, nil, &persons, &cases)
			})
		})
	})
}

// morning is a coordinator who is signed in.
type morning struct {
	w       *consoletest.World
	cookies []*http.Cookie
}

func (m *morning) serve(r *http.Request) *httptest.ResponseRecorder {
	for _, c := range m.cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	m.w.Console.ServeHTTP(w, r)
	return w
}

func (m *morning) signIn(b testing.TB) {
	r := httptest.NewRequest(http.MethodPost, "https://console.example/sign-in", strings.NewReader(url.Values{"name": {console.Coordinator}, "password": {consoletest.Password}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer := m.serve(r)
	if m.cookies = answer.Result().Cookies(); len(m.cookies) == 0 {
		b.Fatal(answer.Code, answer.Body.String())
	}
}

func (m *morning) get(t testing.TB, path string) string {
	answer := m.serve(httptest.NewRequest(http.MethodGet, "https://console.example"+path, nil))
	if answer.Code != http.StatusOK {
		t.Fatal(path, answer.Code, answer.Body.String())
	}
	return answer.Body.String()
}

// measure times something that has been done once before.
func measure(b *testing.B, do func(testing.TB)) {
	do(b)
	b.ResetTimer()
	used := cpu()
	for b.Loop() {
		do(b)
	}
	b.ReportMetric((cpu()-used)*1000/float64(b.N), "cpu-ms")
	b.ReportMetric(b.Elapsed().Seconds()*1000/float64(b.N), "ms")
}

// cpu is how many seconds of processor time this process has used.
func cpu() float64 {
	raw, err := os.ReadFile(filepath.Join("/proc", "self", "stat"))
	fields := strings.Fields(string(raw[strings.LastIndexByte(string(raw), ')')+1:]))
	if err != nil || len(fields) < 13 {
		return 0 // not on Linux
	}
	user, _ := strconv.ParseFloat(fields[11], 64)
	system, _ := strconv.ParseFloat(fields[12], 64)
	return (user + system) / 100
}
