package state

import (
	"slices"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

// Grant says where in the log an institution was given the keys of envelopes
// that are not sealed to it.
type Grant struct {
	Recipient   uint32
	Number      uint64 // envelope number of the act
	First, Last uint64 // smallest and largest envelope number that it names
}

const maxGrants = 1_000_000

// GrantsFor returns where the keys of an envelope may have been granted to an
// institution, the newest act first.
func (s *State) GrantsFor(recipient uint32, number uint64) []Grant {
	var out []Grant
	for _, g := range slices.Backward(s.Grants) {
		if g.Recipient == recipient && g.First <= number && number <= g.Last {
			out = append(out, g)
		}
	}
	return out
}

// admitGrant checks who gives and who takes. Whether an envelope holds entries,
// and of whom, is not in the state: the recipient looks, and believes no key
// that the header does not commit to.
func (s *State) admitGrant(e *envelope.Envelope, a *act.Act) *Refusal {
	if r := unapproved(a); r != nil {
		return r
	}
	d, err := act.DecodeGrant(a.Payload)
	if err == nil {
		err = d.Validate()
	}
	if err != nil {
		return refuse(CodeActPayload, "%v", err)
	}
	sender, _ := s.Member(e.Hospital)
	recipient, ok := s.Member(d.Recipient)
	switch {
	case sender.Role != act.RoleHospital && !sender.Rights.Has(act.RightNational):
		return refuse(CodeActPayload, "institution %d is neither a hospital nor a national reader", e.Hospital)
	case !slices.ContainsFunc(sender.Sealing, func(span SealingSpan) bool { return span.Key.ID() == d.From }):
		return refuse(CodeActPayload, "key %x is not the sender's", d.From[:8])
	case !ok || !SealRights(recipient.Rights).Clinical:
		return refuse(CodeActPayload, "institution %d is no reader", d.Recipient)
	case recipient.Institution.Sealing.ID() != d.To:
		return refuse(CodeActPayload, "key %x is not the current sealing key of institution %d", d.To[:8], d.Recipient)
	case d.Keys[len(d.Keys)-1].Envelope >= s.Envelopes:
		return refuse(CodeActPayload, "envelope %d is not in the log", d.Keys[len(d.Keys)-1].Envelope)
	case d.Keys[0].Envelope == 0:
		return refuse(CodeActPayload, "envelope 0 is the genesis and holds no entries")
	case len(s.Grants) >= maxGrants:
		return refuse(CodeActPayload, "the log holds %d grants, and takes no more", maxGrants)
	}
	return nil
}

func (s *State) acceptGrant(a *act.Act) {
	d, err := act.DecodeGrant(a.Payload)
	if err != nil {
		return // not admitted
	}
	s.Grants = append(s.Grants, Grant{
		Recipient: d.Recipient, Number: s.Envelopes, First: d.Keys[0].Envelope, Last: d.Keys[len(d.Keys)-1].Envelope,
	})
}

// WasReader reports whether a reader set, by its number, was made for one of an
// institution's keys, for envelopes of the given sender.
func (s *State) WasReader(set uint64, institution, sender uint32) bool {
	m, ok := s.Member(institution)
	from, known := s.Member(sender)
	if !ok || !known {
		return false
	}
	for i := range s.ReaderSets {
		if s.ReaderSets[i].Number != set {
			continue
		}
		ids := s.ReaderSets[i].forMember(from, from.Institution.Sealing).KeyIDs()[1:]
		return slices.ContainsFunc(m.Sealing, func(span SealingSpan) bool { return slices.Contains(ids, seal.KeyID(span.Key.ID())) })
	}
	return false
}

func (s *State) appendGrants(b []byte) []byte {
	b = cbor.AppendArray(b, len(s.Grants))
	for _, g := range s.Grants {
		b = cbor.AppendArray(b, 4)
		b = cbor.AppendUint(b, uint64(g.Recipient))
		b = cbor.AppendUint(b, g.Number)
		b = cbor.AppendUint(b, g.First)
		b = cbor.AppendUint(b, g.Last)
	}
	return b
}

func readGrant(d *cbor.Decoder) Grant {
	d.Array(4)
	return Grant{Recipient: d.Uint32(), Number: d.Uint(), First: d.Uint(), Last: d.Uint()}
}
