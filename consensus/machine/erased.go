package machine

import (
	"errors"
	"fmt"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/registry/envelope"
)

// errNotErased is why what a peer sent is not taken: it left out the body of an
// entry that was not withdrawn.
var errNotErased = errors.New("a body is left out of an entry that is not erased")

// ErasedBy returns which entries a state lists as erased.
func ErasedBy(s *state.State) Erased {
	return func(hospital uint32, first uint64, count uint32) []bool {
		if len(s.Claims) == 0 {
			return nil
		}
		var places []bool
		for place := range uint64(count) {
			if !s.Withdrawn(hospital, first+place) {
				continue
			}
			if places == nil {
				places = make([]bool, count)
			}
			places[place] = true
		}
		return places
	}
}

// erased is [ErasedBy] of what this machine has applied, or is to have applied
// once its gap is filled.
func (m *Machine) erased(hospital uint32, first uint64, count uint32) []bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.state
	if m.gap != nil {
		s = m.gap.target.State
	}
	return ErasedBy(s)(hospital, first, count)
}

// Vouched says that a checkpoint vouches for the envelopes before a number. Of later
// ones a peer may have left out bodies that an act further on erases, which is no
// damage. Without it every envelope is vouched for.
func (m *Machine) Vouched(envelopes uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.vouched = envelopes
}

func (m *Machine) isVouched(n uint64) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return n < m.vouched
}

// blank tells which entries have no salt in the ledger, erased or left out.
func (m *Machine) blank(_ uint32, first uint64, count uint32) []bool {
	blank, err := m.ledger.BlankSalts(first, int(count))
	if err != nil || len(blank) == 0 {
		return nil // the read that asks goes on, and finds the damage
	}
	places := make([]bool, count)
	for _, index := range blank {
		places[index-first] = true
	}
	return places
}

// onlyErased takes an envelope whose first entry has the given index as a peer
// holds it, for a ledger in which certain entries are erased: it returns it
// without their bodies, and an error if others are missing.
func onlyErased(e *envelope.Envelope, first uint64, erased Erased) (*envelope.Envelope, error) {
	var gone []bool
	if e.Kind == envelope.KindEntries {
		gone = erased(e.Hospital, first, e.Count)
	}
	for place := range e.Bodies {
		if e.Bodies[place].Erased != nil && (gone == nil || !gone[place]) {
			return nil, fmt.Errorf("entry %d: %w", first+uint64(place), errNotErased)
		}
	}
	if gone == nil {
		return e, nil
	}
	return e.Erase(func(place int) bool { return gone[place] }), nil
}

// OnlyErased takes an envelope, whose first entry has the given index, as a peer
// holds it: the entries that are erased here come back without their bodies. It
// is an error if others are left out.
func (m *Machine) OnlyErased(e *envelope.Envelope, first uint64) (*envelope.Envelope, error) {
	return onlyErased(e, first, m.erased)
}

// Assemble puts an envelope of the ledger together with the given bodies; those
// that are erased are left out.
func (m *Machine) Assemble(rec ledger.EnvelopeRec, bodies []ledger.Body) (*envelope.Envelope, error) {
	return assembleHeld(m.ledger, rec, rec.First, bodies, m.erased)
}

// Kept returns what a ledger keeps of an envelope's bodies: of an erased one
// zeros.
func Kept(e *envelope.Envelope) []ledger.Body {
	bodies := make([]ledger.Body, len(e.Bodies))
	for i := range e.Bodies {
		bodies[i] = ledger.Body{Salt: e.Bodies[i].Salt, Tag: e.Bodies[i].Tag, Ciphertext: e.Bodies[i].Ciphertext}
	}
	return bodies
}

// checkHeld takes what a peer sent for the gap: the snapshot at the gap's end
// says what is erased.
func (m *Machine) checkHeld(p *prepared) (err error) {
	if p.envelope != nil {
		p.envelope, err = onlyErased(p.envelope, m.state.Tree.Size(), ErasedBy(m.gap.target.State))
	}
	return err
}

// CheckLeftOut looks at the entries from index first on whose salt reads as
// zeros: peers left them out, and a mirror, which did not know better then,
// wrote zeros. Each must be erased by now, or be what its commitment says, as
// acts are. ErrDiverged says that a peer lied. Nothing is applied meanwhile.
// erased reports whether there was any.
func (m *Machine) CheckLeftOut(first uint64) (erased bool, err error) {
	view := m.View()
	for end := view.Tree.Size(); first < end; {
		n := int(min(end-first, ledger.MaxLeafRange))
		blank, err := m.ledger.BlankSalts(first, n)
		if err != nil {
			return false, err
		}
		for _, index := range blank {
			gone, err := m.checkBlank(view, index)
			if err != nil {
				return false, err
			}
			erased = erased || gone
		}
		first += uint64(n)
	}
	return erased, nil
}

func (m *Machine) checkBlank(view *state.State, index uint64) (erased bool, err error) {
	raw, err := m.ledger.Leaf(index)
	if err != nil {
		return false, err
	}
	leaf, err := envelope.ParseLeaf(raw)
	switch {
	case err != nil:
		return false, fmt.Errorf("%w: leaf %d: %w", ledger.ErrDamaged, index, err)
	case leaf.Kind == envelope.KindAct: // it came whole, or was not admitted
		return false, nil
	case view.Withdrawn(leaf.Hospital, index):
		return true, nil
	}
	return false, m.checkWhole(index, leaf)
}

// checkWhole wants an entry to be what its leaf commits to.
func (m *Machine) checkWhole(index uint64, leaf envelope.Leaf) error {
	b, err := m.ledger.Body(index)
	if err != nil {
		return err
	}
	number, err := m.ledger.EnvelopeAt(index)
	if err != nil {
		return err
	}
	rec, err := m.ledger.Envelope(number)
	if err != nil {
		return err
	}
	h, err := envelope.DecodeHeader(rec.Header)
	if err != nil {
		return fmt.Errorf("%w: %w", ledger.ErrDamaged, err)
	}
	if h.Context().Commitment(leaf.Place, b.Salt, b.Tag, b.Ciphertext) != leaf.Commitment {
		return fmt.Errorf("%w: entry %d: %w", ErrDiverged, index, errNotErased)
	}
	return nil
}
