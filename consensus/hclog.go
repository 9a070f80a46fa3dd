package consensus

import (
	"bytes"
	"context"
	"log/slog"

	"github.com/hashicorp/go-hclog"
)

// raftLogger passes Raft's own log lines to slog. They name nodes, terms and
// indexes, never content.
func raftLogger(l *slog.Logger) hclog.Logger {
	return hclog.New(&hclog.LoggerOptions{
		Name: "raft", Level: hclog.Info, DisableTime: true, Output: &lineWriter{l},
	})
}

type lineWriter struct{ log *slog.Logger }

// Write takes one line as hclog formats it: "[LEVEL] name: text".
func (w *lineWriter) Write(line []byte) (int, error) {
	level := slog.LevelDebug // Raft's "info" is an operator's "debug"
	text := bytes.TrimSpace(line)
	for prefix, l := range map[string]slog.Level{"[WARN]": slog.LevelInfo, "[ERROR]": slog.LevelWarn} {
		if bytes.HasPrefix(text, []byte(prefix)) {
			level = l
		}
	}
	if _, rest, ok := bytes.Cut(text, []byte("]")); ok {
		text = bytes.TrimSpace(rest)
	}
	w.log.Log(context.Background(), level, string(text))
	return len(line), nil
}
