package reads

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/registry/act"
)

// Level is the feature level from which on the log takes reads.
const Level = 3

// maxQuestionBytes bounds what is kept of a question.
const maxQuestionBytes = 4096

// ErrPurpose reports a purpose that is not one of the list.
var ErrPurpose = errors.New("there is no such purpose of reading")

// Node is this node's copy of the log; [consensus.Node] is one.
type Node interface {
	View() *state.State
	Machine() *machine.Machine
}

// Config is what a log of reads needs.
type Config struct {
	Dir         string // for the records
	Node        Node
	Institution uint32
	Post        func(context.Context, act.Act) error // returns once the log has the act
	Sealing     func() []*seal.ReaderPrivate         // this institution's, the present one among them
	Now         func() time.Time
	Logger      *slog.Logger
}

// Log is what this node has read. It is safe for concurrent use.
type Log struct {
	cfg Config

	mu      sync.Mutex // guards what follows, and writing
	covered map[Question]cover
	latest  string // the hour that covered is of
}

// cover is the record that covers a question.
type cover struct {
	day  uint32
	hash [32]byte
}

// Question is what somebody is about to read.
type Question struct {
	Account string // who asks: an account of the console, or the operator at the socket
	Purpose act.Purpose
	Query   string // what is asked for; nothing of a patient
	Alone   bool   // has an act of its own, also within the hour
}

// New returns the log of a node.
func New(cfg Config) *Log { return &Log{cfg: cfg, covered: map[Question]cover{}} }

// Reading is a question that the log knows of. A nil one notes nothing.
type Reading struct {
	log     *Log
	mark    cover
	purpose act.Purpose

	mu    sync.Mutex // guards what follows
	spans []act.Span
}

// record is what lies sealed in the files: what was asked, or what was read.
type record struct {
	Salt    []byte     `json:"salt,omitempty"` // of the hash; of what is read none
	Time    string     `json:"time"`           // RFC 3339
	Account string     `json:"account,omitempty"`
	Purpose string     `json:"purpose,omitempty"`
	Query   string     `json:"query,omitempty"`
	Size    uint64     `json:"tree_size,omitempty"` // when it was asked
	Spans   []act.Span `json:"read,omitempty"`      // indexes
}

// hashOf is what an act says of a record that was asked, as it lies in the file.
func hashOf(plain []byte) [32]byte {
	return sha256.Sum256(append([]byte("raresync/v1/read\x00"), plain...))
}

// Commit says on the log that somebody reads, and returns once it is there. At an
// institution that reads nothing of others there is nothing to say. Whoever gets an
// error shows nothing.
func (l *Log) Commit(ctx context.Context, q Question) (*Reading, error) {
	view := l.cfg.Node.View()
	self, ok := view.Member(l.cfg.Institution)
	if !ok || self.Rights == 0 {
		return nil, nil
	}
	if _, known := act.ParsePurpose(q.Purpose.String()); !known {
		return nil, fmt.Errorf("%w: %s", ErrPurpose, q.Purpose)
	}
	q.Query = q.Query[:min(len(q.Query), maxQuestionBytes)]
	now := l.cfg.Now()
	if mark, ok := l.coveredBy(q, now); ok {
		return &Reading{log: l, mark: mark, purpose: q.Purpose}, nil
	}
	salt := make([]byte, 32)
	_, _ = rand.Read(salt) // never fails
	plain, err := json.Marshal(record{
		Salt: salt, Time: now.UTC().Format(time.RFC3339), Account: q.Account, Purpose: q.Purpose.String(), Query: q.Query, Size: view.Tree.Size(),
	})
	if err != nil {
		return nil, fmt.Errorf("read audit: %w", err)
	}
	mark := cover{day: today(now), hash: hashOf(plain)}
	if err := l.keep(view, mark.hash, plain); err != nil {
		return nil, fmt.Errorf("read audit: keep the record: %w", err)
	}
	if view.FeatureLevel >= Level {
		read := act.Read{Purpose: q.Purpose, Day: mark.day, Hash: mark.hash}
		if err := l.cfg.Post(ctx, act.Act{Version: act.Version, Type: act.TypeRead, Payload: read.Marshal()}); err != nil {
			return nil, fmt.Errorf("nothing is shown, because the log has not taken that it is read: %w", err)
		}
	}
	l.cover(q, mark, now)
	return &Reading{log: l, mark: mark, purpose: q.Purpose}, nil
}

// today is the quota day of a time.
func today(now time.Time) uint32 { return pseudonym.QuotaDay(uint64(max(now.UnixMilli(), 0))) }

// hourOf names the hour in which one act covers the same question.
func hourOf(now time.Time) string { return now.UTC().Format("2006010215") }

func (l *Log) coveredBy(q Question, now time.Time) (cover, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if hour := hourOf(now); hour != l.latest {
		clear(l.covered)
		l.latest = hour
	}
	mark, ok := l.covered[q]
	return mark, ok && !q.Alone
}

func (l *Log) cover(q Question, mark cover, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if hourOf(now) == l.latest {
		l.covered[q] = mark
	}
}

// Hash returns what the act says of the question.
func (r *Reading) Hash() (h [32]byte) {
	if r == nil {
		return h
	}
	return r.mark.hash
}

// Saw notes indexes that are shown. An index that is not the newest so far may be
// noted twice.
func (r *Reading) Saw(spans ...act.Span) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range spans {
		if n := len(r.spans); n > 0 && r.spans[n-1].End() == s.First {
			r.spans[n-1].Count += s.Count
			continue
		}
		r.spans = append(r.spans, s)
	}
}

// Close keeps what was read.
func (r *Reading) Close() error {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.spans) == 0 {
		return nil
	}
	plain, err := json.Marshal(record{Time: r.log.cfg.Now().UTC().Format(time.RFC3339), Purpose: r.purpose.String(), Spans: union(r.spans)})
	if err != nil {
		return fmt.Errorf("read audit: %w", err)
	}
	r.spans = nil
	if err := r.log.keep(r.log.cfg.Node.View(), r.mark.hash, plain); err != nil {
		return fmt.Errorf("read audit: keep what was read: %w", err)
	}
	return nil
}

// union returns the indexes of spans, ascending, each once.
func union(spans []act.Span) (out []act.Span) {
	sorted := slices.Clone(spans)
	slices.SortFunc(sorted, func(a, b act.Span) int {
		switch {
		case a.First < b.First:
			return -1
		case a.First > b.First:
			return 1
		}
		return 0
	})
	for _, s := range sorted {
		n := len(out)
		if n == 0 || out[n-1].End() < s.First {
			out = append(out, s)
			continue
		}
		out[n-1].Count = max(out[n-1].End(), s.End()) - out[n-1].First
	}
	return out
}

type contextKey struct{}

// With returns a context that carries a reading.
func With(ctx context.Context, r *Reading) context.Context {
	return context.WithValue(ctx, contextKey{}, r)
}

// Saw notes indexes that are shown with the reading of a context, if it has one.
func Saw(ctx context.Context, spans ...act.Span) {
	r, _ := ctx.Value(contextKey{}).(*Reading)
	r.Saw(spans...)
}
