package machine

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/raresync/raresync/consensus/ledger"
)

// damage is what the disk does not return as it was written: a gap in the
// middle of the copy. It lives in memory. After a restart the reads and the
// scrub find again what was not repaired.
type damage struct {
	// envelopes are the numbers to be written again. One that is true comes
	// from a peer, because what the disk has of it did not lead to the root.
	envelopes map[uint64]bool
	survey    bool // something else is wrong: every envelope is to be looked at
	unsettled bool // that was done; the tree is still to be derived again
	reason    error
}

func (d *damage) open() bool { return d.survey || d.unsettled || len(d.envelopes) > 0 }

func (d *damage) add(n uint64) {
	if d.envelopes == nil {
		d.envelopes = map[uint64]bool{}
	}
	if !d.envelopes[n] {
		d.envelopes[n] = false
	}
}

// Damage says what is wrong with this node's disk, or nil. While there is
// damage the node is not a copy: it applies, and serves nothing.
func (m *Machine) Damage() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case !m.damage.open():
		return nil
	case m.damage.survey:
		return fmt.Errorf("the ledger is searched for damage: %w", m.damage.reason)
	}
	return fmt.Errorf("%d damaged envelopes are being repaired: %w", len(m.damage.envelopes), m.damage.reason)
}

// Noticed takes an error of a read. If the disk is damaged, the whole ledger is
// searched, and the answer is ErrGap until it is repaired.
func (m *Machine) Noticed(err error) error {
	if !errors.Is(err, ledger.ErrDamaged) {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.suspect(err)
}

// suspectIf is Noticed under the lock.
func (m *Machine) suspectIf(err error) error {
	if !errors.Is(err, ledger.ErrDamaged) {
		return err
	}
	return m.suspect(err)
}

// suspect takes an error of a read that says that the disk is damaged.
func (m *Machine) suspect(err error) error {
	m.damage.survey, m.damage.reason = true, err
	m.broadcast()
	return fmt.Errorf("%w: %v", ErrGap, err) // it is repaired, and nobody's failure: no %w
}

// noticedAt is Noticed of a read of one envelope.
func (m *Machine) noticedAt(n uint64, err error) error {
	if !errors.Is(err, ledger.ErrDamaged) {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.damage.add(n)
	m.damage.reason = err
	m.broadcast()
	return fmt.Errorf("%w: %v", ErrGap, err) // as above
}

// Examine reads the envelopes from number n on as [Read] does, until it has
// seen about maxBytes, notes which are damaged, and returns the next number and
// the bytes that it read. Past the last envelope it returns the same number.
func (m *Machine) Examine(n, maxBytes uint64) (next, bytes uint64, err error) {
	end := m.ledger.Lengths().Envelopes
	for ; n < end && bytes < maxBytes; n++ {
		e, _, err := m.read(n)
		if errors.Is(err, ledger.ErrDamaged) && !m.isVouched(n) {
			e, _, err = Read(m.ledger, n, m.blank)
		}
		switch {
		case errors.Is(err, ledger.ErrDamaged):
			_ = m.noticedAt(n, err) // repaired in the background
			continue
		case errors.Is(err, ledger.ErrOutOfRange): // cut meanwhile
			return n, bytes, nil
		case err != nil:
			return n, bytes, err
		}
		bytes += uint64(len(e.Marshal())) + uint64(e.Count)*(ledger.LeafRecordBytes+ledger.HashBytes)
	}
	return n, bytes, nil
}

// Survey looks at every envelope if something is wrong and it is not known
// where, and returns the numbers of all that are damaged, in order.
func (m *Machine) Survey() ([]uint64, error) {
	m.mu.Lock()
	survey := m.damage.survey
	m.mu.Unlock()
	if survey {
		if _, _, err := m.Examine(0, ^uint64(0)); err != nil {
			return nil, fmt.Errorf("search for damage: %w", err)
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if survey {
		m.damage.survey, m.damage.unsettled = false, true
	}
	return slices.Sorted(maps.Keys(m.damage.envelopes)), nil
}

// forget drops what was damaged beyond the end of the ledger.
func (d *damage) forget(envelopes uint64) {
	maps.DeleteFunc(d.envelopes, func(n uint64, _ bool) bool { return n >= envelopes })
}

// ExamineTree derives the tree from the leaves and compares every stored hash
// and the root; what differs is repaired in the background.
func (m *Machine) ExamineTree() error {
	m.mu.Lock()
	size, root := m.state.Tree.Size(), m.state.Tree.Root()
	m.mu.Unlock()
	d, err := m.derive(size, nil)
	if err == nil && (d.wrong > 0 || d.root != root) {
		err = fmt.Errorf("%w: stored hashes are not those of the leaves", ledger.ErrDamaged)
	}
	if err = m.Noticed(err); errors.Is(err, ErrGap) || errors.Is(err, ledger.ErrOutOfRange) { // or it was cut meanwhile
		return nil
	}
	return err
}
