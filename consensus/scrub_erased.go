package consensus

import (
	"context"
	"errors"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/machine"
)

// scrubErased looks whether all that this node has erased still reads as zeros.
// What does not, whoever put it there, is owed again: see [Node.runEraser].
func (n *Node) scrubErased(ctx context.Context) error {
	through, _ := n.erased.get()
	for _, w := range n.View().Withdrawals {
		if w.Envelope > through {
			return nil
		}
		gone, bytes, err := n.readsErased(w.Envelope)
		switch {
		case errors.Is(err, machine.ErrGap), errors.Is(err, ledger.ErrOutOfRange): // later, when the copy is whole
			return nil
		case err != nil:
			return err
		case !gone:
			n.log.Error("what was erased is not zeros any more: it is erased again", "withdrawal", w.Envelope)
			if err := n.erased.withdrawn(w.Envelope); err != nil {
				return err
			}
			n.machine.Wake()
			return nil
		}
		if !n.scrubPace.passed(ctx, bytes) {
			return nil
		}
	}
	return nil
}

// readsErased reports whether the entries that an envelope withdraws read as
// zeros, and how many bytes were read.
func (n *Node) readsErased(number uint64) (gone bool, bytes uint64, err error) {
	e, _, err := n.machine.Envelope(number)
	if err != nil {
		return false, 0, err
	}
	spans, err := n.spansOf(e)
	if err != nil {
		return false, 0, err
	}
	for _, s := range spans {
		for index := s.First; index < s.First+s.Count; index++ {
			b, err := n.machine.Ledger().Body(index)
			if err != nil {
				return false, bytes, n.machine.Noticed(err)
			}
			bytes += ledger.SaltBytes + uint64(len(b.Ciphertext))
			if !b.Blank() {
				return false, bytes, nil
			}
		}
	}
	return true, bytes, nil
}
