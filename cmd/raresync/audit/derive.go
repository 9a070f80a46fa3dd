package audit

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/envelope"
)

// derive applies every envelope of the ledger as a node would, and compares
// what follows with what the files say.
func derive(l *ledger.Ledger, o Options) (*state.State, error) {
	count := l.Lengths().Envelopes
	if count == 0 {
		return nil, unverified("the ledger is empty")
	}
	done := func() {}
	if o.Progress != nil {
		done = o.Progress(count)
	}
	var s *state.State
	for n := range count {
		e, logTime, err := read(l, n)
		if err == nil {
			s, err = apply(s, l, e, logTime, o.Saltless)
		}
		if err != nil {
			return nil, fmt.Errorf("envelope %d: %w", n, damaged(err))
		}
		done()
	}
	if last := l.Lengths().TreeSize; last != s.Tree.Size() {
		return nil, unverified("the ledger counts %d entries, its envelopes hold %d", last, s.Tree.Size())
	}
	return s, nil
}

// read puts an envelope together. All that follows from it is compared later.
func read(l *ledger.Ledger, n uint64) (*envelope.Envelope, uint64, error) {
	rec, parts, err := l.WholeEnvelope(n)
	if errors.Is(err, ledger.ErrStorage) {
		return nil, 0, err
	}
	if err != nil {
		return nil, 0, unverified("%w", err)
	}
	bodies := make([]seal.Body, len(parts))
	for i := range parts {
		bodies[i] = seal.Body(parts[i])
	}
	e, err := envelope.Assemble(rec.Header, sign.Signature{Ed25519: rec.Ed25519, MLDSA: rec.MLDSA}, bodies)
	if err != nil {
		return nil, 0, unverified("%w", err)
	}
	return e, rec.LogTimeMS, nil
}

// apply admits one envelope with the log time that the ledger gives it. s is
// nil before the genesis.
func apply(s *state.State, l *ledger.Ledger, e *envelope.Envelope, logTime uint64, saltless bool) (*state.State, error) {
	var accepted state.Accepted
	if s == nil {
		var err error
		if s, accepted, err = state.Found(e); err != nil {
			return nil, unverified("genesis: %w", err)
		}
	} else {
		commitments, err := commitmentsOf(s, l, e, saltless)
		if err != nil {
			return nil, err
		}
		got, refusal := s.Admit(e, logTime, commitments)
		if refusal != nil {
			return nil, unverified("refused: %w", refusal)
		}
		accepted = s.Accept(e, got, commitments)
	}
	if accepted.LogTime != logTime {
		return nil, unverified("log time is %d ms, the ledger says %d: it goes back", accepted.LogTime, logTime)
	}
	if err := sameIndex(l, e, accepted); err != nil {
		return nil, err
	}
	if err := sameLeaves(l, accepted); err != nil {
		return nil, err
	}
	return s, sameHashes(l, accepted)
}

// commitmentsOf computes the commitments to an envelope's bodies, or without
// salts takes them from the leaves: the signed header covers them. An act has
// no salt to miss.
func commitmentsOf(s *state.State, l *ledger.Ledger, e *envelope.Envelope, saltless bool) ([][32]byte, error) {
	if !saltless || e.Kind == envelope.KindAct {
		return e.Commitments(), nil
	}
	leaves, err := l.LeafRange(s.Tree.Size(), int(e.Count))
	if err != nil {
		return nil, err
	}
	out := make([][32]byte, len(leaves))
	for i := range leaves {
		leaf, err := envelope.ParseLeaf(leaves[i])
		if err != nil {
			return nil, unverified("leaf %d: %w", s.Tree.Size()+uint64(i), err)
		}
		out[i] = leaf.Commitment
	}
	return out, nil
}

// sameIndex compares the line of the index, from which nodes read without
// looking into the envelope.
func sameIndex(l *ledger.Ledger, e *envelope.Envelope, a state.Accepted) error {
	got, err := l.Meta(a.Number)
	if err != nil {
		return err
	}
	previous := a.Previous
	if previous == state.NoPrevious {
		previous = ledger.None
	}
	want := ledger.EnvelopeMeta{
		First: a.First, Count: e.Count, Hospital: e.Hospital, Sequence: e.Sequence, Attempt: e.Attempt,
		PrevOfHospital: previous, ID: e.ID(),
	}
	if got != want {
		return unverified("its line in the index says %+v, the envelope %+v", got, want)
	}
	return nil
}

func sameLeaves(l *ledger.Ledger, a state.Accepted) error {
	got, err := l.LeafRange(a.First, len(a.Leaves))
	if err != nil {
		return err
	}
	for i, want := range a.Leaves {
		if !bytes.Equal(got[i], want) {
			return unverified("leaf %d is not the one its envelope makes", a.First+uint64(i))
		}
	}
	return nil
}

// sameHashes compares the stored hashes that the envelope's leaves complete.
func sameHashes(l *ledger.Ledger, a state.Accepted) error {
	var got [tlog.TileWidth]tlog.Hash
	for _, height := range tlog.StoredHeights() {
		first := a.First >> height
		for want := a.Hashes[height]; len(want) > 0; {
			n := min(len(want), len(got))
			if err := l.ReadHashes(height, first, got[:n]); err != nil {
				return err
			}
			for i := range n {
				if got[i] != want[i] {
					return unverified("stored hash %d at height %d is not the one the leaves make", first+uint64(i), height)
				}
			}
			want, first = want[n:], first+uint64(n)
		}
	}
	return nil
}
