package outbox

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/registry/envelope"
)

const (
	retryMin   = 100 * time.Millisecond
	retryMax   = 5 * time.Second
	readyPoll  = 100 * time.Millisecond
	lateAfter  = 5 * time.Minute // between first sending and log time
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
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 2)
	go func() { ended <- o.send(ctx) }()
	go func() { ended <- o.collect(ctx) }()
	first := <-ended
	cancel()
	return errors.Join(first, <-ended)
}

// Close closes the files. Run has returned.
func (o *Outbox) Close() error { return o.store.close() }

// waitReady waits for a node that is a current copy. Readiness depends on more
// than the state, so it is asked again at intervals.
func waitReady(ctx context.Context, log Log, ready func(*state.State) bool) (*state.State, error) {
	for {
		wait, cancel := context.WithTimeout(ctx, readyPoll)
		view, err := log.Wait(wait, ready)
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
// cures is built anew; for the rest people are called, and the same bytes are
// tried again later.
func (o *Outbox) refused(ctx context.Context, it *item, r *state.Refusal) error {
	switch r.Code {
	case state.CodeReaderSet, state.CodeWraps, state.CodeKey, state.CodeKeySpan:
		o.cfg.Logger.Info("envelope is built anew", "sequence", it.env.Sequence, "refusal", r.Error())
		if err := o.rebuildFrom(it); err != nil {
			return fmt.Errorf("outbox: build sequence %d anew: %w", it.env.Sequence, err)
		}
	default:
		o.setAlarm(fmt.Sprintf("envelope %d was refused: %s", it.env.Sequence, r.Error()))
	}
	sleep(ctx, refusalGap)
	return nil
}

// rebuildFrom builds an item and all behind it anew: each names the one before
// it by id.
func (o *Outbox) rebuildFrom(first *item) error {
	o.building.Lock()
	defer o.building.Unlock()
	previous := first.env.Previous
	for _, it := range o.itemsFrom(first.env.Sequence) {
		env, err := o.rebuild(it.env, previous)
		if err != nil {
			return err
		}
		renewed := &item{env: env, ids: it.ids}
		if err := o.store.save(renewed); err != nil {
			return err
		}
		o.mu.Lock()
		it.env = env
		o.head = link{env.Sequence, env.ID()}
		o.mu.Unlock()
		previous = env.ID()
	}
	return nil
}

func (o *Outbox) itemsFrom(sequence uint64) []*item {
	o.mu.Lock()
	defer o.mu.Unlock()
	i := slices.IndexFunc(o.items, func(it *item) bool { return it.env.Sequence >= sequence })
	return slices.Clone(o.items[i:])
}

func (o *Outbox) rebuild(old *envelope.Envelope, previous envelope.ID) (*envelope.Envelope, error) {
	view := o.cfg.Log.View()
	next := envelope.Link{
		Network: view.Network, Hospital: o.cfg.Hospital, Sequence: old.Sequence, Attempt: old.Attempt + 1,
		Previous: previous, SignedAt: uint64(o.cfg.Now().UnixMilli()),
	}
	if old.Kind == envelope.KindAct {
		return envelope.BuildAct(next, old.Bodies[0].Ciphertext, o.cfg.Key)
	}
	opened, err := old.Open(o.cfg.Sealing, seal.Rights{Clinical: true, Genetic: true})
	if err != nil {
		return nil, err
	}
	plains := make([]envelope.Plain, len(opened))
	for i, e := range opened {
		if e.Err != nil {
			return nil, e.Err
		}
		plains[i] = envelope.Plain{Part: e.Part, CBOR: e.CBOR}
	}
	readers, ok := view.ReadersFor(o.cfg.Hospital)
	if !ok {
		return nil, errors.New("this institution is not in the roster")
	}
	env, _, err := envelope.BuildEntries(next, readers, plains, o.cfg.Key, rand.Reader)
	return env, err
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
		Count: it.accepted.Count, LogTime: it.accepted.LogTime, Checkpoint: note,
	}
	if late := int64(r.LogTime) - it.sent.UnixMilli(); late > lateAfter.Milliseconds() {
		o.cfg.Logger.Warn("log time lies far behind the first sending", "sequence", r.Sequence, "late_ms", late)
	}
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
	o.receipts[r.Sequence] = r
	delete(o.receipts, r.Sequence-receiptsKept)
	o.broadcast()
	return nil
}

// receiptsKept bounds the receipts in memory; older ones are on disk.
const receiptsKept = 256
