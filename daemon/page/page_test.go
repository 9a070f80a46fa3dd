package page

import (
	"errors"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/daemon/site"
)

func TestAFileIsPreviewedConfirmedAndItsUploadDestroyed(t *testing.T) {
	w := newWorld(t)
	bo := w.signsIn("bo")
	path, p := bo.upload("名单 王五.csv", tableOf("B1", "B2 CHANGED", "B3 LINKED", "B4 KNOWN", "B5 REFUSED"))
	if p.status != http.StatusSeeOther {
		t.Fatalf("upload: %d %s", p.status, p.body)
	}
	p = bo.settled(path)
	p.has(t, "目前没有任何内容离开本院", "名单 王五.csv", "DX001", "DU005", "确认并上报已通过的部分", "第 6 行", "疾病名称")
	for _, tile := range []string{"新增</dt><dd>1<", "有变化</dt><dd>1<", "将关联</dt><dd>1<", "已有</dt><dd>1<", "被拒绝</dt><dd>1<"} {
		p.has(t, tile)
	}
	if strings.Contains(p.body, secret) || strings.Contains(path, "王五") || !strings.Contains(p.body, "<title>预览 – raresync</title>") {
		t.Errorf("the preview shows who a patient is:\n%s", p.body)
	}
	if w.sent != 0 || w.files("staged") != 1 {
		t.Errorf("before it is confirmed %d patients are sent, %d files are staged", w.sent, w.files("staged"))
	}
	w.nothingInClear("王五")
	rejects := bo.get(path + "/rejects/1")
	rejects.has(t, "原行号", "B5 REFUSED")
	if strings.Contains(rejects.body, secret) || strings.Contains(rejects.header.Get("Content-Disposition"), "王五") {
		t.Errorf("the refused rows show who a patient is: %v %s", rejects.header, rejects.body)
	}

	if p := bo.post(path + "/confirm"); p.status != http.StatusSeeOther {
		t.Fatalf("confirm: %d %s", p.status, p.body)
	}
	p = bo.settled(path)
	p.has(t, "部分接受", "已进入全国登记日志并有回执的条目</th><td class=\"num\">3<", "100–102", "DX001")
	if w.sent != 3 || w.files("staged") != 0 || w.files("kept") != 1 {
		t.Errorf("after it %d patients are sent, %d files are staged and %d kept", w.sent, w.files("staged"), w.files("kept"))
	}
	if receipt := bo.get(path + "/receipts/101"); !strings.Contains(receipt.body, "c2sp.org/tlog-proof") || receipt.status != http.StatusOK {
		t.Errorf("the receipt is %d %q", receipt.status, receipt.body)
	}
	if receipt := bo.get(path + "/receipts/99"); receipt.status != http.StatusNotFound {
		t.Errorf("the receipt of another's entry is %d", receipt.status)
	}
	if again := bo.post(path + "/confirm"); again.status != http.StatusConflict {
		t.Errorf("confirmed again: %d", again.status)
	}
	w.nothingInClear("王五")

	w.open(w.cfg.Sealing()[0]) // the daemon starts again
	bo = w.signsIn("bo")
	bo.get("/").has(t, "名单 王五.csv", "部分接受")
	bo.get(path + "?lang=en").has(t)
	p = bo.get(path)
	p.has(t, "Partly accepted", "No disease is given", "<html lang=\"en\">")
	w.later(49 * time.Hour)
	must(t, w.desk.expire())
	if w.files("kept") != 0 {
		t.Error("what became of it is kept for ever")
	}
}

