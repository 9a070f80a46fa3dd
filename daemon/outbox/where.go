package outbox

import (
	"fmt"
	"slices"
)

// Where returns, of entries by their ids, in which envelope each is: one that is on
// its way, or one that has its receipt. An id that this outbox never took, or that
// was forgotten, is left out. It reads receipts from the newest back until all are
// found.
func (o *Outbox) Where(ids map[[32]byte]bool) (map[[32]byte]uint64, error) {
	found := map[[32]byte]uint64{}
	take := func(sequence uint64, of [][32]byte) {
		for _, id := range of {
			if ids[id] {
				found[id] = sequence
			}
		}
	}
	o.mu.Lock()
	for _, it := range o.items {
		take(it.env.Sequence, it.ids)
	}
	o.mu.Unlock()
	if len(found) == len(ids) {
		return found, nil
	}
	sequences, err := numbered(o.store.receiptsDir())
	if err != nil {
		return nil, fmt.Errorf("outbox: %w", err)
	}
	for _, sequence := range slices.Backward(sequences) {
		if len(found) == len(ids) {
			break
		}
		r, ok, err := o.store.receipt(sequence)
		if err != nil {
			return nil, fmt.Errorf("outbox: %w", err)
		}
		if ok {
			take(sequence, r.Entries)
		}
	}
	return found, nil
}
