package state

import (
	"errors"
	"slices"

	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

// MaxAhead is how far an envelope's signed-at may lie ahead of log time, in
// milliseconds.
const MaxAhead = 10 * 60 * 1000

// AfterDecode turns an error of [envelope.Decode] into the refusal that every
// node gives for such bytes.
func AfterDecode(err error) *Refusal {
	if errors.Is(err, envelope.ErrTooLarge) {
		return refuse(CodeSize, "%v", err)
	}
	return refuse(CodeEncoding, "%v", err)
}

// Admit checks an envelope against the state. It returns the log time the
// envelope would get (the leader's time in milliseconds, but never less than
// the last), or the refusal. The commitments are the envelope's own
// ([envelope.Envelope.Commitments]).
func (s *State) Admit(e *envelope.Envelope, leaderTime uint64, commitments [][32]byte) (uint64, *Refusal) {
	logTime := max(s.LogTime, leaderTime)
	if r := s.admitHeader(e, logTime); r != nil {
		return 0, r
	}
	if r := s.admitContent(e, logTime, commitments); r != nil {
		return 0, r
	}
	return logTime, nil
}

// AdmitVerified is Admit without the checks that depend on the bytes alone
// (bodies and signature), for bytes this node has verified before with the
// same key. The order of refusals stays that of Admit.
func (s *State) AdmitVerified(e *envelope.Envelope, leaderTime uint64) (uint64, *Refusal) {
	logTime := max(s.LogTime, leaderTime)
	if r := s.admitHeader(e, logTime); r != nil {
		return 0, r
	}
	if e.Kind == envelope.KindAct {
		return logTime, s.admitAct(e, logTime)
	}
	return logTime, nil
}

// Verified reports whether an envelope passes the checks that depend on its
// bytes alone, with the key that it names. It may be asked of a state from
// before: a key's id is a hash of the key.
func (s *State) Verified(e *envelope.Envelope, commitments [][32]byte) bool {
	m, ok := s.Member(e.Hospital)
	if !ok || e.Network != s.Network || e.Kind.Label() == "" || checkBodies(e, commitments) != nil {
		return false
	}
	i := slices.IndexFunc(m.Signing, func(span SigningSpan) bool { return span.Key.ID() == e.KeyID })
	return i >= 0 && e.VerifySignature(m.Signing[i].Key) == nil
}

func (s *State) admitHeader(e *envelope.Envelope, logTime uint64) *Refusal {
	if r := s.admitForm(e); r != nil {
		return r
	}
	m, ok := s.Member(e.Hospital)
	if !ok {
		return refuse(CodeMember, "institution %d is not a member", e.Hospital)
	}
	if at, removed := s.RemovedAt(e.Hospital); removed {
		return refuse(CodeRemoved, "institution %d was removed with envelope %d", e.Hospital, at)
	}
	if e.Kind == envelope.KindEntries && !m.sendsEntries() {
		return refuse(CodeRole, "institution %d is a %s and sends no entries", e.Hospital, m.Role)
	}
	if _, r := s.signingKey(m, e); r != nil {
		return r
	}
	if r := m.admitSequence(e); r != nil {
		return r
	}
	if e.SignedAt > logTime && e.SignedAt-logTime > MaxAhead {
		return refuse(CodeTime, "signed %d ms ahead of log time: check the sender's clock", e.SignedAt-logTime)
	}
	if e.Kind == envelope.KindAct {
		return admitActForm(e)
	}
	return s.admitReaders(m, e)
}

// sendsEntries reports whether an institution has entries of its own: a hospital,
// and a national reader, which asks hospitals about theirs.
func (m *Member) sendsEntries() bool {
	return m.Role == act.RoleHospital || m.Rights.Has(act.RightNational)
}

func (s *State) admitForm(e *envelope.Envelope) *Refusal {
	switch {
	case e.Version != envelope.Version:
		return refuse(CodeVersion, "header version %d is above feature level %d", e.Version, s.FeatureLevel)
	case e.Suite != envelope.Suite:
		return refuse(CodeVersion, "suite %d is above feature level %d", e.Suite, s.FeatureLevel)
	case e.Kind.Label() == "":
		return refuse(CodeVersion, "kind %d is above feature level %d", e.Kind, s.FeatureLevel)
	case e.Network != s.Network:
		return refuse(CodeNetwork, "made for network %x", e.Network[:8])
	}
	return nil
}

// signingKey returns the sender's key that the header names, valid at the
// number the envelope would get.
func (s *State) signingKey(m *Member, e *envelope.Envelope) (*sign.PublicKey, *Refusal) {
	for _, span := range m.Signing {
		if span.Key.ID() != e.KeyID {
			continue
		}
		if s.Envelopes < span.From || span.To != 0 && s.Envelopes >= span.To {
			return nil, refuse(CodeKeySpan, "key %x of institution %d is not valid at envelope %d", e.KeyID[:8], e.Hospital, s.Envelopes)
		}
		return span.Key, nil
	}
	return nil, refuse(CodeKey, "key %x is not of institution %d", e.KeyID[:8], e.Hospital)
}

func (m *Member) admitSequence(e *envelope.Envelope) *Refusal {
	switch next := m.Chain.Sequence + 1; {
	case e.Sequence < next:
		return refuse(CodeSequence, "sequence %d was used, next is %d", e.Sequence, next)
	case e.Sequence > next:
		return refuse(CodeGap, "sequence %d skips ahead, next is %d", e.Sequence, next)
	case e.Attempt == 0:
		return refuse(CodeSequence, "attempts count from 1")
	case e.Previous != m.Chain.ID:
		return refuse(CodePrevious, "previous envelope %x is not the sender's last", e.Previous[:8])
	}
	return nil
}

func (s *State) admitReaders(m *Member, e *envelope.Envelope) *Refusal {
	set, ok := s.acceptedSet(e.ReaderSet)
	if !ok {
		return refuse(CodeReaderSet, "reader set %d is not in use: fetch the newest acts", e.ReaderSet)
	}
	for _, own := range m.Sealing {
		if own.To != 0 && (s.Envelopes >= own.To+s.Policy.ReaderOverlap || s.Revoked(own.Key.ID())) {
			continue
		}
		if wrapsMatch(e.Wraps, set.forMember(m, own.Key).KeyIDs()) {
			return nil
		}
	}
	return refuse(CodeWraps, "wraps are not those of reader set %d", e.ReaderSet)
}

// acceptedSet returns the numbered set if it is current, or was until at most
// ReaderOverlap envelopes ago and none of its keys was revoked.
func (s *State) acceptedSet(number uint64) (*ReaderSet, bool) {
	for i := range s.ReaderSets {
		if s.ReaderSets[i].Number != number {
			continue
		}
		last := i == len(s.ReaderSets)-1
		if last || s.Envelopes < s.ReaderSets[i+1].Number+s.Policy.ReaderOverlap && !s.namesRevoked(&s.ReaderSets[i]) {
			return &s.ReaderSets[i], true
		}
	}
	return nil, false
}

// wrapsMatch reports whether the wraps name exactly these keys, followed by
// two slots.
func wrapsMatch(wraps []seal.Wrap, ids []seal.KeyID) bool {
	if len(wraps) != len(ids)+2 {
		return false
	}
	for i, id := range ids {
		if !slices.Equal(wraps[i].KeyID, id[:]) {
			return false
		}
	}
	return len(wraps[len(ids)].KeyID) == 0 && len(wraps[len(ids)+1].KeyID) == 0
}

// admitContent checks what depends on the bytes and the key alone: lengths,
// commitments, signature; and an act's content.
func (s *State) admitContent(e *envelope.Envelope, logTime uint64, commitments [][32]byte) *Refusal {
	if r := checkBodies(e, commitments); r != nil {
		return r
	}
	m, _ := s.Member(e.Hospital)
	key, r := s.signingKey(m, e)
	if r != nil {
		return r
	}
	if r := verify(e, key); r != nil {
		return r
	}
	if e.Kind == envelope.KindAct {
		return s.admitAct(e, logTime)
	}
	return nil
}

func checkBodies(e *envelope.Envelope, commitments [][32]byte) *Refusal {
	if e.Kind == envelope.KindEntries {
		for i := range e.Bodies {
			if err := seal.CheckCiphertextLen(len(e.Bodies[i].Ciphertext)); err != nil {
				return refuse(CodeLength, "place %d: %d bytes", i, len(e.Bodies[i].Ciphertext))
			}
		}
	}
	if err := e.CheckBodies(commitments); err != nil {
		return refuse(CodeBodies, "%v", err)
	}
	return nil
}

func verify(e *envelope.Envelope, key *sign.PublicKey) *Refusal {
	switch err := e.VerifySignature(key); {
	case err == nil:
		return nil
	case errors.Is(err, sign.ErrEd25519):
		return refuse(CodeEd25519, "Ed25519 half of the signature does not verify")
	default:
		return refuse(CodeMLDSA, "ML-DSA half of the signature does not verify")
	}
}
