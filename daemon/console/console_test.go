package console_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/raresync/raresync/daemon/console"
	"github.com/raresync/raresync/daemon/console/consoletest"
	"github.com/raresync/raresync/daemon/site"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// pages are all that a coordinator may open, and what a page of its kind says.
func pages() map[string]string {
	return map[string]string{
		"/": "本节点已核验", "/diseases": "207 / 207", "/diseases?q=Fabry": "法布雷病", "/diseases/1.1": "目录信息", "/hospitals": "第1医院", "/hospitals?state=silent&province=11": "状态",
		"/hospitals/1": "近 12 个月登记", "/quality": "各医院完整率", "/cohorts": "按出生性别", "/cohorts?disease=1.1&sex=1&province=11&from=2020&to=2026": "患者", "/queries": "未答复", "/queries/ask?index=3&rule=DX001": "所问条目", "/quality/rules/RQ001": "发现问题的登记",
		"/log": "最新信封", "/log?before=5": "信封号", "/log/entries/3": "包含证明", "/log/entry?index=4": "日志中的记录", "/nodes": "投票节点", "/reports": "可打印", "/password": "当前密码",
	}
}

// browser is somebody's.
type browser struct {
	t      *testing.T
	at     string
	client *http.Client
}

type answer struct {
	status int
	path   string
	header http.Header
	body   string
}

func serve(t *testing.T) (*consoletest.World, string) {
	t.Helper()
	w := consoletest.New(t)
	server := httptest.NewTLSServer(w.Console)
	t.Cleanup(server.Close)
	return w, server.URL
}

func open(t *testing.T, at string) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	must(t, err)
	server := &http.Client{Jar: jar, Transport: transport(t)}
	return &browser{t, at, server}
}

func transport(t *testing.T) *http.Transport {
	tr := http.DefaultTransport.(*http.Transport).Clone()
	tr.TLSClientConfig.InsecureSkipVerify = true
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

func (b *browser) do(method, path string, form url.Values) answer {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.at+path, strings.NewReader(form.Encode()))
	must(b.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	a, err := b.client.Do(r)
	must(b.t, err)
	defer a.Body.Close()
	raw, err := io.ReadAll(a.Body)
	must(b.t, err)
	return answer{a.StatusCode, a.Request.URL.Path, a.Header, string(raw)}
}

func (b *browser) get(path string) answer {
	b.t.Helper()
	return b.do(http.MethodGet, path, nil)
}

func signsIn(t *testing.T, at, name string) *browser {
	t.Helper()
	b := open(t, at)
	if a := b.do(http.MethodPost, "/sign-in", url.Values{"name": {name}, "password": {consoletest.Password}}); a.status != http.StatusOK || a.path == "/sign-in" {
		t.Fatalf("%s signs in: %d at %s: %s", name, a.status, a.path, a.body)
	}
	return b
}

func TestACoordinatorReadsEveryPageAndNothingOnItRuns(t *testing.T) {
	w, at := serve(t)
	b := signsIn(t, at, console.Coordinator)
	for path, says := range pages() {
		zh := b.get(path)
		if zh.status != http.StatusOK || !strings.Contains(zh.body, says) {
			t.Errorf("%s: %d without %q:\n%s", path, zh.status, says, zh.body)
		}
		b.get(path[:len(path)-len(query(path))] + "?lang=en")
		en := b.get(path)
		if en.status != http.StatusOK || !strings.Contains(en.body, `<html lang="en">`) {
			t.Errorf("%s in English: %d", path, en.status)
		}
		b.get("/?lang=zh")
		for _, one := range []answer{zh, en} {
			for _, bad := range []string{"<script", "<img", "onerror=alert(1)>", "javascript:"} {
				if strings.Contains(one.body, bad) {
					t.Errorf("%s holds %q", path, bad)
				}
			}
			if csp := one.header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'self'") || !strings.Contains(csp, "script-src 'none'") {
				t.Errorf("%s: the policy is %s", path, csp)
			}
		}
	}
	if a := b.get("/hospitals"); !strings.Contains(a.body, "&lt;script&gt;") || !strings.Contains(a.body, "𠮷🧬") {
		t.Errorf("the hospital with a strange name is not shown as it is named:\n%s", a.body)
	}
	trail, reads := w.Said()
	if !slices.Contains(trail, "console: signed in: coordinator (coordinator)") {
		t.Errorf("the sign-in is not recorded: %v", trail)
	}
	for _, want := range []string{"overview", "diseases", "disease 1.1", "hospitals", "hospital 1", "quality", "cohort disease=1.1 sex=1 province=11 from=2020 to=2026", "queries"} {
		if !slices.Contains(reads, "coordinator: "+want) {
			t.Errorf("a look at %s is not recorded: %v", want, reads)
		}
	}
}

