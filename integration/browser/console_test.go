package browser

import (
	_ "embed"
	"log/slog"
	"net/http/httptest"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/raresync/raresync/daemon/console"
	"github.com/raresync/raresync/daemon/console/consoletest"
	"github.com/raresync/raresync/daemon/site"
)

// axe is axe-core as it is published; testdata/axe has its licence.
//
//go:embed testdata/axe/axe.min.js
var axe string

// violations has axe-core look for what WCAG 2.2 AA forbids, and tells it as a text.
const violations = `axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}).then(r => {
	if (r.passes.length < 10) return 'axe looked at next to nothing';
	return r.violations.map(v => v.id + ' (' + v.impact + '): ' + v.help + ': ' + v.nodes.slice(0, 3).map(n => n.html.slice(0, 160)).join(' | ')).join('\n');
})`

// accessible fails the test for what keeps people from using what is shown.
func (b *tab) accessible(name string) {
	b.t.Helper()
	asks(b, chromedp.Evaluate[bool](axe+"; true"))
	if found := asks(b, chromedp.Evaluate[string](violations, chromedp.EvalAwaitPromise)); found != "" {
		b.t.Errorf("%s (%s):\n%s", name, b.lang, found)
	}
}

// screens are all pages of the console by the names of their pictures.
func screens() map[string]string {
	return map[string]string{
		"overview": "/", "diseases": "/diseases", "disease-search": "/diseases?q=fabry", "disease": "/diseases/1.1", "hospitals": "/hospitals", "hospital": "/hospitals/1", "hospital-odd": "/hospitals/5",
		"quality": "/quality", "cohorts": "/cohorts", "cohort": "/cohorts?sex=1&province=11", "queries": "/queries", "query-ask": "/queries/ask?index=3", "rule": "/quality/rules/RQ001", "log": "/log", "entry": "/log/entries/3", "nodes": "/nodes",
		"reports": "/reports", "password": "/password", "nothing": "/nothing",
	}
}

func consoleAt(t *testing.T) string {
	t.Helper()
	w := consoletest.New(t)
	server := httptest.NewUnstartedServer(w.Console)
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL
}

func (b *tab) signsInAs(name string) {
	b.t.Helper()
	b.opens("/sign-in?lang="+b.lang, "#password")
	b.looks("console-sign-in")
	b.do(chromedp.SendKeys("#name", name), chromedp.SendKeys("#password", consoletest.Password))
	b.clicks("main button[type=submit]", "nav a[aria-current]")
}

func TestACoordinatorsMorningInARealBrowser(t *testing.T) {
	for name, tc := range map[string]struct{ lang string }{"in Chinese": {"zh"}, "in English": {"en"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := open(t, consoleAt(t), tc.lang, true)
			b.signsInAs(console.Coordinator)
			for name, path := range screens() {
				b.opens(path, "main h1")
				if name == "nothing" {
					b.forgive("404")
				}
				b.looks("console-" + name)
				b.accessible(name)
			}
			b.opens("/reports/provinces", "table")
			b.opens("/", "header button")
			b.clicks("header button", "#password")
			b.accessible("sign-in")
			b.signsInAs(site.Admin)
			b.opens("/accounts", "#set-new")
			b.looks("console-accounts")
			b.accessible("accounts")
			b.mu.Lock()
			defer b.mu.Unlock()
			for _, text := range b.wrong {
				t.Errorf("the browser complains: %s", text)
			}
		})
	}
}

// TestTheConsoleNeedsNoScript goes the way of a morning where no script runs.
func TestTheConsoleNeedsNoScript(t *testing.T) {
	b := open(t, consoleAt(t), "zh", false)
	b.signsInAs("shanghai")
	b.reads("仅限上海的医院")
	b.opens("/diseases", "#f-q")
	b.do(chromedp.SendKeys("#f-q", "法布雷"))
	b.clicks(".ask button", "#diseases-title")
	b.reads("法布雷病")
	b.clicks(`a[href^="/diseases/"]`, "#about-title")
	b.clicks("details summary", "details[open] table")
	b.opens("/log", "#f-index")
	b.do(chromedp.SendKeys("#f-index", "3"))
	b.clicks(".ask button", "pre")
	b.reads("raresync log verify --policy")
}
