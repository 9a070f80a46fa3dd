package outbox

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/registry/envelope"
)

// requeue lets the outbox go on from the end of the log. Envelopes whose place
// another one took, and all behind them, are built anew behind it. The caller
// has taken in what the log holds, and says whether that was anything.
func (o *Outbox) requeue(chain state.Chain, tookIn bool) error {
	o.building.Lock()
	defer o.building.Unlock()
	o.settling.Lock()
	defer o.settling.Unlock()
	end, before, err := o.end(chain)
	if err != nil {
		return err
	}
	kept, lost, err := o.split(end)
	if err != nil {
		return err
	}
	if len(lost) > 0 {
		renewed, err := o.renewAll(lost, end)
		if err != nil {
			return err
		}
		kept = append(kept, renewed...)
		if err := o.store.replace(kept); err != nil {
			return err
		}
		o.cfg.Logger.Warn("envelopes were built anew: others of this hospital have their places in the log",
			"envelopes", len(lost), "left", len(renewed), "sequence", end.sequence)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.items = kept
	if chain.Number > 0 && (tookIn || len(lost) > 0 || end.sequence > before.sequence) {
		o.attempt = o.restoredAttempt(nil)
	}
	o.head = end
	if n := len(kept); n > 0 && kept[n-1].env.Sequence > end.sequence {
		o.head, o.attempt = link{kept[n-1].env.Sequence, kept[n-1].env.ID()}, 1
	}
	o.broadcast()
	return nil
}

// end returns the newest envelope that is known to be in the log, which this
// node's copy may not have yet, and what the outbox took for the newest.
func (o *Outbox) end(chain state.Chain) (end, before link, err error) {
	newest, _, err := o.store.newestReceipt()
	if err != nil {
		return link{}, link{}, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	known := []link{{chain.Sequence, chain.ID}, {newest.Sequence, newest.ID}}
	for _, it := range o.items {
		if it.accepted != nil {
			known = append(known, link{it.env.Sequence, it.env.ID()})
		}
	}
	end = slices.MaxFunc(known, func(a, b link) int { return cmp.Compare(a.sequence, b.sequence) })
	return end, o.head, nil
}

// split parts the items into those that stay as they are, in the log or next
// in line behind its end, and those that lost their place. Once one has lost
// it, so have all behind it: each names the one before it.
func (o *Outbox) split(end link) (kept, lost []*item, err error) {
	o.mu.Lock()
	items := slices.Clone(o.items)
	o.mu.Unlock()
	for i, it := range items {
		if it.env.Sequence == end.sequence+1 && it.env.Previous == end.id {
			return items, nil, nil
		}
		stays := it.env.Sequence <= end.sequence
		if stays {
			if stays, err = o.inLog(it); err != nil {
				return nil, nil, err
			}
		}
		if !stays {
			return items[:i:i], items[i:], nil
		}
	}
	return items, nil, nil
}

// inLog tells for an item at or before the log's end whether it is the one
// that stands there: any other has been given a receipt by now.
func (o *Outbox) inLog(it *item) (bool, error) {
	r, other, err := o.store.receipt(it.env.Sequence)
	return !other || r.ID == it.env.ID(), err
}

// renewAll builds items anew behind end. An entry that the log has, or that
// two of them share, is built once at most.
func (o *Outbox) renewAll(lost []*item, end link) ([]*item, error) {
	drop := map[[32]byte]bool{}
	o.mu.Lock()
	for _, it := range lost {
		for _, id := range it.ids {
			drop[id] = o.known[id]
		}
	}
	o.mu.Unlock()
	attempt := o.restoredAttempt(lost)
	var out []*item
	for _, it := range lost {
		renewed, err := o.renew(it, end, attempt, drop)
		if err != nil {
			return nil, fmt.Errorf("build sequence %d anew: %w", it.env.Sequence, err)
		}
		if renewed == nil {
			continue
		}
		for _, id := range renewed.ids {
			drop[id] = true
		}
		out, end = append(out, renewed), link{renewed.env.Sequence, renewed.env.ID()}
	}
	return out, nil
}

// restoredAttempt returns the attempt of what is built after an earlier life:
// the clock's seconds, so that an envelope of that life that is still under way
// cannot meet one of ours. It lies above those of the items.
func (o *Outbox) restoredAttempt(items []*item) uint32 {
	attempt := max(uint32(o.cfg.Now().Unix()), o.used.attempt+1)
	for _, it := range items {
		attempt = max(attempt, it.env.Attempt+1)
	}
	return attempt
}

// secondInstance is how long after this start an envelope of the hospital that
// this outbox did not send can still be one that an earlier life had under way;
// clocks differ by less.
const secondInstance = 10 * time.Minute

// overtaken reacts to a sequence that another envelope of this hospital took
// after the outbox was compared with the log. One of an earlier life arrived
// late, or this copy was behind: the outbox is compared again. Later than that
// a second instance of the hospital is at work; one of the two must stop, and
// this one does.
func (o *Outbox) overtaken(ctx context.Context, it *item, r *state.Refusal) error {
	wait, cancel := context.WithTimeout(ctx, refusalGap)
	defer cancel()
	view, err := o.cfg.Log.Wait(wait, func(s *state.State) bool {
		m, ok := s.Member(o.cfg.Hospital)
		return ok && m.Chain.Sequence >= it.env.Sequence-1 && m.Chain.ID != it.env.Previous
	})
	if err != nil {
		o.setAlarm(fmt.Sprintf("envelope %d was refused: %s", it.env.Sequence, r.Error()))
		return nil
	}
	m, _ := view.Member(o.cfg.Hospital)
	var newest *envelope.Envelope
	var logTime uint64
	err = o.cfg.Copy.Repaired(ctx, func() (err error) {
		newest, logTime, err = o.cfg.Copy.Envelope(m.Chain.Number)
		return err
	})
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	if logTime > o.since+uint64(secondInstance.Milliseconds()) {
		o.setAlarm(fmt.Sprintf("a second instance of this hospital sends envelopes, the newest with sequence %d: stop one of the two, then restart this node: %s",
			newest.Sequence, r.Error()))
		return nil
	}
	if err := o.reconcile(ctx, view); err != nil && ctx.Err() == nil {
		return fmt.Errorf("outbox: sequence %d was taken: %w", it.env.Sequence, err)
	}
	o.setAlarm("")
	return nil
}
