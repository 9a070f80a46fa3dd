package browser

import (
	"bytes"
	"context"
	"fmt"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/chromedp"
)

const (
	width, height = 1366, 768
	patience      = 5 * time.Minute // for all of it, on a loaded machine
)

// tab is a tab of the browser that somebody looks at.
type tab struct {
	t    *testing.T
	ctx  context.Context
	at   string // of the page
	lang string

	mu    sync.Mutex // guards what follows
	wrong []string   // what the browser complains of
}

// open starts a browser. Without Chromium the test fails where all is demanded and
// is skipped elsewhere.
func open(t *testing.T, at, lang string, script bool) *tab {
	t.Helper()
	path, err := exec.LookPath("chromium")
	switch {
	case err == nil:
	case os.Getenv("RARESYNC_REQUIRE_ROOT") == "1":
		t.Fatalf("the page is not looked at: %v", err)
	default:
		t.Skipf("the page is not looked at: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.IgnoreCertErrors, chromedp.WindowSize(width, height),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.UserDataDir(t.TempDir()), chromedp.WSURLReadTimeout(patience))
	ctx, stop := chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	b := &tab{t: t, ctx: ctx, at: at, lang: lang}
	b.do(chromedp.EmulateViewport(width, height), chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !script})
		return err
	}))
	if err := chromedp.Listen(ctx, func(event any) {
		if e, ok := event.(*log.EventEntryAdded); ok && e.Entry.Level == log.EntryLevelError {
			b.mu.Lock()
			b.wrong = append(b.wrong, e.Entry.Text+" "+e.Entry.URL)
			b.mu.Unlock()
		}
	}); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// until waits until something is true in the page.
func (b *tab) until(expression string) {
	b.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !asks(b, chromedp.Evaluate[bool](expression)) {
		select {
		case <-tick.C:
		case <-b.ctx.Done():
			b.t.Fatalf("never true: %s", expression)
		}
	}
}

// reads waits until the page shows a text, sees until it shows what a selector picks.
func (b *tab) reads(text string) {
	b.t.Helper()
	b.until(fmt.Sprintf(`(document.querySelector('main')?.innerText ?? '').includes(%q)`, text))
}

func (b *tab) sees(selector string) {
	b.t.Helper()
	b.until(fmt.Sprintf(`document.readyState === 'complete' && (document.querySelector(%q)?.getClientRects().length ?? 0) > 0`, selector))
}

// opens goes to a path, and sees something there.
func (b *tab) opens(path, selector string) {
	b.t.Helper()
	b.do(chromedp.Navigate(b.at + path))
	b.sees(selector)
}

// clicks clicks, and sees what that leads to.
func (b *tab) clicks(button, selector string) {
	b.t.Helper()
	b.do(chromedp.Click(button))
	b.sees(selector)
}

// faults are measured in the browser, and are told as texts.
const faults = `(() => {
	const out = [];
	const show = e => e.outerHTML.slice(0, 120);
	if (document.documentElement.scrollWidth > innerWidth) out.push('wider than the screen: ' + document.documentElement.scrollWidth);
	for (const e of document.querySelectorAll('input:not([type=hidden]), select'))
		if (!e.labels || !e.labels.length) out.push('no label: ' + show(e));
	for (const what of ['main', 'h1', 'header'])
		if (document.querySelectorAll(what).length !== 1) out.push('not one ' + what);
	if (document.querySelectorAll('script, [style], iframe').length) out.push('a script or a style');
	const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
	if (new Set(ids).size !== ids.length) out.push('an id twice');
	for (const e of document.querySelectorAll('[aria-labelledby], [aria-describedby]'))
		for (const id of ((e.getAttribute('aria-labelledby') || '') + ' ' + (e.getAttribute('aria-describedby') || '')).trim().split(' '))
			if (!document.getElementById(id)) out.push('refers to nothing: ' + id);
	const numbers = c => c.match(/[\d.]+/g).map(Number);
	const light = c => { const [r, g, b] = c.slice(0, 3).map(v => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
	const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let n; (n = walk.nextNode());) {
		const e = n.parentElement;
		if (!n.data.trim() || !e.getClientRects().length || e.closest('[aria-hidden], .skip')) continue;
		let under = e;
		while (under && (numbers(getComputedStyle(under).backgroundColor)[3] ?? 1) === 0) under = under.parentElement;
		const back = under ? numbers(getComputedStyle(under).backgroundColor) : [255, 255, 255];
		const [x, y] = [light(numbers(getComputedStyle(e).color)), light(back)].sort((a, b) => b - a);
		const contrast = (x + 0.05) / (y + 0.05);
		if (contrast < 4.5) out.push('contrast ' + contrast.toFixed(2) + ': ' + show(e));
	}
	return out.join('\n');
})()`

