package page

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/raresync/raresync/daemon/admin"
)

// posted are letters, of which one cannot be read.
type posted struct{ w *world }

func (p posted) Letters(context.Context) ([]admin.Letter, error) {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	return append([]admin.Letter(nil), p.w.letters...), nil
}

func (posted) Letter(_ context.Context, index uint64, lang string) ([]byte, error) {
	if index == 40 {
		return nil, errors.New("secret of the network")
	}
	return []byte("<!DOCTYPE html><title>x</title><style>p { color: red }</style><p lang=" + lang + ">Q1"), nil
}

func TestAClerkReadsTheLettersToTheHospital(t *testing.T) {
	w := newWorld(t)
	bo := w.signsIn("bo")
	bo.get("/letters").has(t, "本院尚未收到质量函", `<a href="/letters" aria-current="page">`)
	w.letters = []admin.Letter{{Index: 30, Month: "2026-09", Sent: "2026-10-01T16:30:00Z", Open: 2}, {Index: 40, Month: "2026-10", Sent: "2026-11-02T01:00:00Z"}}
	list := bo.get("/letters")
	list.has(t, "2026-09", "2026-10-02", `href="/letters/30"`, "2026-11-02")
	if strings.Index(list.body, "/letters/40") > strings.Index(list.body, "/letters/30") {
		t.Error("the newest letter is not first")
	}
	one := bo.get("/letters/30")
	one.has(t, "Q1", "lang=zh")
	if policy := one.header.Get("Content-Security-Policy"); !strings.Contains(policy, "style-src 'sha256-") || strings.Contains(policy, "unsafe") {
		t.Errorf("the letter's policy is %q", policy)
	}
	for path, status := range map[string]int{"/letters/7": http.StatusNotFound, "/letters/x": http.StatusNotFound, "/letters/40": http.StatusServiceUnavailable} {
		if p := bo.get(path); p.status != status || strings.Contains(p.body, "secret") {
			t.Errorf("%s: %d", path, p.status)
		}
	}
}
