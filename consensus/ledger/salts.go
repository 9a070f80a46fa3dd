package ledger

import "fmt"

// Refill writes the bodies of envelope number n, salts and all, over what the
// files hold of them. The caller has verified them against the envelope's
// header, which holds their commitments; they are durable with the next Sync.
func (l *Ledger) Refill(n uint64, bodies []Body) error {
	l.write.Lock()
	defer l.write.Unlock()
	if _, err := l.writable(); err != nil {
		return fmt.Errorf("refill envelope %d: %w", n, err)
	}
	rec, before, err := l.WholeEnvelope(n)
	if err != nil {
		return fmt.Errorf("refill: %w", err)
	}
	if len(before) != len(bodies) {
		return fmt.Errorf("refill envelope %d: %w: %d bodies, want %d", n, ErrBatch, len(bodies), len(before))
	}
	for i := range bodies {
		if len(bodies[i].Ciphertext) != len(before[i].Ciphertext) {
			return fmt.Errorf("refill envelope %d: %w", n, damaged(fileBodyIndex.name(), "entry %d has another length", rec.First+uint64(i)))
		}
	}
	if err := l.refill(rec.First, bodies); err != nil {
		return fmt.Errorf("refill envelope %d: %w", n, l.fail(err))
	}
	return nil
}

func (l *Ledger) refill(first uint64, bodies []Body) error {
	start, _, err := l.bodyEnds(first, 1)
	if err != nil {
		return err
	}
	b := Batch{Bodies: bodies}
	sealed, _, salts := b.bodyRecords(start, nil, nil, nil)
	if _, err := l.files[fileBodies].WriteAt(sealed, int64(start)); err != nil {
		return ioError("write", fileBodies.name(), err)
	}
	if _, err := l.files[fileSalts].WriteAt(salts, int64(first*SaltBytes)); err != nil {
		return ioError("write", fileSalts.name(), err)
	}
	return nil
}