// oneTry is how long an answer may take: a page that goes away may take it along.
const oneTry = 20 * time.Second

// asks has the browser work something out. A page that looks again by itself may be
// gone meanwhile: then the next one is asked.
func asks[T any](b *tab, a chromedp.Action[T]) T {
	b.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		ctx, cancel := context.WithTimeout(b.ctx, oneTry)
		got, err := chromedp.Run(ctx, a)
		cancel()
		if err == nil {
			return got
		}
		select {
		case <-tick.C:
		case <-b.ctx.Done():
			b.t.Fatal(err)
		}
	}
}

// looks measures what is shown and takes its picture.
func (b *tab) looks(name string) {
	b.t.Helper()
	found := asks(b, chromedp.Evaluate[string](faults))
	if found != "" {
		b.t.Errorf("%s (%s):\n%s", name, b.lang, found)
	}
	lang := asks(b, chromedp.Evaluate[string](`document.documentElement.lang`))
	if want := map[string]string{"zh": "zh-CN", "en": "en"}[b.lang]; lang != want {
		b.t.Errorf("%s is in %q, want %q", name, lang, want)
	}
	raw := asks(b, chromedp.CaptureScreenshot())
	picture, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		b.t.Fatal(err)
	}
	colours := map[[4]uint32]bool{}
	for x := 0; x < picture.Bounds().Dx(); x += 3 {
		for y := 0; y < picture.Bounds().Dy(); y += 3 {
			r, g, bl, a := picture.At(x, y).RGBA()
			colours[[4]uint32{r, g, bl, a}] = true
		}
	}
	if size := picture.Bounds().Size(); size.X != width || size.Y != height || len(colours) < 20 {
		b.t.Errorf("%s: a picture of %v with %d colours", name, size, len(colours))
	}
	if dir := os.Getenv("PAGE_SHOTS"); dir != "" {
		whole := asks(b, chromedp.FullScreenshot(100))
		err := os.MkdirAll(dir, 0o755)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, b.lang+"-"+name+".png"), whole, 0o644)
		}
		if err != nil {
			b.t.Fatal(err)
		}
	}
}

func (b *tab) signsIn(name string) {
	b.t.Helper()
	b.opens("/sign-in?lang="+b.lang, "#password")
	b.looks("sign-in")
	b.do(chromedp.SendKeys("#name", name), chromedp.SendKeys("#password", rightPassword))
	b.clicks("main button[type=submit]", "#file")
}

// words are what the page says in the two languages, of what the test looks for.
var words = map[string]struct{ wrong, none, left, confirm, done, locked, papers string }{
	"zh": {"账号或密码错误", "尚未提交过文件", "目前没有任何内容离开本院", "确认并上报已通过的部分", "部分接受", "已锁定", "随附了证件文件"},
	"en": {"The name or the password is wrong", "Nothing has been handed in yet", "Nothing has left the hospital yet", "Confirm and send the accepted", "Partly accepted", "Locked", "A file of documents came with it"},
}

