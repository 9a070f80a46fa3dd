package state

import (
	"cmp"
	"slices"

	"github.com/raresync/raresync/registry/act"
)

// admitAdmission checks that a hospital may come in, approvals aside: with a
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
	known := s.keyIDs()
	used := func(ids [][32]byte) bool {
		return slices.ContainsFunc(ids, func(id [32]byte) bool { return known[id] })
	}
	if used(d.Institution.KeyIDs()) {
		return refuse(CodeActPayload, "a key of the institution is in use")
	}
	for i := range d.Nodes {
		n := &d.Nodes[i]
		switch _, taken := s.Node(n.ID); {
		case n.Institution != uint32(number):
			return refuse(CodeActPayload, "node %q is of institution %d, not of %d", n.ID, n.Institution, number)
		case taken:
			return refuse(CodeActPayload, "there is a node %q", n.ID)
		case used(n.KeyIDs()):
			return refuse(CodeActPayload, "a key of node %q is in use", n.ID)
		}
	}
	return nil
}

// keyIDs returns the ids of every key in the roster, and of every envelope and
// sealing key that was.
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
	}
	for i := range s.Nodes {
		for _, id := range s.Nodes[i].KeyIDs() {
			ids[id] = true
		}
	}
	return ids
}

// acceptAdmission enters the hospital; its keys are valid from the next
// envelope on.
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
	s.Nodes = append(s.Nodes, d.Nodes...)
	slices.SortFunc(s.Nodes, func(a, b act.Node) int { return cmp.Compare(a.ID, b.ID) })
	s.RosterVersion++
}