func query(path string) string {
	if i := strings.IndexByte(path, '?'); i >= 0 {
		return path[i:]
	}
	return ""
}

func TestWhatCannotBeRecordedIsNotShown(t *testing.T) {
	w, at := serve(t)
	b := signsIn(t, at, console.Coordinator)
	w.Deny()
	for path := range pages() {
		public := strings.HasPrefix(path, "/log") || path == "/nodes" || path == "/password" || path == "/reports"
		if a := b.get(path); (a.status == http.StatusOK) != public {
			t.Errorf("%s: %d with a trail that cannot be written", path, a.status)
		}
	}
	if a := b.get("/reports/provinces?format=json"); a.status != http.StatusServiceUnavailable || !strings.Contains(a.body, "无法记录") {
		t.Errorf("a report: %d %s", a.status, a.body)
	}
}

func TestEachRoleOpensWhatIsItsOwn(t *testing.T) {
	_, at := serve(t)
	may := map[string][]string{
		console.Coordinator: {"/", "/diseases", "/hospitals", "/quality", "/cohorts", "/queries", "/log", "/nodes", "/reports", "/reports/silent"},
		console.QC:          {"/", "/hospitals", "/quality", "/queries", "/log", "/nodes", "/reports", "/reports/silent"},
		console.Biobank:     {"/", "/diseases", "/cohorts", "/log", "/nodes", "/reports", "/reports/silent"},
		console.DPO:         {"/log", "/nodes", "/reports", "/reports/silent"},
		console.Auditor:     {"/log", "/nodes", "/reports", "/reports/silent"},
		site.Admin:          {"/log", "/nodes", "/accounts"},
	}
	all := append(slices.Clone(may[console.Coordinator]), "/accounts", "/diseases/1.1", "/hospitals/1")
	for role, paths := range may {
		b := signsIn(t, at, role)
		for _, path := range all {
			section := "/" + strings.Split(path+"/", "/")[1]
			want := slices.Contains(paths, section)
			a := b.get(path)
			if got := a.status == http.StatusOK && a.path == path; got != want {
				t.Errorf("%s at %s: %d at %s, want %v", role, path, a.status, a.path, want)
			}
		}
	}
	for _, path := range append(all, "/log/policy", "/log/entries/1/proof") {
		if a := open(t, at).get(path); a.path != "/sign-in" {
			t.Errorf("who is not signed in gets to %s: %s", path, a.path)
		}
	}
}

func TestAProvincesCoordinatorSeesItsProvinceAlone(t *testing.T) {
	_, at := serve(t)
	nation, shanghai := signsIn(t, at, console.Coordinator), signsIn(t, at, "shanghai")
	for path := range pages() {
		if strings.HasPrefix(path, "/log") || path == "/nodes" || strings.HasPrefix(path, "/password") {
			continue // public, or of the account
		}
		a := shanghai.get(path)
		for _, other := range []string{"第1医院", "第2医院", "第四="} {
			if strings.Contains(a.body, other) {
				t.Errorf("%s shows %s to Shanghai's coordinator", path, other)
			}
		}
	}
	if a := shanghai.get("/hospitals/1"); a.status != http.StatusNotFound {
		t.Errorf("another province's hospital: %d", a.status)
	}
	first := regexp.MustCompile(`<dt>患者</dt><dd>([0-9,]+)</dd>`)
	whole, part := first.FindStringSubmatch(nation.get("/").body), first.FindStringSubmatch(shanghai.get("/").body)
	if whole == nil || part == nil || whole[1] != "60" || part[1] == "60" || part[1] == "0" {
		t.Errorf("the nation has %v patients, Shanghai %v", whole, part)
	}
	if a := shanghai.get("/cohorts?province=11"); !strings.Contains(a.body, "<dt>患者</dt><dd>0</dd>") {
		t.Errorf("Shanghai's coordinator counts in Beijing:\n%s", a.body)
	}
	for path, says := range map[string]string{"/reports/months": "（上海的医院）", "/reports/duplicates?format=csv": "（上海的医院）", "/reports/quality?format=json": "（上海的医院）"} {
		if a := shanghai.get(path); !strings.Contains(a.body, says) {
			t.Errorf("%s does not say that it is of a province:\n%s", path, a.body)
		}
		if a := nation.get(path); strings.Contains(a.body, says) {
			t.Errorf("%s of the nation says that it is of a province", path)
		}
	}
	if a := shanghai.get("/queries"); strings.Count(a.body, "status open\"")+strings.Count(a.body, "已更正") != 1 {
		t.Errorf("Shanghai's queries:\n%s", a.body)
	}
}

