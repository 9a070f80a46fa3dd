package outbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/state"
)

// A recovery after the loss of the majority ends a log epoch at a cut. A receipt of
// what lay beyond is worth nothing: the network does not have it any more, and the
// bytes left this hospital with the receipt. It is put aside, and its entries are
// forgotten, so that the same files are taken again.

func (s *store) lostDir() string { return filepath.Join(s.dir, "lost") }

func (s *store) lostPath(sequence uint64) string { return s.pathIn("lost", sequence) }

// putAside moves the receipts aside that recoveries have made worthless. It may be
// repeated: a receipt goes last.
func (o *Outbox) putAside(view *state.State) error {
	if len(view.Epochs) == 0 {
		return nil
	}
	o.building.Lock()
	defer o.building.Unlock()
	o.settling.Lock()
	defer o.settling.Unlock()
	lost, err := o.worthless(view)
	if err != nil || len(lost) == 0 {
		return err
	}
	gone := map[[32]byte]bool{}
	for _, r := range lost {
		for _, id := range r.Entries {
			gone[id] = true
		}
	}
	delete(gone, [32]byte{})
	// What takes these sequences next has a higher attempt than what had them.
	if err := o.setUsed(used{lost[len(lost)-1].Sequence, o.restoredAttempt(nil)}); err != nil {
		return err
	}
	if err := errors.Join(o.store.forget(gone), os.MkdirAll(o.store.lostDir(), 0o700)); err != nil {
		return err
	}
	for _, r := range slices.Backward(lost) {
		if err := os.Rename(o.store.receiptPath(r.Sequence), o.store.lostPath(r.Sequence)); err != nil {
			return fmt.Errorf("%w: %w", ledger.ErrStorage, err)
		}
	}
	if err := errors.Join(syncDir(o.store.lostDir()), syncDir(o.store.receiptsDir())); err != nil {
		return err
	}
	o.cfg.Logger.Error("acknowledged envelopes of this hospital were lost at the recovery: submit their files again",
		"envelopes", len(lost), "entries", len(gone), "from", lost[0].Sequence, "to", lost[len(lost)-1].Sequence)
	o.mu.Lock()
	defer o.mu.Unlock()
	for id := range gone {
		delete(o.known, id)
	}
	for _, r := range lost {
		delete(o.receipts, r.Sequence)
	}
	o.broadcast()
	return nil
}

// worthless returns the receipts, ascending, of envelopes that the log does not have
// where they say.
func (o *Outbox) worthless(view *state.State) (lost []Receipt, err error) {
	sequences, err := numbered(o.store.receiptsDir())
	if err != nil {
		return nil, err
	}
	for _, sequence := range slices.Backward(sequences) {
		r, ok, err := o.store.receipt(sequence)
		if err != nil {
			return nil, err
		}
		if !ok || r.Number < view.Epochs[0].Envelopes {
			break
		}
		if r.Number < view.Envelopes {
			meta, err := o.cfg.Copy.Meta(r.Number)
			if err != nil {
				return nil, err
			}
			if meta.ID == r.ID {
				continue
			}
		}
		lost = append(lost, r)
	}
	slices.Reverse(lost)
	return lost, nil
}

// Lost returns the receipts that a recovery made worthless and of whose entries some
// have not been taken again. One of which all have is dropped.
func (o *Outbox) Lost() (list []Receipt, err error) {
	sequences, err := numbered(o.store.lostDir())
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	for i := 0; err == nil && i < len(sequences); i++ {
		var raw []byte
		var r Receipt
		if raw, err = ledger.ReadFileDurable(o.store.lostPath(sequences[i])); err == nil {
			r, err = decodeReceipt(raw)
		}
		switch {
		case err != nil:
		case o.knowsAll(r.Entries):
			err = ledger.Destroy(o.store.lostPath(sequences[i]))
		default:
			list = append(list, r)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("outbox: lost receipts: %w", err)
	}
	return list, nil
}

func (o *Outbox) knowsAll(ids [][32]byte) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, id := range ids {
		if _, known := o.known[id]; !known && id != ([32]byte{}) {
			return false
		}
	}
	return true
}
