package consensus

import (
	"context"
	"slices"
	"time"

	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/act"
)

// slowDown makes a voter late with whatever it says to the others, as a slow
// disk or line does: mostly too fast to be given up, too slow to keep pace. (A
// log store that sleeps would hold a lock, on which false time stands still.)
func (s *sim) slowDown() func() {
	id, pace := s.voters[s.rng.IntN(len(s.voters))], s.upTo(1500*time.Millisecond)
	set := func(d time.Duration) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.slow[id] += d
	}
	set(pace)
	return func() { set(-pace) }
}

// lies are what a voter's answers may be bent to on the way. A voter that lies
// is one of a minority, whatever else goes wrong.
var lies = map[string]*liar{
	"exchanged envelopes": {envelopes: func(_ uint64, p []Pulled) []Pulled { return swapHospitals(p) }},
	"later log times": {envelopes: func(_ uint64, p []Pulled) []Pulled {
		p = slices.Clone(p)
		for i := range p {
			p[i].LogTime++
		}
		return p
	}},
	"a false root": {checkpoint: func(note []byte) []byte {
		sc, err := tlog.ParseSignedCheckpoint(note)
		if err != nil {
			return note
		}
		sc.Root[0] ^= 1
		return sc.Marshal()
	}},
	"signatures that fit nothing": {cosign: func(_ Proposal, sigs []tlog.NoteSignature, err error) ([]tlog.NoteSignature, error) {
		sigs = slices.Clone(sigs)
		for i := range sigs {
			sigs[i].Blob = slices.Clone(sigs[i].Blob)
			sigs[i].Blob[len(sigs[i].Blob)-1] ^= 1
		}
		return sigs, err
	}},
	"no root is its own": {cosign: func(Proposal, []tlog.NoteSignature, error) ([]tlog.NoteSignature, error) {
		return nil, ErrRootDiffers
	}},
	"news kept back": {announce: func([]byte) error { return nil }},
}

// letLie makes one voter lie to its peers. Its cosignatures, when it gives them,
// are its own.
func (s *sim) letLie() func() {
	if s.lying() != "" {
		return nil
	}
	names := []string{"a false root", "exchanged envelopes", "later log times", "news kept back", "no root is its own", "signatures that fit nothing"}
	id := s.voters[s.rng.IntN(len(s.voters))]
	s.setLying(id)
	s.net.lie(id, lies[names[s.rng.IntN(len(names))]])
	return func() {
		s.net.lie(id, nil)
		s.setLying("")
	}
}

func (s *sim) lying() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.liar
}

func (s *sim) setLying(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.liar = id
}

// demoteVoter takes a voter out of the Raft configuration. It is taken in again
// when the fault is repaired or, if nobody leads then, when all is healed.
func (s *sim) demoteVoter() func() {
	id := s.voters[s.rng.IntN(len(s.voters))]
	if !s.change(func(ctx context.Context, leader *simNode) error { return leader.Demote(ctx, id) }) {
		return nil
	}
	return func() { s.promote(id) }
}

// promote reports whether a voter is in the configuration again.
func (s *sim) promote(id string) bool {
	return s.change(func(ctx context.Context, leader *simNode) error { return leader.Promote(ctx, id) })
}

// change asks whoever leads for a change of the configuration.
func (s *sim) change(ask func(context.Context, *simNode) error) bool {
	for _, id := range s.ids {
		n := s.node(id)
		if n == nil || !n.Leading() || s.isPaused(id) {
			continue
		}
		ctx, cancel := context.WithTimeout(s.ctx, 5*time.Second)
		err := ask(ctx, n)
		cancel()
		if err == nil {
			return true
		}
	}
	return false
}

// allVote takes in again whoever is out, and reports whether nobody is any more.
func (s *sim) allVote() bool {
	view := s.newest()
	return view != nil && !slices.ContainsFunc(view.Voters(), func(v act.Node) bool { return !s.promote(v.ID) })
}
