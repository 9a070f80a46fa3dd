package machine

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/raresync/raresync/consensus/fault"
	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/envelope"
)

// Read puts envelope number n together from a ledger's files and accounts for
// every byte that they keep of it: checksums of its records, id of its header,
// commitments of its bodies, its leaves and their hashes. ledger.ErrDamaged
// says that the disk does not return what was written. Of the entries that
// erased names it returns no body, whatever the files still hold of it: their
// commitments are the leaves'.
func Read(l *ledger.Ledger, n uint64, erased Erased) (*envelope.Envelope, uint64, error) {
	rec, bodies, err := l.WholeEnvelope(n)
	if err != nil {
		return nil, 0, err
	}
	e, err := assembleHeld(l, rec, rec.First, bodies, erased)
	if err != nil {
		return nil, 0, fmt.Errorf("read envelope %d: %w", n, err)
	}
	if fault.Planted(fault.SkipReadCheck) {
		return e, rec.LogTimeMS, nil
	}
	if err := checkKept(l, rec, e); err != nil {
		return nil, 0, fmt.Errorf("read envelope %d: %w", n, err)
	}
	return e, rec.LogTimeMS, nil
}

// Erased tells which entries of an envelope are erased: those of a hospital
// from index first on. It returns nil if none is.
type Erased func(hospital uint32, first uint64, count uint32) (places []bool)

// assembleHeld puts an envelope together whose first entry has the given index.
func assembleHeld(l *ledger.Ledger, rec ledger.EnvelopeRec, first uint64, parts []ledger.Body, erased Erased) (*envelope.Envelope, error) {
	h, err := envelope.DecodeHeader(rec.Header)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ledger.ErrDamaged, err)
	}
	bodies := make([]seal.Body, len(parts))
	for i := range parts {
		bodies[i] = seal.Body{Salt: parts[i].Salt, Tag: parts[i].Tag, Ciphertext: parts[i].Ciphertext}
	}
	var gone []bool
	if h.Kind == envelope.KindEntries && int(h.Count) == len(parts) {
		gone = erased(h.Hospital, first, h.Count)
	}
	if gone != nil {
		if err := eraseIn(bodies, gone, l, first); err != nil {
			return nil, err
		}
	}
	return assemble(rec, bodies)
}

// eraseIn leaves of the bodies that are gone the commitment in their leaf.
func eraseIn(bodies []seal.Body, gone []bool, l *ledger.Ledger, first uint64) error {
	leaves, err := l.LeafRange(first, len(bodies))
	if err != nil {
		return err
	}
	for i := range bodies {
		if !gone[i] {
			continue
		}
		leaf, err := envelope.ParseLeaf(leaves[i])
		if err != nil {
			return fmt.Errorf("%w: leaf %d: %w", ledger.ErrDamaged, first+uint64(i), err)
		}
		bodies[i] = seal.Body{Ciphertext: make([]byte, len(bodies[i].Ciphertext)), Erased: &leaf.Commitment}
	}
	return nil
}

func assemble(rec ledger.EnvelopeRec, bodies []seal.Body) (*envelope.Envelope, error) {
	e, err := envelope.Assemble(rec.Header, sign.Signature{Ed25519: rec.Ed25519, MLDSA: rec.MLDSA}, bodies)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ledger.ErrDamaged, err)
	}
	return e, nil
}

// checkKept compares what the files keep of an envelope with what follows from
// it. That the commitment of an erased entry is its leaf's, the header says: it
// covers all of them.
func checkKept(l *ledger.Ledger, rec ledger.EnvelopeRec, e *envelope.Envelope) error {
	commitments := e.Commitments()
	if err := e.CheckBodies(commitments); err != nil {
		return fmt.Errorf("%w: %w", ledger.ErrDamaged, err)
	}
	if e.ID() != rec.ID || e.Count != rec.Count || e.Hospital != rec.Hospital || e.Sequence != rec.Sequence || e.Attempt != rec.Attempt {
		return fmt.Errorf("%w: its line in the index is another's", ledger.ErrDamaged)
	}
	leaves, err := l.LeafRange(rec.First, len(commitments))
	if err != nil {
		return err
	}
	hashes := make([]tlog.Hash, len(leaves))
	if err := l.ReadHashes(0, rec.First, hashes); err != nil {
		return err
	}
	for place, leaf := range leaves {
		want := e.Leaf(uint32(place), rec.LogTimeMS, commitments[place]).Append(nil)
		if !bytes.Equal(leaf, want) || tlog.LeafHash(leaf) != hashes[place] {
			return fmt.Errorf("%w: leaf %d or its hash", ledger.ErrDamaged, rec.First+uint64(place))
		}
	}
	return nil
}

