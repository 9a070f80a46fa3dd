package query

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/daemon/reader"
	"github.com/raresync/raresync/daemon/withdraw"
	"github.com/raresync/raresync/registry/act"
)

// Log is the node's copy of the state; [consensus.Node] is one.
type Log interface {
	View() *state.State
	Wait(ctx context.Context, cond func(*state.State) bool) (*state.State, error)
}

// Poster posts an act for this institution; [outbox.Outbox] is one.
type Poster interface {
	PostAct(ctx context.Context, a act.Act) error
}

// Forgetting is what [Forget] needs.
type Forgetting struct {
	Institution uint32
	Changes     func(ctx context.Context) (*reader.Changes, error)
	Log         Log
	Poster      Poster
	Schedule    withdraw.Schedule // of its own withdrawals
	Random      io.Reader
	Now         func() time.Time
	Logger      *slog.Logger
}

// retry is how long what did not succeed waits.
const retry = time.Minute

// Forget withdraws this institution's questions about entries that are withdrawn,
// until the context ends. It does so at a moment that tells nothing, as a hospital
// does: else everybody would see which hospital a question was for.
func Forget(ctx context.Context, f Forgetting) {
	type mark struct{ withdrawals, own uint64 }
	of := func(s *state.State) (at mark) {
		if m, ok := s.Member(f.Institution); ok {
			at.own = m.Chain.Sequence // a question may come after what it is about is gone
		}
		at.withdrawals = uint64(len(s.Withdrawals))
		return at
	}
	var seen mark
	for {
		view, err := f.Log.Wait(ctx, func(s *state.State) bool { return of(s) != seen })
		if err != nil {
			return
		}
		seen = of(view)
		for {
			left, err := f.forget(ctx)
			if err != nil && ctx.Err() == nil {
				f.Logger.Warn("questions about withdrawn entries are not withdrawn yet", "reason", err.Error())
			}
			if !left && err == nil || !f.wait(ctx, retry) {
				break
			}
		}
	}
}

// forget withdraws what is to be withdrawn, if anything is. left says that it is
// not in the log yet.
func (f Forgetting) forget(ctx context.Context) (left bool, err error) {
	due, err := f.owed(ctx)
	if err != nil || len(due) == 0 {
		return false, err
	}
	now := f.Now()
	at, err := f.Schedule.Due(now, nil, f.Random)
	if err != nil || !f.wait(ctx, at.Sub(now)) {
		return false, err
	}
	if due, err = f.owed(ctx); err != nil || len(due) == 0 {
		return false, err
	}
	w := act.Withdrawal{Hospital: f.Institution, Entries: due[:min(len(due), act.MaxWithdrawalSpans)]}
	if err := f.Poster.PostAct(ctx, act.Act{Version: act.Version, Type: act.TypeWithdrawal, Payload: w.Marshal()}); err != nil {
		return true, fmt.Errorf("withdraw %d questions: %w", len(due), err)
	}
	last := w.Entries[len(w.Entries)-1].First
	_, err = f.Log.Wait(ctx, func(s *state.State) bool { return s.Withdrawn(f.Institution, last) })
	return len(w.Entries) < len(due), err
}

// owed returns, ascending, the questions of this institution about withdrawn
// entries that are not withdrawn.
func (f Forgetting) owed(ctx context.Context) (out []act.Span, err error) {
	view := f.Log.View()
	if len(view.Claims) == 0 {
		return nil, nil
	}
	changes, err := f.Changes(ctx)
	if err != nil {
		return nil, err
	}
	for _, o := range sorted(changes.Queries()) {
		q := o.Entry.Query
		if o.Hospital != f.Institution || !view.Withdrawn(q.Hospital, q.Target) || view.Withdrawn(o.Hospital, o.Index) {
			continue
		}
		if n := len(out); n > 0 && out[n-1].End() == o.Index {
			out[n-1].Count++
			continue
		}
		out = append(out, act.Span{First: o.Index, Count: 1})
	}
	return slices.Clip(out), nil
}

func (f Forgetting) wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
