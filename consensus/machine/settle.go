package machine

import (
	"errors"
	"fmt"
	"slices"

	"github.com/raresync/raresync/consensus/fault"
	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/crypto/tlog"
)

// Settle ends a repair: it derives the tree again from the leaves on the disk,
// and if its root is that of the state, writes the hashes that differ, makes
// all of it durable and forgets the damage that was known. Otherwise it says
// ErrDamaged if it has found more damage; ErrMended if what was mended does not
// lead to the root, and all of it is to come from another peer; or ErrDiverged
// if nothing is damaged at all: the ledger is another log's.
func (m *Machine) Settle() error {
	m.mu.Lock()
	size, root, known := m.state.Tree.Size(), m.state.Tree.Root(), len(m.damage.envelopes)
	m.mu.Unlock()
	t, err := m.derive(size, nil)
	switch {
	case err != nil:
		return fmt.Errorf("settle repair: %w", m.Noticed(err))
	case t.root != root && !fault.Planted(fault.TrustRepairs):
		return fmt.Errorf("settle repair: %w", m.distrust(t, known))
	}
	if t.wrong > 0 {
		if _, err := m.derive(size, m.ledger.RewriteHashes); err != nil {
			return fmt.Errorf("settle repair: %w", err)
		}
	}
	fault.At(fault.RepairHashes)
	if _, err := m.ledger.Sync(); err != nil {
		return fmt.Errorf("settle repair: %w", err)
	}
	fault.At(fault.RepairSynced)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.damage = damage{}
	m.broadcast()
	return nil
}

// distrust notes what a tree with another root than the state's tells: leaves
// whose hash is another, or else that what was mended is wrong.
func (m *Machine) distrust(t derived, known int) error {
	numbers, err := m.envelopesOf(t.leaves)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, n := range numbers {
		m.damage.add(n)
	}
	switch found := len(m.damage.envelopes); {
	case found > known:
		return fmt.Errorf("%w: more leaves than were known", ledger.ErrDamaged)
	case found == 0:
		return fmt.Errorf("%w: the ledger's root is not the state's", ErrDiverged)
	}
	for n := range m.damage.envelopes {
		m.damage.envelopes[n] = true
	}
	return fmt.Errorf("%w: it does not lead to the root", ErrMended)
}

// envelopesOf returns the numbers of the envelopes that hold these leaves.
func (m *Machine) envelopesOf(leaves []uint64) ([]uint64, error) {
	var out []uint64
	for _, index := range leaves {
		n, err := m.ledger.EnvelopeAt(index)
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}

// derived is a tree derived from the leaves on the disk.
type derived struct {
	root   tlog.Hash
	wrong  uint64   // stored hashes, of any height, that are others
	leaves []uint64 // the first leaves whose stored hash is another
}

// maxWrongLeaves bounds derived.leaves; what lies behind is found the next time.
const maxWrongLeaves = 4096

// derive reads every leaf below size and compares the stored hashes with what
// follows from them. With mend, it has those that differ written.
func (m *Machine) derive(size uint64, mend func(height uint, first uint64, hashes []tlog.Hash) error) (derived, error) {
	tree, err := tlog.NewFrontier(0, nil)
	if err != nil {
		return derived{}, err
	}
	var d derived
	for first := uint64(0); first < size; first += tlog.TileWidth {
		width := int(min(size-first, tlog.TileWidth))
		records, err := m.ledger.EntryBundle(first/tlog.TileWidth, width)
		if err != nil {
			return derived{}, err
		}
		row := make([]tlog.Hash, width)
		for i := range row {
			row[i] = tlog.LeafHash(records[i*ledger.LeafRecordBytes:][2:ledger.LeafRecordBytes])
			tree.Append(row[i], func(height uint, h tlog.Hash) {
				if height > 0 {
					err = errors.Join(err, m.compareHashes(&d, height, tree.Size()>>height, []tlog.Hash{h}, mend))
				}
			})
		}
		if err = errors.Join(err, m.compareHashes(&d, 0, first, row, mend)); err != nil {
			return derived{}, err
		}
	}
	d.root = tree.Root()
	return d, nil
}

func (m *Machine) compareHashes(d *derived, height uint, first uint64, want []tlog.Hash, mend func(uint, uint64, []tlog.Hash) error) error {
	got := make([]tlog.Hash, len(want))
	err := m.ledger.ReadHashes(height, first, got)
	if err != nil && !errors.Is(err, ledger.ErrDamaged) || slices.Equal(got, want) { // a file cut short is to be mended too
		return err
	}
	for i := range got {
		if got[i] == want[i] {
			continue
		}
		d.wrong++
		if height == 0 && len(d.leaves) < maxWrongLeaves {
			d.leaves = append(d.leaves, first+uint64(i))
		}
	}
	if mend != nil {
		return mend(height, first, want)
	}
	return nil
}