func TestPrintedReportsAreSuppressedAndRunNothing(t *testing.T) {
	_, at := serve(t)
	b := signsIn(t, at, console.Coordinator)
	for _, name := range []string{"silent", "quality", "provinces", "coverage", "duplicates", "specimens", "drugs", "months", "checks", "queries", "withdrawals", "convergence", "disease"} {
		for _, format := range []string{"html", "csv", "json"} {
			a := b.get("/reports/" + name + "?format=" + format + "&disease=1.1")
			if a.status != http.StatusOK || strings.Contains(a.body, "<script>") && format == "html" {
				t.Errorf("%s as %s: %d %s", name, format, a.status, a.body)
			}
			if csp := a.header.Get("Content-Security-Policy"); strings.Contains(csp, "unsafe") || !strings.Contains(csp, "default-src 'self'") {
				t.Errorf("%s as %s: the policy is %s", name, format, csp)
			}
			if format == "csv" && regexp.MustCompile(`(?m)(^|,)"?=1\+1`).MatchString(a.body) {
				t.Errorf("%s as CSV begins a cell with a formula:\n%s", name, a.body)
			}
		}
	}
	if a := b.get("/reports/provinces?format=csv"); !strings.Contains(a.body, "小于 11 的人数不予显示") && !strings.Contains(a.body, "11") {
		t.Errorf("the report does not say what is withheld: %s", a.body)
	}
}

func TestRubbishIsAnsweredInWords(t *testing.T) {
	_, at := serve(t)
	b := signsIn(t, at, console.Coordinator)
	evil := url.QueryEscape(consoletest.Hostile)
	for path, want := range map[string]int{
		"/diseases?q=" + evil: 200, "/diseases?q=" + strings.Repeat("x", 500): 400, "/diseases/9.9": 404, "/diseases/1.01": 404, "/diseases/" + url.PathEscape(consoletest.Hostile): 404,
		"/hospitals/0": 404, "/hospitals/x": 404, "/hospitals/4": 404, "/hospitals/99999999999": 404, "/hospitals?state=" + evil + "&province=" + evil: 200,
		"/cohorts?disease=x": 400, "/cohorts?sex=9": 400, "/cohorts?from=x": 400, "/cohorts?from=1": 400, "/cohorts?province=" + evil: 400, "/cohorts?to=99999": 400,
		"/log?before=x": 400, "/log?before=" + strings.Repeat("9", 40): 400, "/log/entries/x": 404, "/log/entries/99999": 404, "/log/entries/99999/proof": 200, "/log/entry?index=x": 400,
		"/reports/x": 404, "/reports/silent?format=x": 400, "/reports/disease": 404, "/nothing": 404, "/queries/1": 404, "/queries/ask": 400, "/queries/ask?index=x": 400, "/queries/ask?index=99999": 404, "/queries/ask?index=0": 404, "/quality/rules/x": 404,
	} {
		a := b.get(path)
		if a.status != want || strings.Contains(a.body, "<script>") || strings.Contains(a.body, "<img") {
			t.Errorf("%s: %d, want %d:\n%.2000s", path, a.status, want, a.body)
		}
	}
}

