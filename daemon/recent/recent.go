package recent

import (
	"context"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"time"
)

// maxLineBytes bounds a line.
const maxLineBytes = 1 << 10

// shown are the keys whose values may be shown.
var shown = map[string]bool{
	"node": true, "peer": true, "class": true, "kind": true, "version": true, "level": true, "remote": true, "address": true,
	"dialled": true, "lasted": true, "leader": true, "term": true, "index": true, "size": true, "envelope": true, "envelopes": true,
	"entries": true, "sequence": true, "hospital": true, "institution": true, "share": true, "epoch": true, "held": true, "step": true,
	"through": true, "ahead_ms": true, "code": true, "reason": true, "waiting": true, "approved": true, "ceremony": true,
}

var (
	unprintable = regexp.MustCompile(`[^\x20-\x7e]+`)
	number      = regexp.MustCompile(`[0-9]{6,}[0-9Xx]?`)
)

// Clean takes out of a text what a name or a number of a person could be.
func Clean(text string) string {
	return number.ReplaceAllString(unprintable.ReplaceAllString(text, "?"), "#")
}

// Lines are the newest lines. They are safe for concurrent use.
type Lines struct {
	mu   sync.Mutex
	ring []string
	next int // where the next line goes
}

// New returns room for so many lines.
func New(lines int) *Lines { return &Lines{ring: make([]string, lines)} }

func (l *Lines) add(line string) {
	if len(line) > maxLineBytes {
		line = line[:maxLineBytes] + "..."
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ring[l.next%len(l.ring)] = line
	l.next++
}

// Text returns the lines, the oldest first.
func (l *Lines) Text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var b strings.Builder
	for i := range l.ring {
		if line := l.ring[(l.next+i)%len(l.ring)]; line != "" {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}

// Handler returns a handler that keeps what it passes on to another.
func (l *Lines) Handler(to slog.Handler) slog.Handler { return &handler{Handler: to, lines: l} }

type handler struct {
	slog.Handler
	lines *Lines
	with  string // attributes of the logger
	group string // before the keys that follow
}

// Handle keeps a record and passes it on.
func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	var b strings.Builder
	b.WriteString(r.Time.UTC().Format(time.RFC3339Nano) + " " + r.Level.String() + " " + Clean(r.Message) + h.with)
	r.Attrs(func(a slog.Attr) bool {
		b.WriteString(h.say(a))
		return true
	})
	h.lines.add(b.String())
	return h.Handler.Handle(ctx, r)
}

// WithAttrs returns the handler of a logger with attributes.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	more := *h
	more.Handler = h.Handler.WithAttrs(attrs)
	for _, a := range attrs {
		more.with += h.say(a)
	}
	return &more
}

// WithGroup returns the handler of a logger whose keys are in a group.
func (h *handler) WithGroup(name string) slog.Handler {
	more := *h
	more.Handler, more.group = h.Handler.WithGroup(name), h.group+name+"."
	return &more
}

// say writes an attribute as far as it may be shown.
func (h *handler) say(a slog.Attr) string {
	value := a.Value.Resolve()
	if h.group != "" || !shown[a.Key] {
		return " " + Clean(h.group+a.Key) + "=-"
	}
	switch value.Kind() {
	case slog.KindBool, slog.KindDuration, slog.KindFloat64, slog.KindInt64, slog.KindUint64, slog.KindTime:
		return " " + a.Key + "=" + value.String()
	}
	text := Clean(value.String())
	if strings.ContainsAny(text, ` "=`) {
		text = `"` + strings.ReplaceAll(text, `"`, `'`) + `"`
	}
	return " " + a.Key + "=" + text
}
