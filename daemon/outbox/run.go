package outbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/state"
)

const (
	retryMin   = 100 * time.Millisecond
	retryMax   = 5 * time.Second
	readyPoll  = 100 * time.Millisecond
	earlyAfter = 5 * time.Minute // of log time before the first sending
	refusalGap = 5 * time.Second // before a refused envelope is sent again
)

// Run sends envelopes and collects receipts until the context ends. A failure
// of the disk ends it with an error: the process must stop.
func (o *Outbox) Run(ctx context.Context) error {
	if err := o.adopt(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	if err := o.mend(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	parts := []func(context.Context) error{o.send, o.collect, o.watchDisk}
	ended := make(chan error, len(parts))
	for _, part := range parts {
		go func() { ended <- part(ctx) }()
	}
	var problems []error
	for range parts {
		problems = append(problems, <-ended)
		cancel()
	}
	return errors.Join(problems...)
}

// watchDisk ends with the first failure of the disk while an envelope was
// added.
func (o *Outbox) watchDisk(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-o.failed:
		return fmt.Errorf("outbox: %w", err)
	}
}

// Close closes the files. Run has returned.
func (o *Outbox) Close() error { return errors.Join(o.store.close(), o.marks.file.Close()) }

// waitReady waits for a node that is a current copy. Readiness depends on more
// than the state, so it is asked again at intervals.
func waitReady(ctx context.Context, log Log, ready func(*state.State) bool) (*state.State, error) {
	for {
		wait, cancel := context.WithTimeout(ctx, readyPoll)
		view, err := log.Wait(wait, ready)
		if err != nil {
			<-wait.Done() // a log that is closing answers at once
		}
		cancel()
		if err == nil {
			return view, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
}

// next waits for the first item that cond picks.
func (o *Outbox) next(ctx context.Context, cond func(*item) bool) (*item, error) {
	for {
		o.mu.Lock()
		i := slices.IndexFunc(o.items, cond)
		var it *item
		if i >= 0 {
			it = o.items[i]
		}
		changed := o.changed
		o.mu.Unlock()
		if it != nil {
			return it, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-changed:
		}
	}
}

// send hands one envelope after the other to the network; the next goes when
// the one before is committed.
func (o *Outbox) send(ctx context.Context) error {
	delay := retryMin
	for {
		it, err := o.next(ctx, func(it *item) bool { return it.accepted == nil })
		if err != nil {
			return nil
		}
		if it.sent.IsZero() {
			it.sent = o.cfg.Now()
		}
		out, err := o.cfg.Log.Submit(ctx, it.env.Marshal())
		switch {
		case err != nil:
			o.cfg.Logger.Debug("envelope not taken yet", "sequence", it.env.Sequence, "reason", err.Error())
			if !sleep(ctx, delay) {
				return nil
			}
			delay = min(2*delay, retryMax)
			continue
		case out.Refusal != nil:
			if err := o.refused(ctx, it, out.Refusal); err != nil {
				return err
			}
		default:
			o.taken(it, out)
			o.setAlarm("")
		}
		delay = retryMin
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

func (o *Outbox) taken(it *item, out consensus.Outcome) {
	o.mu.Lock()
	defer o.mu.Unlock()
	it.accepted = &out
	o.broadcast()
}

// refused reacts to the network's refusal. What a newer reader set or key
// cures is built anew, and so is what lost its sequence to an earlier life of
// this hospital; an act that the network does not want goes; for the rest people are called, and the same bytes are tried
// again later.
func (o *Outbox) refused(ctx context.Context, it *item, r *state.Refusal) error {
	if refusedAct(it, r) {
		return o.drop(it, r)
	}
	switch r.Code {
	case state.CodeReaderSet, state.CodeWraps, state.CodeKey, state.CodeKeySpan:
		o.cfg.Logger.Info("envelope is built anew", "sequence", it.env.Sequence, "refusal", r.Error())
		before := it.env.KeyID
		if err := o.rebuildFrom(it, it.env.Previous); err != nil {
			return err
		}
		if isKey := r.Code == state.CodeKey || r.Code == state.CodeKeySpan; isKey && it.env.KeyID == before {
			o.setAlarm(fmt.Sprintf("envelope %d was refused, and this node has no other key: %s; raresync key list shows what the log knows", it.env.Sequence, r.Error()))
		}
	case state.CodeSequence, state.CodeFork, state.CodePrevious:
		if err := o.overtaken(ctx, it, r); err != nil {
			return err
		}
	default:
		o.setAlarm(fmt.Sprintf("envelope %d was refused: %s", it.env.Sequence, r.Error()))
	}
	sleep(ctx, refusalGap)
	return nil
}

// collect waits until a checkpoint covers each accepted envelope, writes its
// receipt and lets it go.
func (o *Outbox) collect(ctx context.Context) error {
	for {
		it, err := o.next(ctx, func(it *item) bool { return it.accepted != nil })
		if err != nil {
			return nil
		}
		end := it.accepted.First + uint64(it.accepted.Count)
		cp, err := o.cfg.Log.WaitCheckpoint(ctx, end)
		if err != nil {
			return nil
		}
		if _, err := o.cfg.Log.Wait(ctx, func(s *state.State) bool { return s.Tree.Size() >= end }); err != nil {
			return nil
		}
		if err := o.receipted(it, cp.Marshal()); err != nil {
			return fmt.Errorf("outbox: receipt of sequence %d: %w", it.env.Sequence, err)
		}
	}
}

// receipted writes the receipt and the entry ids, in this order, before the
// envelope goes: a crash in between repeats the step and changes nothing.
func (o *Outbox) receipted(it *item, note []byte) error {
	r := Receipt{
		Sequence: it.env.Sequence, ID: it.env.ID(), Number: it.accepted.Number, First: it.accepted.First,
		Count: it.accepted.Count, LogTime: it.accepted.LogTime, Checkpoint: note, Entries: it.ids,
	}
	if early := it.firstSent() - int64(r.LogTime); early > earlyAfter.Milliseconds() {
		o.cfg.Logger.Error("log time lies before the first sending: compare this machine's clock with the leader's",
			"sequence", r.Sequence, "early_ms", early)
	}
	o.settling.Lock()
	defer o.settling.Unlock()
	if err := o.store.saveReceipt(r); err != nil {
		return err
	}
	if err := o.store.remember(it.ids); err != nil {
		return err
	}
	if err := o.store.remove(r.Sequence); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.items = slices.DeleteFunc(o.items, func(x *item) bool { return x == it })
	for _, id := range it.ids {
		o.known[id] = true
	}
	o.receipts[r.Sequence] = r
	delete(o.receipts, r.Sequence-receiptsKept)
	o.broadcast()
	return nil
}

// firstSent returns the earliest time the envelope can have been sent, in ms:
// one that the log had before this run's first sending was sent by a former
// run, of which only the time of signing is left.
func (it *item) firstSent() int64 {
	if it.accepted.Duplicate {
		return int64(it.env.SignedAt)
	}
	return it.sent.UnixMilli()
}

// receiptsKept bounds the receipts in memory; older ones are on disk.
const receiptsKept = 256
