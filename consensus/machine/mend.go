package machine

import (
	"errors"
	"fmt"

	"github.com/raresync/raresync/consensus/fault"
	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/registry/envelope"
)

// ErrMended reports that what was written for damaged envelopes is not what had
// been there: the peer that sent it was wrong, and another is asked.
var ErrMended = errors.New("not what the ledger held")

// MendAlone writes damaged envelope number n again from what the disk still has
// of it: header, signatures and bodies, each under its checksum or commitment.
// ledger.ErrDamaged says that a peer has to be asked.
func (m *Machine) MendAlone(n uint64) error {
	m.mu.Lock()
	foreign := m.damage.envelopes[n]
	m.mu.Unlock()
	if n == 0 {
		return m.rewrite(n, m.genesis, m.genesis.SignedAt)
	}
	if foreign {
		return fmt.Errorf("mend envelope %d: %w: what the disk has does not lead to the root", n, ledger.ErrDamaged)
	}
	at, err := m.ledger.LengthsAt(n)
	if err != nil {
		return fmt.Errorf("mend envelope %d: %w", n, err)
	}
	rec, err := m.ledger.RecordAt(at)
	if err != nil {
		return fmt.Errorf("mend envelope %d: %w", n, err)
	}
	h, err := envelope.DecodeHeader(rec.Header)
	if err != nil {
		return fmt.Errorf("mend envelope %d: %w: %w", n, ledger.ErrDamaged, err)
	}
	bodies, err := m.ledger.BodiesAt(at.TreeSize, h.Count)
	if err != nil {
		return fmt.Errorf("mend envelope %d: %w", n, err)
	}
	e, err := assembleHeld(m.ledger, rec, at.TreeSize, bodies, m.erased)
	if err != nil {
		return fmt.Errorf("mend envelope %d: %w", n, err)
	}
	return m.rewrite(n, e, rec.LogTimeMS)
}

// Mend writes damaged envelope number n again as a peer sent it. Whether the
// peer told the truth shows in [Machine.Settle]; until then no hash vouches for
// what was written. Envelopes are mended in order: where one lies follows from
// the one before. ErrMended says that it cannot be the one.
func (m *Machine) Mend(n uint64, raw []byte, logTime uint64) error {
	e, r := decodeHeld(raw)
	if r != nil {
		return fmt.Errorf("mend envelope %d: %w: %w", n, ErrMended, r)
	}
	if err := m.checkSigned(e); err != nil {
		return fmt.Errorf("mend envelope %d: %w: %w", n, ErrMended, err)
	}
	m.mu.Lock()
	if _, open := m.damage.envelopes[n]; open {
		m.damage.envelopes[n] = true
	}
	m.mu.Unlock()
	err := m.rewriteHeld(n, e, logTime)
	if errors.Is(err, ledger.ErrBatch) || errors.Is(err, ledger.ErrDamaged) {
		return fmt.Errorf("%w: %v", ErrMended, err) // what the peer sent is wrong, or was before it
	}
	return err
}

// checkSigned checks the signature by any key that the sender ever had: the
// root, which comes to the same leaf, says that it was valid at that place.
func (m *Machine) checkSigned(e *envelope.Envelope) error {
	m.mu.Lock()
	member, ok := m.state.Member(e.Hospital)
	var key *sign.PublicKey
	if ok && e.Network == m.state.Network {
		for _, span := range member.Signing {
			if span.Key.ID() == e.KeyID {
				key = span.Key
			}
		}
	}
	m.mu.Unlock()
	if key == nil || e.Kind.Label() == "" {
		return errors.New("not signed by a member's key")
	}
	return e.VerifySignature(key)
}

// rewriteHeld is rewrite of what a peer holds: it may send no body of an erased
// entry, and has to send one of every other.
func (m *Machine) rewriteHeld(n uint64, e *envelope.Envelope, logTime uint64) error {
	at, err := m.ledger.LengthsAt(n)
	if err != nil {
		return fmt.Errorf("mend envelope %d: %w", n, err)
	}
	e, err = onlyErased(e, at.TreeSize, m.erased)
	if err != nil {
		return fmt.Errorf("mend envelope %d: %w: %w", n, ErrMended, err)
	}
	return m.rewrite(n, e, logTime)
}

func (m *Machine) rewrite(n uint64, e *envelope.Envelope, logTime uint64) error {
	b, at, err := m.placed(n, e, logTime)
	if err == nil {
		_, err = m.ledger.Rewrite(at, b)
	}
	if err != nil {
		return fmt.Errorf("mend envelope %d: %w", n, err)
	}
	fault.At(fault.RepairWritten)
	return nil
}

// placed returns what the files keep of envelope number n, and where.
func (m *Machine) placed(n uint64, e *envelope.Envelope, logTime uint64) (ledger.Batch, ledger.Lengths, error) {
	at, err := m.ledger.LengthsAt(n)
	if err != nil {
		return ledger.Batch{}, at, err
	}
	commitments := e.Commitments()
	if err := e.CheckBodies(commitments); err != nil {
		return ledger.Batch{}, at, fmt.Errorf("%w: %w", ledger.ErrDamaged, err)
	}
	if next, err := m.ledger.Meta(n + 1); err == nil && next.First != at.TreeSize+uint64(e.Count) {
		return ledger.Batch{}, at, fmt.Errorf("%w: the next envelope does not follow it", ledger.ErrDamaged)
	}
	previous, err := m.previous(n, e.Hospital)
	if err != nil {
		return ledger.Batch{}, at, err
	}
	leaves := make([][]byte, len(commitments))
	for place, c := range commitments {
		leaves[place] = e.Leaf(uint32(place), logTime, c).Append(nil)
	}
	return batch(e, state.Accepted{Number: n, First: at.TreeSize, LogTime: logTime, Previous: previous, Leaves: leaves}), at, nil
}

// previous walks back from envelope number n to the one before it of the same
// hospital.
func (m *Machine) previous(n uint64, hospital uint32) (uint64, error) {
	for n > 0 {
		n--
		meta, err := m.ledger.Meta(n)
		if err != nil {
			return 0, err
		}
		if meta.Hospital == hospital {
			return n, nil
		}
	}
	return ledger.None, nil
}
