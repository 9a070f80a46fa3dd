package state

import (
	"slices"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

const maxFormer = 3 * maxSpans // ids of a member's former request, response and TLS keys

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
	m, r := s.present(d.Institution)
	if r != nil {
		return r
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

func readKeyID(d *cbor.Decoder) (id [32]byte) {
	d.BytesInto(id[:])
	return id
}
