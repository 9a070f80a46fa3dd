package outbox

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"slices"
	"sort"

	"github.com/raresync/raresync/consensus/fault"
	"github.com/raresync/raresync/consensus/ledger"
)

// Drained waits until every envelope that is in the outbox now is under a
// receipt and in this node's copy of the log. One that is refused may keep it
// waiting until the context ends.
func (o *Outbox) Drained(ctx context.Context) error {
	if err := o.adopt(ctx); err != nil {
		return err
	}
	o.mu.Lock()
	last := o.head.sequence
	o.mu.Unlock()
	for {
		o.mu.Lock()
		waits := len(o.items) > 0 && o.items[0].env.Sequence <= last
		changed := o.changed
		o.mu.Unlock()
		if !waits {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("envelopes of this hospital are still on their way: %w", ctx.Err())
		case <-changed:
		}
	}
}

// WaitReleased waits until no envelope in the outbox holds any of the entries, by
// their runs of indexes: once they are under a receipt, their envelopes go.
func (o *Outbox) WaitReleased(ctx context.Context, spans []ledger.Span) error {
	own, err := o.sequencesOf(spans)
	if err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	for {
		o.mu.Lock()
		holds := slices.ContainsFunc(o.items, func(it *item) bool { return own[it.env.Sequence] })
		changed := o.changed
		o.mu.Unlock()
		if !holds {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("envelopes with erased entries wait for their receipts: %w", ctx.Err())
		case <-changed:
		}
	}
}

// sequencesOf returns the sequences of this hospital's envelopes that hold any
// of the entries.
func (o *Outbox) sequencesOf(spans []ledger.Span) (map[uint64]bool, error) {
	own := map[uint64]bool{}
	for _, s := range spans {
		for index := s.First; index < s.First+s.Count; {
			number, err := o.cfg.Copy.EnvelopeAt(index)
			if err != nil {
				return nil, err
			}
			meta, err := o.cfg.Copy.Meta(number)
			if err != nil {
				return nil, err
			}
			if meta.Hospital == o.cfg.Hospital {
				own[meta.Sequence] = true
			}
			index = meta.First + uint64(meta.Count)
		}
	}
	return own, nil
}

// Forget lets go of the ids of entries that are erased: of those under which
// they are known, so that the hospital may register the same again, and of
// those in their receipts. It may be repeated. Indexes that are not of this
// hospital's entries are passed over. Errors are ledger.ErrStorage.
func (o *Outbox) Forget(indexes []uint64) error {
	o.settling.Lock()
	defer o.settling.Unlock()
	gone := map[[32]byte]bool{}
	sequences, err := numbered(o.store.receiptsDir())
	if err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	var cleared []Receipt
	for _, index := range indexes {
		if n := len(cleared); n > 0 && covers(&cleared[n-1], index) {
			forgetIn(&cleared[n-1], index, gone)
			continue
		}
		r, ok, err := o.receiptOf(sequences, index)
		if err != nil {
			return fmt.Errorf("outbox: %w", err)
		}
		if ok {
			forgetIn(&r, index, gone)
			cleared = append(cleared, r)
		}
	}
	delete(gone, [32]byte{})
	if len(gone) == 0 {
		return nil
	}
	if err := o.marks.forget(gone); err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	if err := o.store.forget(gone); err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	fault.At(fault.ForgetKnown)
	for _, r := range cleared { // last: they say what is to be forgotten
		if err := ledger.ReplaceDurable(o.store.receiptPath(r.Sequence), r.marshal()); err != nil {
			return fmt.Errorf("outbox: %w", err)
		}
	}
	fault.At(fault.ForgetReceipts)
	o.mu.Lock()
	defer o.mu.Unlock()
	for id := range gone {
		delete(o.known, id)
	}
	for _, r := range cleared {
		delete(o.receipts, r.Sequence)
	}
	return nil
}

func covers(r *Receipt, index uint64) bool {
	return index >= r.First && index-r.First < uint64(len(r.Entries))
}

func forgetIn(r *Receipt, index uint64, gone map[[32]byte]bool) {
	id := &r.Entries[index-r.First]
	gone[*id], *id = true, [32]byte{}
}

// receiptOf finds the receipt of the envelope that holds an index: of one
// hospital's envelopes, sequences and indexes ascend together.
func (o *Outbox) receiptOf(sequences []uint64, index uint64) (found Receipt, ok bool, err error) {
	at := sort.Search(len(sequences), func(i int) bool {
		r, there, failed := o.store.receipt(sequences[i])
		if failed != nil && err == nil {
			err = failed
		}
		if there && covers(&r, index) {
			found, ok = r, true
		}
		return there && r.First+uint64(r.Count) > index
	})
	if err != nil || ok || at == len(sequences) {
		return found, ok, err
	}
	found, ok, err = o.store.receipt(sequences[at])
	return found, ok && covers(&found, index), err
}

// forget writes the known ids anew without some of them. Nothing is left of the
// former file.
func (s *store) forget(gone map[[32]byte]bool) error {
	raw, err := os.ReadFile(s.knownPath())
	if err != nil {
		return err
	}
	left := make([]byte, 0, len(raw))
	for id := range slices.Chunk(raw[:len(raw)/32*32], 32) {
		if !gone[[32]byte(id)] {
			left = append(left, id...)
		}
	}
	if len(left) == len(raw) {
		return nil
	}
	f, err := os.OpenFile(s.knownPath()+".tmp", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	former := s.knows
	s.knows = f
	err = errors.Join(s.remember(slices.Collect(chunks(left))), former.Close())
	if err == nil {
		err = ledger.KeepFormer(s.knownPath())
	}
	if err != nil {
		return err
	}
	fault.At(fault.ForgetWritten)
	if err := os.Rename(s.knownPath()+".tmp", s.knownPath()); err != nil {
		return err
	}
	if err := syncDir(s.dir); err != nil {
		return err
	}
	fault.At(fault.ForgetRenamed)
	return ledger.DestroyFormer(s.knownPath())
}

func chunks(flat []byte) iter.Seq[[32]byte] {
	return func(yield func([32]byte) bool) {
		for id := range slices.Chunk(flat, 32) {
			if !yield([32]byte(id)) {
				return
			}
		}
	}
}
