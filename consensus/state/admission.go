package state

import (
	"slices"

	"github.com/raresync/raresync/registry/act"
)

// admitAdmission checks that an institution may come in, approvals aside: with a
// number, node ids and keys that nobody has or had.
func (s *State) admitAdmission(a *act.Act) *Refusal {
	d, err := act.DecodeAdmission(a.Payload)
	if err == nil {
		err = d.Validate()
	}
	if err != nil {
		return refuse(CodeActPayload, "%v", err)
	}
	number := len(s.Members) + 1
	if number > maxMembers || len(s.Nodes)+len(d.Nodes) > maxMembers {
		return refuse(CodeActPayload, "the network is full")
	}
	if r := s.admitReader(&d.Institution); r != nil {
		return r
	}
	known := s.keyIDs()
	used := func(ids [][32]byte) bool {
		return slices.ContainsFunc(ids, func(id [32]byte) bool { return known[id] })
	}
	if used(d.Institution.KeyIDs()) {
		return refuse(CodeActPayload, "a key of the institution is in use")
	}
	for i := range d.Nodes {
		n := &d.Nodes[i]
		switch _, _, taken := s.EverNode(n.ID); {
		case n.Institution != uint32(number):
			return refuse(CodeActPayload, "node %q is of institution %d, not of %d", n.ID, n.Institution, number)
		case taken:
			return refuse(CodeActPayload, "there is or was a node %q", n.ID)
		case used(n.KeyIDs()):
			return refuse(CodeActPayload, "a key of node %q is in use", n.ID)
		}
	}
	return nil
}

// admitReader checks that there is room for one more reader, and that it holds
// no share: who could open every entry does not also answer for identities.
func (s *State) admitReader(i *act.Institution) *Refusal {
	if i.Rights == 0 {
		return nil
	}
	current := s.ReaderSets[len(s.ReaderSets)-1]
	if i.Rights.Has(act.RightNational) && len(current.National) >= maxNational {
		return refuse(CodeActPayload, "there are %d national readers, and no more can be", maxNational)
	}
	if i.Rights.Has(act.RightProvince) && slices.ContainsFunc(current.Provinces, func(p ProvinceReader) bool { return p.Province == i.Province }) {
		return refuse(CodeActPayload, "province %s has a reader", i.Province)
	}
	if len(s.ReaderSets) >= maxReaderSets {
		return refuse(CodeActPayload, "the readers have changed too often")
	}
	holders := s.Holders
	if s.Ceremony != nil && s.Ceremony.Ended == Open {
		holders = slices.Concat(holders, s.Ceremony.Holders)
	}
	for _, n := range holders {
		if m, ok := s.Member(n); ok && m.Entity == i.Entity {
			return refuse(CodeActPayload, "entity %q holds a share of the pseudonymisation key, or is to: it cannot be a reader", i.Entity)
		}
	}
	return nil
}

// keyIDs returns the ids of every key in the roster, and of every key that was.
func (s *State) keyIDs() map[[32]byte]bool {
	ids := map[[32]byte]bool{}
	for i := range s.Members {
		m := &s.Members[i]
		for _, id := range m.KeyIDs() {
			ids[id] = true
		}
		for _, span := range m.Signing {
			ids[span.Key.ID()] = true
		}
		for _, span := range m.Sealing {
			ids[span.Key.ID()] = true
		}
		for _, id := range m.Former {
			ids[id] = true
		}
	}
	for i := range s.Nodes {
		for _, id := range s.Nodes[i].KeyIDs() {
			ids[id] = true
		}
	}
	for i := range s.Epochs {
		for _, f := range s.Epochs[i].Former {
			ids[f.Key.ID()] = true
		}
	}
	for i := range s.Gone {
		for _, id := range s.Gone[i].KeyIDs() {
			ids[id] = true
		}
	}
	return ids
}

// acceptAdmission enters the institution; its keys are valid from the next
// envelope on. A reader makes a new reader set.
func (s *State) acceptAdmission(a *act.Act) {
	d, err := act.DecodeAdmission(a.Payload)
	if err != nil {
		return // not admitted
	}
	from := s.Envelopes + 1
	s.Members = append(s.Members, Member{
		Institution: d.Institution,
		Signing:     []SigningSpan{{Key: d.Institution.Envelope, From: from}},
		Sealing:     []SealingSpan{{Key: d.Institution.Sealing, From: from}},
	})
	s.addNodes(d.Nodes...)
	if SealRights(d.Institution.Rights).Clinical {
		s.ReaderSets = append(s.ReaderSets, s.readerSet(s.Envelopes))
	}
	s.RosterVersion++
}
