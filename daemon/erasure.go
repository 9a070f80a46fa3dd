package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/registry/act"
)

const (
	releaseTimeout = 30 * time.Second // for envelopes to get their receipts
	receiptRetry   = 5 * time.Second
)

var errNotOpen = errors.New("the outbox and the view are not open yet")

// forgetErased destroys what the outbox and the view have of erased entries. The
// node calls it, which is there before them.
func (s *service) forgetErased(ctx context.Context, spans []ledger.Span) error {
	o, v := s.sending.Load(), s.viewing.Load()
	if o == nil || v == nil {
		return errNotOpen
	}
	if err := errors.Join(v.Forget(ctx), s.months.Forget(ctx)); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, releaseTimeout)
	defer cancel()
	if err := o.WaitReleased(ctx, spans); err != nil {
		return err
	}
	var indexes []uint64
	for _, span := range spans {
		for index := span.First; index < span.First+span.Count; index++ {
			indexes = append(indexes, index)
		}
	}
	return o.Forget(indexes)
}

// runReceipts declares to the network what this node has erased, as soon as it
// has, until the context ends.
func (s *service) runReceipts(ctx context.Context) error {
	for {
		through, erased := s.node.Erased()
		changed := s.node.Machine().Changed()
		var retry <-chan time.Time
		if s.owesReceipt(s.node.View(), through) {
			err := s.declareErased(ctx, through)
			switch {
			case ctx.Err() != nil:
				return nil
			case errors.Is(err, ledger.ErrStorage):
				return err
			case err != nil:
				s.log.Warn("an erasure is not declared yet", "through", through, "reason", err.Error())
				retry = time.After(receiptRetry)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-erased:
		case <-changed:
		case <-retry:
		}
	}
}

// owesReceipt reports whether this node has erased more than the log says.
func (s *service) owesReceipt(view *state.State, through uint64) bool {
	last, found := view.LastWithdrawal()
	self, known := view.Node(s.self.ID)
	if !found || !known || self.Institution != s.self.Institution || through > last.Envelope {
		return false
	}
	declared, _ := view.ErasureReceipt(s.self.ID)
	return through > declared.Through
}

// declareErased posts the receipt once; again is harmless.
func (s *service) declareErased(ctx context.Context, through uint64) error {
	withdrawals := s.node.View().Withdrawals
	i := slices.IndexFunc(withdrawals, func(w state.Withdrawal) bool { return w.Envelope == through })
	if i < 0 {
		return nil // of a log that this copy has yet to get
	}
	_, err := s.outbox.AddAct(ctx, act.Act{
		Version: act.Version, Type: act.TypeErasureReceipt,
		Payload: act.ErasureReceipt{Node: s.self.ID, Through: through, Index: withdrawals[i].Index}.Marshal(),
	})
	if err != nil {
		return fmt.Errorf("declare an erasure: %w", err)
	}
	return nil
}
