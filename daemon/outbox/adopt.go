package outbox

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/registry/envelope"
)

// Ready waits until this node has a current copy of the log and the outbox has
// been compared with it.
func (o *Outbox) Ready(ctx context.Context) error { return o.adopt(ctx) }

// adopt compares the outbox with the log once this node is a current copy. A
// log that is ahead belongs to an earlier life of this hospital, from which a
// backup or an empty folder came back: see [Outbox.reconcile].
func (o *Outbox) adopt(ctx context.Context) error {
	select {
	case o.adopting <- struct{}{}:
		defer func() { <-o.adopting }()
	case <-ctx.Done():
		return fmt.Errorf("outbox: the node is not ready: %w", ctx.Err())
	}
	o.mu.Lock()
	done := o.adopted
	o.mu.Unlock()
	if done {
		return nil
	}
	ready := func(*state.State) bool { return o.cfg.Log.Status().Ready }
	view, err := waitReady(ctx, o.cfg.Log, ready)
	if err != nil {
		return fmt.Errorf("outbox: the node is not ready: %w", err)
	}
	if err := o.reconcile(ctx, view); err != nil {
		return fmt.Errorf("outbox: compare with the log: %w", err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.adopted, o.since = true, uint64(o.cfg.Now().UnixMilli())
	return nil
}

// reconcile takes in what the log holds of this hospital and the outbox does
// not know, and builds anew, behind the log's end, the envelopes whose place
// was taken: without the entries that the log has. Broken off, it starts again
// and changes nothing twice.
func (o *Outbox) reconcile(ctx context.Context, view *state.State) error {
	return o.cfg.Copy.Repaired(ctx, func() error { return o.compare(ctx, view) })
}

func (o *Outbox) compare(ctx context.Context, view *state.State) error {
	m, ok := view.Member(o.cfg.Hospital)
	if !ok {
		return errors.New("this institution is not in the roster")
	}
	if err := o.putAside(view); err != nil {
		return err
	}
	numbers, err := o.unknown(m.Chain)
	if err != nil {
		return err
	}
	if err := o.takeIn(ctx, numbers); err != nil {
		return err
	}
	return o.requeue(m.Chain, len(numbers) > 0)
}

// unknown returns the numbers, ascending, of this hospital's envelopes in the
// log that are neither under a receipt here nor on their way.
func (o *Outbox) unknown(chain state.Chain) ([]uint64, error) {
	pending := o.pendingIDs() // before the receipts: that is the way an envelope goes
	receipts, err := numbered(o.store.receiptsDir())
	if err != nil {
		return nil, err
	}
	var numbers []uint64
	for n := chain.Number; n > 0 && n != ledger.None; { // 0 is the genesis: nobody's earlier life
		meta, err := o.cfg.Copy.Meta(n)
		if err != nil {
			return nil, err
		}
		_, receipted := slices.BinarySearch(receipts, meta.Sequence)
		if !receipted && pending[meta.Sequence] != meta.ID {
			numbers = append(numbers, n)
		}
		n = meta.PrevOfHospital
	}
	slices.Reverse(numbers)
	return numbers, nil
}

func (o *Outbox) pendingIDs() map[uint64]envelope.ID {
	o.mu.Lock()
	defer o.mu.Unlock()
	ids := make(map[uint64]envelope.ID, len(o.items))
	for _, it := range o.items {
		ids[it.env.Sequence] = it.env.ID()
	}
	return ids
}

// takeIn gives envelopes of an earlier life their receipts, and remembers their
// entries, so that dropping the same file again adds nothing.
func (o *Outbox) takeIn(ctx context.Context, numbers []uint64) error {
	if len(numbers) == 0 {
		return nil
	}
	last, err := o.cfg.Copy.Meta(numbers[len(numbers)-1])
	if err != nil {
		return err
	}
	cp, err := o.cfg.Log.WaitCheckpoint(ctx, last.First+uint64(last.Count))
	if err != nil {
		return err
	}
	note, closed := cp.Marshal(), 0
	for _, n := range numbers {
		r, unread, err := o.fromLog(n)
		if err != nil {
			return fmt.Errorf("envelope %d: %w", n, err)
		}
		r.Checkpoint, closed = note, closed+unread
		if err := o.adoptReceipt(r); err != nil {
			return fmt.Errorf("envelope %d: %w", n, err)
		}
	}
	o.cfg.Logger.Warn("the log holds envelopes of this hospital that the outbox does not know; going on from there",
		"envelopes", len(numbers), "sequence", last.Sequence)
	if closed > 0 {
		o.cfg.Logger.Error("entries of this hospital in the log do not open: files with them, dropped again, add them a second time",
			"entries", closed)
	}
	return nil
}

// fromLog describes an envelope of the log by a receipt that lacks only its
// checkpoint. Entries that do not open keep an id of zeros and are counted;
// those that are withdrawn keep one too: the same may be registered again.
func (o *Outbox) fromLog(number uint64) (r Receipt, unread int, err error) {
	env, logTime, err := o.cfg.Copy.Envelope(number)
	if err != nil {
		return Receipt{}, 0, err
	}
	meta, err := o.cfg.Copy.Meta(number)
	if err != nil {
		return Receipt{}, 0, err
	}
	r = Receipt{
		Sequence: env.Sequence, ID: env.ID(), Number: number, First: meta.First, Count: env.Count,
		LogTime: logTime, Entries: make([][32]byte, env.Count),
	}
	if env.Kind == envelope.KindAct {
		r.Entries[0] = actID(env.Bodies[0].Ciphertext)
		return r, 0, nil
	}
	view := o.cfg.Log.View()
	opened, err := o.open(env)
	if err != nil {
		return r, len(r.Entries), nil // sealed to a key that this hospital no longer has
	}
	for _, b := range opened {
		if view.Withdrawn(env.Hospital, r.First+uint64(b.Place)) {
			continue
		}
		id, err := [32]byte{}, b.Err
		if err == nil {
			id, err = o.cfg.EntryID(b.CBOR)
		}
		if err != nil {
			unread++
			continue
		}
		r.Entries[b.Place] = id
	}
	return r, unread, nil
}

// adoptReceipt remembers the entries before it writes the receipt, which says
// that this envelope needs no second look.
func (o *Outbox) adoptReceipt(r Receipt) error {
	o.settling.Lock()
	defer o.settling.Unlock()
	var fresh [][32]byte
	o.mu.Lock()
	for _, id := range r.Entries {
		if id != ([32]byte{}) && !o.known[id] {
			fresh = append(fresh, id)
		}
	}
	o.mu.Unlock()
	if err := o.store.remember(fresh); err != nil {
		return err
	}
	if err := o.store.saveReceipt(r); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, id := range fresh {
		o.known[id] = true
	}
	o.broadcast()
	return nil
}
