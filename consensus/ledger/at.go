package ledger

import "fmt"

// LengthsAt returns the lengths the files had after the given number of
// envelopes: where [Ledger.Truncate] may cut.
func (l *Ledger) LengthsAt(envelopes uint64) (Lengths, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if envelopes > l.at.Envelopes {
		return Lengths{}, fmt.Errorf("lengths at %d envelopes: %w", envelopes, ErrOutOfRange)
	}
	return l.lengthsAt(envelopes)
}
