package state

import (
	"slices"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

// Revocation is what an act has said of a key: it holds no longer, and what it
// signed from envelope Since on is in doubt. Entries accepted with it stay in
// the log; see [State.Doubtful].
type Revocation struct {
	Institution uint32
	Key         [32]byte
	Since       uint64 // envelope number
	At          uint64 // envelope number of the act: the key is not valid after it
}

const (
	maxFormer      = 3 * maxSpans // ids of a member's former request, response and TLS keys
	maxRevocations = 1_000_000
)

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

func (s *State) admitRotation(e *envelope.Envelope, a *act.Act) *Refusal {
	if r := unapproved(a); r != nil {
		return r
	}
	d, err := act.DecodeRotation(a.Payload)
	if err != nil {
		return refuse(CodeActPayload, "%v", err)
	}
	if d.Institution != e.Hospital {
		return refuse(CodeActPayload, "institution %d rotates its own keys, not those of %d", e.Hospital, d.Institution)
	}
	return s.admitNewKeys(d)
}

func (s *State) admitReplace(a *act.Act, logTime uint64) *Refusal {
	if r := s.approved(a, logTime); r != nil {
		return r
	}
	return s.admissibleReplace(a)
}

// admissibleReplace is admitReplace without the approvals.
func (s *State) admissibleReplace(a *act.Act) *Refusal {
	d, err := act.DecodeRotation(a.Payload)
	if err != nil {
		return refuse(CodeActPayload, "%v", err)
	}
	return s.admitNewKeys(d)
}

// admitNewKeys checks that keys nobody has or had may take the place of an
// institution's.
func (s *State) admitNewKeys(d *act.Rotation) *Refusal {
	if err := d.Validate(); err != nil {
		return refuse(CodeActPayload, "%v", err)
	}
	m, ok := s.Member(d.Institution)
	if !ok {
		return refuse(CodeActPayload, "institution %d is not a member", d.Institution)
	}
	for _, n := range d.Nodes {
		if node, ok := s.Node(n.ID); !ok || node.Institution != d.Institution {
			return refuse(CodeActPayload, "node %q is not of institution %d", n.ID, d.Institution)
		}
	}
	if err := d.VerifyPossession(s.Network); err != nil {
		return refuse(CodeActPayload, "%v", err)
	}
	known := s.keyIDs()
	for _, id := range d.KeyIDs() {
		if known[id] {
			return refuse(CodeActPayload, "key %x is or was in use: make a new one", id[:8])
		}
	}
	if max(len(m.Signing), len(m.Sealing)) >= maxSpans || len(m.Former)+2+len(d.Nodes) > maxFormer || len(s.ReaderSets) >= maxReaderSets {
		return refuse(CodeActPayload, "institution %d has rotated its keys too often", d.Institution)
	}
	return nil
}

// acceptNewKeys puts the new keys in force from the next envelope on.
func (s *State) acceptNewKeys(a *act.Act) {
	d, err := act.DecodeRotation(a.Payload)
	if err != nil {
		return // not admitted
	}
	from := s.Envelopes + 1
	m := &s.Members[d.Institution-1]
	m.Former = slices.Clip(m.Former) // a clone shares what is there
	if d.Envelope != nil {
		m.closeEnvelopeKey(m.Envelope.ID(), from)
		m.Envelope = d.Envelope
		m.Signing = append(slices.Clone(m.Signing), SigningSpan{Key: d.Envelope, From: from})
	}
	if d.Request != nil {
		m.Former = append(m.Former, m.Request.ID())
		m.Request = d.Request
	}
	if d.Response != nil {
		m.Former = append(m.Former, m.Response.ID())
		m.Response = d.Response
	}
	for _, n := range d.Nodes {
		i := slices.IndexFunc(s.Nodes, func(node act.Node) bool { return node.ID == n.ID })
		m.Former = append(m.Former, s.Nodes[i].TLS.ID())
		s.Nodes[i].TLS = n.TLS
	}
	if key, ok := d.NewSealing(); ok {
		s.acceptSealingKey(m, key, from)
	}
	s.RosterVersion++
}

// closeEnvelopeKey ends an envelope key's span, unless it has ended.
func (m *Member) closeEnvelopeKey(id [32]byte, at uint64) {
	m.Signing = slices.Clone(m.Signing)
	for i := range m.Signing {
		if span := &m.Signing[i]; span.Key.ID() == id && span.To == 0 {
			span.To = at
		}
	}
}

// acceptSealingKey makes a sealing key current; of a reader it makes a new
// reader set. What was current stays accepted for Policy.ReaderOverlap
// envelopes.
func (s *State) acceptSealingKey(m *Member, key seal.ReaderPublic, from uint64) {
	m.Sealing = slices.Clone(m.Sealing)
	m.Sealing[len(m.Sealing)-1].To = from
	m.Sealing = append(m.Sealing, SealingSpan{Key: key, From: from})
	m.Institution.Sealing = key
	if SealRights(m.Rights).Clinical {
		s.ReaderSets = append(s.ReaderSets, s.readerSet(s.Envelopes))
	}
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

// hasKey reports whether the institution has or had the key, its nodes' apart.
func (m *Member) hasKey(id [32]byte) bool {
	return slices.Contains(m.KeyIDs(), id) || slices.Contains(m.Former, id) ||
		slices.ContainsFunc(m.Signing, func(span SigningSpan) bool { return span.Key.ID() == id }) ||
		slices.ContainsFunc(m.Sealing, func(span SealingSpan) bool { return span.Key.ID() == id })
}

// HasKey reports whether an institution, or one of its nodes, has or had the
// key.
func (s *State) HasKey(institution uint32, id [32]byte) bool {
	m, ok := s.Member(institution)
	return ok && (m.hasKey(id) || slices.ContainsFunc(s.Nodes, func(n act.Node) bool {
		return n.Institution == institution && slices.Contains(n.KeyIDs(), id)
	}))
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

func readKeyID(d *cbor.Decoder) (id [32]byte) {
	d.BytesInto(id[:])
	return id
}
