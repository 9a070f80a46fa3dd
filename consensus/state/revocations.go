package state

import (
	"slices"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

const maxRevocations = 1_000_000

// Revocation is what an act has said of a key: it holds no longer, and what it
// signed from envelope Since on is in doubt. Entries accepted with it stay in
// the log; see [State.Doubtful].
type Revocation struct {
	Institution uint32
	Key         [32]byte
	Since       uint64 // envelope number
	At          uint64 // envelope number of the act: the key is not valid after it
}

// Revocation returns what was said of a key; found is false if it was not
// revoked.
func (s *State) Revocation(key [32]byte) (r Revocation, found bool) {
	i := s.findRevocation(key)
	if i < 0 {
		return Revocation{}, false
	}
	return s.Revocations[i], true
}

func (s *State) findRevocation(key [32]byte) int {
	return slices.IndexFunc(s.Revocations, func(r Revocation) bool { return r.Key == key })
}

// Revoked reports whether a key was revoked: nothing it signs counts from now
// on.
func (s *State) Revoked(key [32]byte) bool { return s.findRevocation(key) >= 0 }

// Doubtful reports whether an accepted envelope was signed with a key of which
// was said later that it may have been another's by then.
func (s *State) Doubtful(number uint64, key [32]byte) bool {
	r, found := s.Revocation(key)
	return found && number >= r.Since
}

func (s *State) admitRevoke(e *envelope.Envelope, a *act.Act, logTime uint64) *Refusal {
	d, err := act.DecodeRevocation(a.Payload)
	if err != nil {
		return refuse(CodeActPayload, "%v", err)
	}
	own := d.Institution == e.Hospital && len(a.Approvals) == 0
	if own {
		if r := unapproved(a); r != nil {
			return r
		}
	} else if r := s.approved(a, logTime); r != nil {
		return r
	}
	return s.admissibleRevoke(a)
}

// admissibleRevoke is admitRevoke without the approvals.
func (s *State) admissibleRevoke(a *act.Act) *Refusal {
	d, err := act.DecodeRevocation(a.Payload)
	if err != nil {
		return refuse(CodeActPayload, "%v", err)
	}
	m, ok := s.Member(d.Institution)
	if !ok {
		return refuse(CodeActPayload, "institution %d is not a member", d.Institution)
	}
	if r := s.admitRevocable(m, d); r != nil {
		return r
	}
	if d.Since > s.Envelopes {
		return refuse(CodeActPayload, "since envelope %d, the next is %d", d.Since, s.Envelopes)
	}
	if known, found := s.Revocation(d.Key); found && d.Since >= known.Since {
		return refuse(CodeActPayload, "key %x is revoked since envelope %d", d.Key[:8], known.Since)
	}
	return nil
}

// admitRevocable checks that a key is one of the institution's that can be
// revoked.
func (s *State) admitRevocable(m *Member, d act.Revocation) *Refusal {
	if m.Institution.Sealing.ID() == d.Key {
		return refuse(CodeActPayload, "key %x is the current sealing key: put another in its place first, by rotation or replacement", d.Key[:8])
	}
	for _, n := range s.Nodes {
		if n.Institution != d.Institution {
			continue
		}
		if n.TLS.ID() == d.Key {
			return nil
		}
		if n.Log.ID() == d.Key || n.Cosign.ID() == d.Key {
			return refuse(CodeActPayload, "key %x names node %q in checkpoints: the node gives way to one with a new id", d.Key[:8], n.ID)
		}
	}
	if !m.hasKey(d.Key) {
		return refuse(CodeActPayload, "key %x is not of institution %d", d.Key[:8], d.Institution)
	}
	return nil
}

func (s *State) acceptRevoke(a *act.Act) {
	d, err := act.DecodeRevocation(a.Payload)
	if err != nil {
		return // not admitted
	}
	s.Members[d.Institution-1].closeEnvelopeKey(d.Key, s.Envelopes+1)
	s.RosterVersion++
	if i := s.findRevocation(d.Key); i >= 0 {
		s.Revocations[i].Since = d.Since
		return
	}
	s.Revocations = append(s.Revocations, Revocation{
		Institution: d.Institution, Key: d.Key, Since: d.Since, At: s.Envelopes,
	})
}

// namesRevoked reports whether a reader set holds a key that was revoked.
func (s *State) namesRevoked(set *ReaderSet) bool {
	if len(s.Revocations) == 0 {
		return false
	}
	revoked := func(r envelope.Reader) bool { return s.Revoked(r.Key.ID()) }
	return slices.ContainsFunc(set.National, revoked) ||
		slices.ContainsFunc(set.Provinces, func(p ProvinceReader) bool { return revoked(p.Reader) })
}

func (s *State) appendRevocations(b []byte) []byte {
	b = cbor.AppendArray(b, len(s.Revocations))
	for _, r := range s.Revocations {
		b = cbor.AppendArray(b, 4)
		b = cbor.AppendUint(b, uint64(r.Institution))
		b = cbor.AppendBytes(b, r.Key[:])
		b = cbor.AppendUint(b, r.Since)
		b = cbor.AppendUint(b, r.At)
	}
	return b
}

func readRevocation(d *cbor.Decoder) (r Revocation) {
	d.Array(4)
	r.Institution = d.Uint32()
	d.BytesInto(r.Key[:])
	r.Since, r.At = d.Uint(), d.Uint()
	return r
}