// Envelope is [Read] of this machine's ledger: damage that it finds is repaired
// in the background, and the answer is ErrGap until then.
func (m *Machine) Envelope(n uint64) (*envelope.Envelope, uint64, error) {
	e, logTime, err := m.read(n)
	return e, logTime, m.noticedAt(n, err)
}

func (m *Machine) read(n uint64) (*envelope.Envelope, uint64, error) {
	return Read(m.ledger, n, m.erased)
}

// RootAt returns the root at a tree size this node has applied. One that is
// read from the disk is proven to be a prefix of the tree in memory.
func (m *Machine) RootAt(size uint64) (tlog.Hash, error) {
	m.mu.Lock()
	root, ok := m.roots.at(size)
	applied, now, gap := m.state.Tree.Size(), m.state.Tree.Root(), m.gap != nil
	m.mu.Unlock()
	switch {
	case gap:
		return tlog.Hash{}, ErrGap
	case ok:
		return root, nil
	case size > applied:
		return tlog.Hash{}, fmt.Errorf("root at %d: this node has applied %d: %w", size, applied, ledger.ErrOutOfRange)
	}
	root, err := m.readRoot(size, applied, now)
	if err != nil {
		return tlog.Hash{}, fmt.Errorf("root at %d: %w", size, m.Noticed(err))
	}
	return root, nil
}

func (m *Machine) readRoot(size, applied uint64, now tlog.Hash) (tlog.Hash, error) {
	root, err := tlog.RootAt(m.ledger, size)
	if err != nil {
		return tlog.Hash{}, err
	}
	proof, err := tlog.ConsistencyProof(m.ledger, size, applied)
	if err != nil {
		return tlog.Hash{}, err
	}
	if err := tlog.VerifyConsistency(size, applied, proof, root, now); err != nil {
		return tlog.Hash{}, fmt.Errorf("%w: %w", ledger.ErrDamaged, err)
	}
	return root, nil
}

// Prove returns the leaf at index with the proof that leads from it to the root
// at size. A disk that gives another one is damaged.
func (m *Machine) Prove(index, size uint64, root tlog.Hash) ([]byte, []tlog.Hash, error) {
	leaf, proof, err := prove(m.ledger, index, size, root)
	return leaf, proof, m.Noticed(err)
}

func prove(l *ledger.Ledger, index, size uint64, root tlog.Hash) ([]byte, []tlog.Hash, error) {
	leaf, err := l.Leaf(index)
	if err != nil {
		return nil, nil, err
	}
	proof, err := tlog.InclusionProof(l, index, size)
	if err != nil {
		return nil, nil, err
	}
	if err := tlog.VerifyInclusion(tlog.LeafHash(leaf), index, size, proof, root); err != nil && !fault.Planted(fault.ReceiptUnchecked) {
		return nil, nil, fmt.Errorf("%w: %w", ledger.ErrDamaged, err)
	}
	return leaf, proof, nil
}

// Meta returns what the index says of envelope number n.
func (m *Machine) Meta(n uint64) (ledger.EnvelopeMeta, error) {
	meta, err := m.ledger.Meta(n)
	return meta, m.noticedAt(n, err)
}

// EnvelopeAt returns the number of the envelope that holds the entry at index.
func (m *Machine) EnvelopeAt(index uint64) (uint64, error) {
	n, err := m.ledger.EnvelopeAt(index)
	return n, m.Noticed(err)
}

// Leaf returns the leaf at index, compared with its hash.
func (m *Machine) Leaf(index uint64) ([]byte, error) {
	leaf, err := m.ledger.Leaf(index)
	var hash [1]tlog.Hash
	if err == nil {
		err = m.ledger.ReadHashes(0, index, hash[:])
	}
	if err == nil && tlog.LeafHash(leaf) != hash[0] {
		err = fmt.Errorf("%w: leaf %d or its hash", ledger.ErrDamaged, index)
	}
	return leaf, m.Noticed(err)
}

// Repaired calls read, and calls it again while it says ErrGap, whenever the
// copy has changed: what it reads is being repaired. It ends with the context.
func (m *Machine) Repaired(ctx context.Context, read func() error) error {
	for {
		changed := m.Changed()
		err := read()
		if !errors.Is(err, ErrGap) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}
