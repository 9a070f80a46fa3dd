package mesh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"
)

// plain says why a connection came to nothing, or a session ended, in words
// for an operator.
func plain(err error) string {
	switch {
	case err == nil:
		return "none"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return "the other side fell silent"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the other side closed the connection"
	}
	return err.Error()
}

// logFailure keeps why a node could not be reached for [Mesh.Dial], and tells
// the operator once a minute.
func (m *Mesh) logFailure(at slot, err error) {
	if errors.Is(err, errDuplicate) {
		return
	}
	m.mu.Lock()
	m.failures[at] = err
	m.mu.Unlock()
	if m.quiet.allow("dial " + at.node) {
		m.cfg.Logger.Warn("cannot reach node", slog.String("node", at.node),
			slog.String("class", at.class.String()), slog.String("reason", err.Error()))
	}
}

// logRefusal tells the operator of a connection that came to nothing: loudly
// if a key was refused, since then a roster may be behind; softly if it was
// noise, as from a port scan.
func (m *Mesh) logRefusal(remote net.Addr, err error) {
	if errors.Is(err, errDuplicate) || errors.Is(err, ErrTwin) || m.ctx.Err() != nil {
		return // a twin was reported where it was met
	}
	var identity *identityError
	if !errors.As(err, &identity) {
		m.cfg.Logger.Debug("connection came to nothing",
			slog.String("remote", remote.String()), slog.String("reason", plain(err)))
		return
	}
	key := shortKey(identity.key)
	if m.quiet.allow("refuse " + key) {
		m.cfg.Logger.Warn("connection refused", slog.String("key", key),
			slog.String("remote", remote.String()), slog.String("reason", identity.err.Error()))
	}
}

const (
	quietTime     = time.Minute
	maxQuietTexts = 1024
)

// A quiet keeps messages from filling the log: one per text and minute. A
// stranger can invent texts (by keys and addresses), so they are bounded; past
// the bound new texts are not said at all until the minute is over.
type quiet struct {
	mu   sync.Mutex
	said map[string]time.Time // guarded by mu
}

// allow reports whether text may be said now.
func (q *quiet) allow(text string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	if at, ok := q.said[text]; ok && now.Sub(at) < quietTime {
		return false
	}
	if len(q.said) >= maxQuietTexts {
		for t, at := range q.said {
			if now.Sub(at) >= quietTime {
				delete(q.said, t)
			}
		}
		if len(q.said) >= maxQuietTexts {
			return false
		}
	}
	if q.said == nil {
		q.said = make(map[string]time.Time)
	}
	q.said[text] = now
	return true
}

// A muxLogger takes yamux's remarks, which matter only when yamux itself is in
// doubt: whatever ends a session is logged by the session.
type muxLogger struct{ log *slog.Logger }

func (l muxLogger) Print(v ...any)   { l.say(func() string { return fmt.Sprint(v...) }) }
func (l muxLogger) Println(v ...any) { l.say(func() string { return fmt.Sprint(v...) }) }
func (l muxLogger) Printf(format string, v ...any) {
	l.say(func() string { return fmt.Sprintf(format, v...) })
}

func (l muxLogger) say(text func() string) {
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		l.log.Debug("multiplexer remark", slog.String("remark", text()))
	}
}
