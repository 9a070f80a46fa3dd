package audit

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/tlog"
)

// ErrLost reports a receipt of a log epoch that ended before its entry: a majority
// signed it, and the recovery after the loss of that majority could not keep it.
var ErrLost = errors.New("lost at the recovery")

// ReceiptIn compares a receipt, which [Receipt] has verified, with a copy of the
// log, which is derived again: the copy's log holds the entry where the receipt says.
// The error is ErrUnverified, and ErrLost if a recovery explains it.
func ReceiptIn(dir string, leaf, receipt []byte, progress func(envelopes uint64) (done func())) error {
	p, err := tlog.ParseProof(receipt)
	if err != nil {
		return unverified("receipt: %w", err)
	}
	if leaf == nil {
		leaf = p.Extra
	}
	at, err := findLedger(dir)
	if err != nil {
		return err
	}
	l, err := ledger.OpenReadOnly(at)
	if err != nil {
		return damaged(err)
	}
	defer l.Close()
	s, _, err := derive(l, Options{Progress: progress})
	if err != nil {
		return err
	}
	return compareReceipt(l, s, p, leaf)
}

func compareReceipt(l *ledger.Ledger, s *state.State, p tlog.Proof, leaf []byte) error {
	size := s.Tree.Size()
	if p.Index < size {
		got, err := l.Leaf(p.Index)
		if err != nil {
			return damaged(err)
		}
		if bytes.Equal(got, leaf) {
			return nil
		}
	}
	sc := p.Checkpoint
	for _, e := range s.Epochs {
		if before := fmt.Sprintf("%s/%d", s.Name, e.Number-1); sc.Origin == before && p.Index >= e.Size {
			return unverified("receipt: entry %d, under a checkpoint of %d entries of %s, was %w: log epoch %d began behind %d entries; its hospital submits it again",
				p.Index, sc.Size, sc.Origin, ErrLost, e.Number, e.Size)
		}
	}
	if p.Index >= size {
		return unverified("receipt: the copy ends after %d entries, the receipt is of entry %d", size, p.Index)
	}
	return unverified("receipt: the copy has another entry %d", p.Index)
}
