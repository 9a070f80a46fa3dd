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
// says that the disk does not return what was written.
func Read(l *ledger.Ledger, n uint64) (*envelope.Envelope, uint64, error) {
	rec, bodies, err := l.WholeEnvelope(n)
	if err != nil {
		return nil, 0, err
	}
	e, err := assemble(rec, bodies)
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

func assemble(rec ledger.EnvelopeRec, parts []ledger.Body) (*envelope.Envelope, error) {
	bodies := make([]seal.Body, len(parts))
	for i := range parts {
		bodies[i] = seal.Body(parts[i])
	}
	e, err := envelope.Assemble(rec.Header, sign.Signature{Ed25519: rec.Ed25519, MLDSA: rec.MLDSA}, bodies)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ledger.ErrDamaged, err)
	}
	return e, nil
}

// checkKept compares what the files keep of an envelope with what follows from
// it. The one place that will have to know an erased entry: its commitment is
// then the leaf's.
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
	e, logTime, err := Read(m.ledger, n)
	return e, logTime, m.noticedAt(n, err)
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
