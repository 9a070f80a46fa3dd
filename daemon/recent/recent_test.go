package recent

import (
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestNothingOfAPersonIsKept(t *testing.T) {
	lines := New(8)
	var passed strings.Builder
	log := slog.New(lines.Handler(slog.NewTextHandler(&passed, nil)))
	log.Info("session up", "node", "h1", "lasted", time.Second, "index", 12345678, "dialled", true)
	log.Warn("patient 张伟 11010519491231002X", "document", "secret", "reason", "open /x/李四.json: 440524188001010014", "file", "wang.json")
	log.With("person", "Li Si", "peer", "h2").WithGroup("g").Error("x", "node", "Li")
	got := lines.Text()
	for _, want := range []string{
		" INFO session up node=h1 lasted=1s index=12345678 dialled=true\n",
		` WARN patient ? # document=- reason="open /x/?.json: #" file=-` + "\n",
		" ERROR x person=- peer=h2 g.node=-\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if !strings.Contains(passed.String(), "document=secret") {
		t.Errorf("the log itself is not the same: %s", passed.String())
	}
}

func TestTheNewestLinesAreKept(t *testing.T) {
	lines := New(2)
	log := slog.New(lines.Handler(slog.DiscardHandler))
	for _, text := range []string{"one", "two", strings.Repeat("x", 5000)} {
		log.Handler().Handle(t.Context(), slog.NewRecord(time.Time{}, slog.LevelInfo, text, 0))
	}
	got := lines.Text()
	if strings.Contains(got, "one") || !strings.Contains(got, "two\n") || len(got) > 2*maxLineBytes || strings.Count(got, "\n") != 2 {
		t.Errorf("kept %d bytes: %.300s", len(got), got)
	}
}