func TestOthersSeeNothingOfADelivery(t *testing.T) {
	w := newWorld(t)
	bo := w.signsIn("bo")
	path, _ := bo.upload("王五.csv", tableOf("B1", "B2 REFUSED"))
	bo.settled(path)
	for _, other := range []*browser{w.signsIn("cy"), w.signsIn("anna"), w.browser()} {
		for _, way := range []string{path, path + "/rejects/1", path + "/receipts/100", "/", "/accounts", "/password", "/sign-in", "/nothing"} {
			if p := other.get(way); strings.Contains(p.body, "王五") || strings.Contains(p.body, "B2 REFUSED") || p.status == http.StatusOK && strings.HasPrefix(way, path) {
				t.Errorf("%s shows another's delivery: %d %s", way, p.status, p.body)
			}
		}
		for _, way := range []string{"/confirm", "/discard"} {
			if p := other.post(path + way); p.status != http.StatusNotFound && p.header.Get("Location") != "/sign-in" {
				t.Errorf("%s of another's delivery: %d", way, p.status)
			}
		}
	}
	if p := w.signsIn("cy").get("/accounts"); p.status != http.StatusForbidden {
		t.Errorf("a clerk's look at the accounts: %d", p.status)
	}
	if p := bo.post(path + "/discard"); p.status != http.StatusSeeOther || w.files("staged") != 0 || w.sent != 0 {
		t.Errorf("discarded: %d, %d files are left", p.status, w.files("staged"))
	}
}

func TestAnUploadEndsWithTheHourOrTheProcess(t *testing.T) {
	w := newWorld(t)
	bo := w.signsIn("bo")
	path, _ := bo.upload("a.csv", tableOf("B1"))
	bo.settled(path)
	w.later(61 * time.Minute)
	must(t, w.desk.expire())
	if w.files("staged") != 0 || w.signsIn("bo").get(path).status != http.StatusNotFound {
		t.Error("an upload outlives its hour")
	}
	bo = w.signsIn("bo")
	path, _ = bo.upload("b.csv", tableOf("B1"))
	bo.settled(path)
	w.open(w.cfg.Sealing()[0])
	if w.files("staged") != 0 || w.signsIn("bo").get(path).status != http.StatusNotFound {
		t.Error("an upload outlives the process")
	}
}

func TestWhatDoesNotGoThroughIsTriedAgain(t *testing.T) {
	w := newWorld(t)
	bo := w.signsIn("bo")
	path, _ := bo.upload("a.csv", tableOf("B1"))
	bo.settled(path)
	w.mu.Lock()
	w.fails = errors.New("a.csv: no leader")
	w.mu.Unlock()
	bo.post(path + "/confirm")
	p := bo.settled(path)
	p.has(t, "未能完成", "the network cannot be reached", "重试")
	if strings.Contains(w.log.String(), "a.csv") {
		t.Error("the log names the file")
	}
	held := make(chan struct{})
	w.mu.Lock()
	w.fails, w.waited = nil, held
	w.mu.Unlock()
	bo.post(path + "/confirm")
	bo.get(path).has(t, "上报中", `http-equiv="refresh" content="2"`)
	if p := bo.post(path + "/discard"); p.status != http.StatusConflict {
		t.Errorf("discarded on its way: %d", p.status)
	}
	close(held)
	bo.settled(path).has(t, "已接受")
}

func TestRubbishIsRefusedInWords(t *testing.T) {
	w := newWorld(t)
	bo := w.signsIn("bo")
	for name, tc := range map[string]struct{ raw, says string }{
		"a.xlsx":               {"<html>" + secret, "FM007"},
		"b.json":               {"REFUSED", "DX001"},
		"c.csv":                {"a,b\n1,2\n", "FM002"},
		"<img src=x>&amp;.csv": {"a,b\n1,2\n", "&lt;img src=x&gt;&amp;amp;.csv"},
	} {
		path, p := bo.upload(name, []byte(tc.raw))
		if p.status != http.StatusSeeOther {
			t.Errorf("%s: %d %s", name, p.status, p.body)
			continue
		}
		p = bo.settled(path)
		p.has(t, tc.says)
		if p.has(t, "整个文件被拒绝"); strings.Contains(p.body, "/confirm") {
			t.Errorf("%s can be confirmed", name)
		}
		bo.post(path + "/discard")
	}
	if _, p := bo.upload("", nil); p.status != http.StatusBadRequest {
		t.Errorf("no file: %d", p.status)
	}
	if _, p := bo.upload("big.csv", make([]byte, 64<<20+1)); p.status != http.StatusRequestEntityTooLarge {
		t.Errorf("a file of more than 64 MiB: %d", p.status)
	}
	for range ownStaged {
		bo.upload("a.csv", tableOf("B1"))
	}
	if _, p := bo.upload("a.csv", tableOf("B1")); p.status != http.StatusServiceUnavailable {
		t.Errorf("one file more than an account may have: %d", p.status)
	}
}