func TestAClerkHandsInAFileInARealBrowser(t *testing.T) {
	for name, tc := range map[string]struct {
		lang, account string
		script        bool
	}{
		"in Chinese, without JavaScript": {"zh", "bo", false},
		"in English":                     {"en", "anna", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := serve(t)
			b, says := open(t, d.address, tc.lang, tc.script), words[tc.lang]
			b.opens("/?lang="+tc.lang, "#password")
			b.do(chromedp.SendKeys("#name", tc.account), chromedp.SendKeys("#password", "a wrong password"))
			b.clicks("main button[type=submit]", "[role=alert]")
			b.reads(says.wrong)
			b.looks("sign-in-failed")
			b.forgive("401")
			b.signsIn(tc.account)
			b.reads(says.none)
			b.looks("deliveries-none")

			b.do(chromedp.SetUploadFiles("#file", []string{d.file}))
			b.clicks("main button[type=submit]", `form[action$="/confirm"]`) // the page looks again by itself
			b.reads(says.left)
			b.reads(says.confirm)
			b.looks("preview")
			if title := asks(b, chromedp.Title()); strings.Contains(title, "csv") {
				t.Errorf("the title is %q", title)
			}
			if d.taken() != 0 {
				t.Error("something was sent before it was confirmed")
			}
			d.hold()
			b.clicks(`form[action$="/confirm"] button`, "[role=status]")
			b.looks("on-its-way")
			d.release()
			b.reads(says.done)
			b.looks("result")
			b.clicks(`a[href$="/receipts"]`, "table.receipts")
			b.reads("example/network/1")
			b.looks("receipts")
			b.opens("/", "#file")
			b.reads(says.done)
			b.looks("deliveries")
			b.do(chromedp.SetUploadFiles("#file", []string{d.packet}), chromedp.SetUploadFiles("#identities", []string{d.papers}))
			b.looks("documents-beside-a-file")
			b.clicks("main button[type=submit]", `form[action$="/confirm"]`)
			b.reads(says.papers)
			b.looks("preview-with-documents")
			if got := d.given(); len(got) != 1 || got[0] != "X1234567" {
				t.Errorf("the documents given are %q", got)
			}
			b.clicks(`nav a[href="/queries"]`, `a[href="/queries/1201"]`)
			b.looks("queries")
			b.clicks(`a[href="/queries/1201"]`, "#text-1")
			b.looks("query")
			b.do(chromedp.Click("#text-1"))
			b.clicks("main form button", ".note.good")
			b.looks("query-answered")
			b.clicks(`nav a[href="/letters"]`, `a[href="/letters/1300"]`)
			b.looks("letters")
			b.clicks(`a[href="/letters/1300"]`, "table")
			b.looks("letter")
			b.opens("/letters", "main table")
			b.clicks(`nav a[href="/checks"]`, `a[href="/checks/1300/1071"]`)
			b.clicks(`a[href="/checks/1300/1071"]`, "#result-2")
			b.do(chromedp.Click("#result-2"), chromedp.Click("#differs-onset"))
			b.looks("check")
			b.clicks("main form button", `td .status.good`)
			b.looks("checks")
			b.opens("/password", "#old")
			b.looks("password")
			if tc.account == "anna" {
				b.opens("/accounts", "#set-new")
				b.do(chromedp.Click(`[aria-label="Lock bo"]`))
				b.reads(says.locked)
				b.looks("accounts")
			}
			b.clicks("header button", "#password")
			b.opens("/", "#password")
			b.mu.Lock()
			defer b.mu.Unlock()
			for _, text := range b.wrong {
				t.Errorf("the browser complains: %s", text)
			}
		})
	}
}

// forgive takes back complaints of an answer that was meant.
func (b *tab) forgive(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	kept := b.wrong[:0]
	for _, one := range b.wrong {
		if !strings.Contains(one, text) {
			kept = append(kept, one)
		}
	}
	b.wrong = kept
}
