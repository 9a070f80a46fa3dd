package audit

import (
	"bytes"
	"fmt"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/envelope"
)

// derive applies every envelope of the ledger as a node would, and compares
// what follows with what the files say.
func derive(l *ledger.Ledger, o Options) (s *state.State, erased uint64, err error) {
	count := l.Lengths().Envelopes
	if count == 0 {
		return nil, 0, unverified("the ledger is empty")
	}
	done := func() {}
	if o.Progress != nil {
		done = o.Progress(count)
	}
	var blank []reading
	for n := uint64(0); n < count; {
		for _, r := range ahead(l, s, n, count, o.Saltless) {
			err := r.err
			if err == nil {
				s, err = apply(s, l, r)
			}
			if err != nil {
				return nil, 0, fmt.Errorf("envelope %d: %w", n, damaged(err))
			}
			if len(r.blank) > 0 {
				blank = append(blank, reading{hospital: r.hospital, blank: r.blank})
			}
			n++
			done()
		}
	}
	if last := l.Lengths().TreeSize; last != s.Tree.Size() {
		return nil, 0, unverified("the ledger counts %d entries, its envelopes hold %d", last, s.Tree.Size())
	}
	erased, err = checkBlank(s, blank)
	return s, erased, err
}

// checkBlank wants every entry that reads as zeros to have been withdrawn, and
// counts them.
func checkBlank(s *state.State, blank []reading) (erased uint64, err error) {
	for _, r := range blank {
		for _, index := range r.blank {
			if !s.Withdrawn(r.hospital, index) {
				return 0, unverified("entry %d is zeros, and nobody has withdrawn it", index)
			}
		}
		erased += uint64(len(r.blank))
	}
	return erased, nil
}

// apply admits one envelope, and compares what the ledger says of it.
func apply(s *state.State, l *ledger.Ledger, r reading) (*state.State, error) {
	s, accepted, err := admitted(s, r)
	if err != nil {
		return nil, err
	}
	if err := sameIndex(l, r.envelope, accepted); err != nil {
		return nil, err
	}
	if err := sameLeaves(l, accepted); err != nil {
		return nil, err
	}
	return s, sameHashes(l, accepted)
}

// admitted admits one envelope with the log time that the copy gives it. s is
// nil before the genesis.
func admitted(s *state.State, r reading) (*state.State, state.Accepted, error) {
	var accepted state.Accepted
	if s == nil {
		var err error
		if s, accepted, err = state.Found(r.envelope); err != nil {
			return nil, accepted, unverified("genesis: %w", err)
		}
	} else {
		got, refusal := r.admit(s)
		if refusal != nil {
			return nil, accepted, unverified("refused: %w", refusal)
		}
		if err := s.Follow(r.envelope); err != nil {
			return nil, accepted, err
		}
		accepted = s.Accept(r.envelope, got, r.commitments)
	}
	if accepted.LogTime != r.logTime {
		return nil, accepted, unverified("log time is %d ms, the copy says %d: it goes back", accepted.LogTime, r.logTime)
	}
	return s, accepted, nil
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