func TestEveryAnswerIsClosedToOthers(t *testing.T) {
	w := newWorld(t)
	for _, b := range []*browser{w.browser(), w.signsIn("anna")} {
		for _, path := range []string{"/", "/sign-in", "/accounts", "/nothing", "/static/page.css", "/deliveries/x", "//evil.example/?lang=en"} {
			p := b.get(path)
			for name, want := range map[string]string{
				"Content-Security-Policy": "default-src 'self'", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
				"Referrer-Policy": "same-origin", "X-Frame-Options": "DENY",
			} {
				if got := p.header.Get(name); !strings.HasPrefix(got, want) {
					t.Errorf("%s: %s is %q", path, name, got)
				}
			}
			if regexp.MustCompile(`(?i)<script|style=|javascript:| on[a-z]+=`).MatchString(p.body) {
				t.Errorf("%s holds a script or a style", path)
			}
			if to := p.header.Get("Location"); strings.HasPrefix(to, "//") {
				t.Errorf("%s leads to %s", path, to)
			}
		}
	}
	anna := w.signsIn("anna")
	for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.server.URL+"/accounts", strings.NewReader("do=remove&name=bo"))
		must(t, err)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set(name, value)
		if p := anna.do(r); p.status != http.StatusForbidden {
			t.Errorf("a form of another origin, by %s: %d", name, p.status)
		}
	}
	if _, err := w.site.Accounts.Get("bo"); err != nil {
		t.Error(err)
	}
}

func TestEveryWordIsThereInBothLanguages(t *testing.T) {
	keys := 0
	files, err := filepath.Glob("templates/*.html")
	must(t, err)
	sources, err := filepath.Glob("*.go")
	must(t, err)
	common, err := filepath.Glob("../site/templates/*.html")
	must(t, err)
	shared, err := filepath.Glob("../site/*.go")
	must(t, err)
	all := site.Words()
	maps.Copy(all, words)
	for _, path := range slices.Concat(files, sources, common, shared) {
		raw, err := os.ReadFile(path)
		must(t, err)
		pattern := regexp.MustCompile(`\bt "([a-zA-Z.]+)"`)
		if strings.HasSuffix(path, ".go") {
			pattern = regexp.MustCompile(`(?:\bSay\(|Title: |Word: |v\.Fail\([A-Za-z.]+, )"([a-zA-Z.]+)"[,)}]`)
		}
		for _, m := range pattern.FindAllStringSubmatch(string(raw), -1) {
			keys++
			if all[m[1]][0] == "" || all[m[1]][1] == "" {
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

func TestWhatIsSealedToALostKeyExpires(t *testing.T) {
	w := newWorld(t)
	bo := w.signsIn("bo")
	path, _ := bo.upload("a.csv", tableOf("B1"))
	bo.settled(path)
	bo.post(path + "/confirm")
	bo.settled(path)
	other, err := seal.GenerateReader()
	must(t, err)
	w.open(other)
	if p := w.signsIn("bo").get(path); p.status != http.StatusNotFound || w.files("kept") != 1 {
		t.Errorf("sealed to another key: %d, %d files", p.status, w.files("kept"))
	}
	w.later(time.Since(w.clock()) + 49*time.Hour)
	must(t, w.desk.expire())
	if w.files("kept") != 0 {
		t.Error("it never expires")
	}
}