func TestAQuestionIsAskedAndClosedFromTheConsole(t *testing.T) {
	w, at := serve(t)
	b := signsIn(t, at, console.QC)
	if a := b.get("/quality/rules/RQ001"); !strings.Contains(a.body, "/queries/ask?index=") {
		t.Fatalf("no way from a finding to a question:\n%s", a.body)
	}
	if a := b.get("/log/entries/3"); !strings.Contains(a.body, "/queries/ask?index=3") {
		t.Fatalf("no way from an entry to a question:\n%s", a.body)
	}
	ask := func(b *browser, index, code, text string) answer {
		return b.do(http.MethodPost, "/queries/ask", url.Values{"index": {index}, "rule": {code}, "text": {text}})
	}
	if a := ask(b, "3", "DX001", "2"); a.status != http.StatusOK || a.path != "/queries" {
		t.Errorf("asked: %d at %s", a.status, a.path)
	}
	if a := ask(b, "3", "DX001", "6"); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "QY002") {
		t.Errorf("what a rule refuses: %d %s", a.status, a.body)
	}
	for _, bad := range [][3]string{{"x", "DX001", "1"}, {"3", "XX999", "1"}, {"3", "DX001", "0"}, {"3", "DX001", "99"}} {
		if a := ask(b, bad[0], bad[1], bad[2]); a.status != http.StatusBadRequest {
			t.Errorf("%v: %d", bad, a.status)
		}
	}
	if a := b.do(http.MethodPost, "/queries/close", url.Values{"index": {"20"}}); a.status != http.StatusOK || a.path != "/queries" {
		t.Errorf("closed: %d at %s", a.status, a.path)
	}
	trail, _ := w.Said()
	for _, want := range []string{"asked 3 DX001 2", "closed 20", "console: query about entry 3 by qc", "console: query 20 closed by qc"} {
		if !slices.Contains(trail, want) {
			t.Errorf("%q is not recorded: %v", want, trail)
		}
	}
	// Whom the entry is not for neither sees nor asks: another province, another role.
	shanghai, biobank := signsIn(t, at, "shanghai"), signsIn(t, at, console.Biobank)
	if a := shanghai.get("/queries/ask?index=3"); a.status != http.StatusNotFound {
		t.Errorf("another province's entry: %d", a.status)
	}
	if a := ask(shanghai, "3", "DX001", "1"); a.status != http.StatusNotFound {
		t.Errorf("another province asks: %d", a.status)
	}
	if a := shanghai.do(http.MethodPost, "/queries/close", url.Values{"index": {"20"}}); a.status != http.StatusNotFound {
		t.Errorf("another province closes: %d", a.status)
	}
	if a := ask(biobank, "3", "DX001", "1"); a.status != http.StatusForbidden {
		t.Errorf("a biobank asks: %d", a.status)
	}
	if now, _ := w.Said(); len(now) != len(trail)+2 { // two sign-ins
		t.Errorf("something was recorded: %v", now[len(trail):])
	}
}

func TestEveryWordOfTheConsoleIsThereInBothLanguages(t *testing.T) {
	all := console.Words()
	used, keys := map[string]bool{}, 0
	var files []string
	for _, pattern := range []string{"*.go", "templates/*.html", "templates/parts/*.html"} {
		found, err := filepath.Glob(pattern)
		must(t, err)
		files = append(files, found...)
	}
	for _, path := range files {
		raw, err := os.ReadFile(path)
		must(t, err)
		for _, m := range regexp.MustCompile(`(?:\bSay\(|\bt |start\(|Word: |add\(|Fail\([A-Za-z.]+, |printedAs\("[a-z]+", )"([a-zA-Z0-9.]+)"[,)}]?`).FindAllStringSubmatch(string(raw), -1) {
			keys++
			used[m[1]] = true
			if one := all[m[1]]; !strings.HasSuffix(m[1], ".") && !strings.HasSuffix(path, "_test.go") && m[1] != "sex" && (one[0] == "" || one[1] == "") {
				t.Errorf("%s says %q, which has no words", path, m[1])
			}
		}
	}
	for key, one := range all {
		if strings.Count(one[0], "%") != strings.Count(one[1], "%") {
			t.Errorf("%s takes other values in Chinese", key)
		}
	}
	if keys < 100 {
		t.Errorf("only %d uses of words are found", keys)
	}
}
