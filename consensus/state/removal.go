package state

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

// byOwnerOrLeads checks who decides an act about an institution: it does so
// itself, without approvals, or q lead hospitals do.
func (s *State) byOwnerOrLeads(sender, institution uint32, a *act.Act, logTime uint64) *Refusal {
	if sender == institution && len(a.Approvals) == 0 {
		return unapproved(a)
	}
	return s.approved(a, logTime)
}

func (s *State) admitRemoval(e *envelope.Envelope, a *act.Act, logTime uint64) *Refusal {
	d, err := act.DecodeRemoval(a.Payload)
	if err != nil {
		return refuse(CodeActPayload, "%v", err)
	}
	if r := s.byOwnerOrLeads(e.Hospital, d.Institution, a, logTime); r != nil {
		return r
	}
	return s.admissibleRemoval(a)
}

// admissibleRemoval is admitRemoval without the approvals.
func (s *State) admissibleRemoval(a *act.Act) *Refusal {
	d, err := act.DecodeRemoval(a.Payload)
	if err != nil {
		return refuse(CodeActPayload, "%v", err)
	}
	m, r := s.present(d.Institution)
	if r != nil {
		return r
	}
	if d.Node == "" {
		if r := s.admitWithout(d.Institution, m); r != nil {
			return r
		}
	} else if n, ok := s.Node(d.Node); !ok || n.Institution != d.Institution {
		return refuse(CodeActPayload, "node %q is not of institution %d", d.Node, d.Institution)
	}
	return s.admitFewerVoters(func(n *act.Node) bool {
		return n.Institution == d.Institution && (d.Node == "" || n.ID == d.Node)
	})
}

// present returns an institution that was not removed.
func (s *State) present(number uint32) (*Member, *Refusal) {
	m, ok := s.Member(number)
	if !ok {
		return nil, refuse(CodeActPayload, "institution %d is not a member", number)
	}
	if at, removed := s.RemovedAt(number); removed {
		return nil, refuse(CodeRemoved, "institution %d was removed with envelope %d", number, at)
	}
	return m, nil
}

// admitWithout refuses to remove an institution without which nobody could
// decide, read, or make a pseudonym.
func (s *State) admitWithout(number uint32, m *Member) *Refusal {
	if leads := s.leads(); m.leads() && uint64(leads-1) < s.Quorum {
		return refuse(CodeNeeded, "%d lead hospitals would be left, and q is %d: lower q first", leads-1, s.Quorum)
	}
	if r := s.admitFewerReaders(m.Rights, 0); r != nil {
		return r
	}
	if !slices.Contains(s.Holders, number) || s.OPRF.Holders == 0 {
		return nil
	}
	if left := s.presentHolders() - 1; left < int(s.OPRF.Threshold) {
		return refuse(CodeNeeded, "%d share holders would be left, and %d make a pseudonym: move the key to others first, by a reshare", left, s.OPRF.Threshold)
	}
	return nil
}

func (s *State) leads() (n int) {
	for i := range s.Members {
		if s.Members[i].leads() {
			n++
		}
	}
	return n
}

// presentHolders counts the holders of a share that were not removed.
func (s *State) presentHolders() (n int) {
	for _, number := range s.Holders {
		if _, removed := s.RemovedAt(number); !removed {
			n++
		}
	}
	return n
}

// ReshareDue reports whether an institution that holds a share was removed, so
// that the others should move the key.
func (s *State) ReshareDue() bool { return s.presentHolders() < len(s.Holders) }

// admitFewerReaders refuses to take the national right from one of the last
// readers that have it.
func (s *State) admitFewerReaders(before, after act.Rights) *Refusal {
	if !before.Has(act.RightNational) || after.Has(act.RightNational) {
		return nil
	}
	least := 2
	if s.Demo {
		least = 1
	}
	if left := len(s.ReaderSets[len(s.ReaderSets)-1].National) - 1; left < least {
		return refuse(CodeNeeded, "%d national readers would be left, at least %d are needed", left, least)
	}
	return nil
}

// acceptRemoval takes the nodes out of the roster, and with the institution its
// keys, its rights and its voice. What it sent stays.
func (s *State) acceptRemoval(a *act.Act) {
	d, err := act.DecodeRemoval(a.Payload)
	if err != nil {
		return // not admitted
	}
	s.removeNodes(func(n *act.Node) bool { return n.Institution == d.Institution && (d.Node == "" || n.ID == d.Node) })
	s.noteVoters()
	s.RosterVersion++
	if d.Node != "" {
		return
	}
	m := &s.Members[d.Institution-1]
	m.Signing = slices.Clone(m.Signing)
	for i := range m.Signing {
		if m.Signing[i].To == 0 {
			m.Signing[i].To = s.Envelopes + 1
		}
	}
	m.Lead = false
	s.setRights(m, 0)
	s.Removals = append(slices.Clip(s.Removals), Removal{Institution: d.Institution, At: s.Envelopes})
}

func (s *State) removeNodes(which func(*act.Node) bool) {
	kept := make([]act.Node, 0, len(s.Nodes))
	s.Gone = slices.Clip(s.Gone)
	for i := range s.Nodes {
		n := &s.Nodes[i]
		if !which(n) {
			kept = append(kept, *n)
			continue
		}
		s.dropCandidate(n.ID)
		s.dropSupport(n.ID)
		s.Gone = append(s.Gone, GoneNode{Node: *n, At: s.Envelopes})
	}
	s.Nodes = kept
	slices.SortFunc(s.Gone, func(a, b GoneNode) int { return cmp.Compare(a.ID, b.ID) })
}

// setRights gives a member other rights; a reader's make a new reader set.
func (s *State) setRights(m *Member, r act.Rights) {
	before := SealRights(m.Rights)
	m.Rights = r
	if before != SealRights(r) || before.Clinical {
		s.ReaderSets = append(slices.Clip(s.ReaderSets), s.readerSet(s.Envelopes))
	}
}

func (s *State) admitEnrolment(e *envelope.Envelope, a *act.Act, logTime uint64) *Refusal {
	d, err := act.DecodeEnrolment(a.Payload)
	if err != nil {
		return refuse(CodeActPayload, "%v", err)
	}
	if r := s.byOwnerOrLeads(e.Hospital, d.Node.Institution, a, logTime); r != nil {
		return r
	}
	return s.admissibleEnrolment(a)
}

// admissibleEnrolment is admitEnrolment without the approvals.
func (s *State) admissibleEnrolment(a *act.Act) *Refusal {
	d, err := act.DecodeEnrolment(a.Payload)
	if err == nil {
		err = d.Validate()
	}
	if err != nil {
		return refuse(CodeActPayload, "%v", err)
	}
	if _, r := s.present(d.Node.Institution); r != nil {
		return r
	}
	nodes := 0
	for i := range s.Nodes {
		if s.Nodes[i].Institution == d.Node.Institution {
			nodes++
		}
	}
	known := s.keyIDs()
	switch _, _, taken := s.EverNode(d.Node.ID); {
	case nodes >= act.MaxNodes:
		return refuse(CodeActPayload, "institution %d has %d nodes, and no more can be: remove one first", d.Node.Institution, nodes)
	case len(s.Nodes)+len(s.Gone) >= maxMembers:
		return refuse(CodeActPayload, "the network is full")
	case taken:
		return refuse(CodeActPayload, "there is or was a node %q: choose another id", d.Node.ID)
	case slices.ContainsFunc(d.Node.KeyIDs(), func(id [32]byte) bool { return known[id] }):
		return refuse(CodeActPayload, "a key of node %q is or was in use", d.Node.ID)
	}
	return nil
}

func (s *State) acceptEnrolment(a *act.Act) {
	d, err := act.DecodeEnrolment(a.Payload)
	if err != nil {
		return // not admitted
	}
	s.addNodes(d.Node)
	s.RosterVersion++
}

// addNodes enters nodes in order of id.
func (s *State) addNodes(nodes ...act.Node) {
	s.Nodes = append(slices.Clip(s.Nodes), nodes...)
	slices.SortFunc(s.Nodes, func(a, b act.Node) int { return cmp.Compare(a.ID, b.ID) })
}

// admissibleSettings checks q and a policy, the approvals aside.
func (s *State) admissibleSettings(a *act.Act) *Refusal {
	d, err := act.DecodeSettings(a.Payload)
	if err == nil {
		err = d.Validate(s.leads())
	}
	if err != nil {
		return refuse(CodeActPayload, "%v", err)
	}
	if level := d.Policy.Level(); level > s.FeatureLevel {
		return refuse(CodeActType, "limits are of feature level %d, and level %d is in force", level, s.FeatureLevel)
	}
	for _, own := range d.Policy.Quotas {
		if m, r := s.present(own.Hospital); r != nil || m.Role != act.RoleHospital {
			return refuse(CodeActPayload, "quota of institution %d, which is no hospital here", own.Hospital)
		}
	}
	if now := (act.Settings{Quorum: s.Quorum, Policy: s.Policy}); bytes.Equal(now.Marshal(), d.Marshal()) {
		return refuse(CodeActPayload, "these settings are in force already")
	}
	return nil
}

func (s *State) acceptSettings(a *act.Act) {
	d, err := act.DecodeSettings(a.Payload)
	if err != nil {
		return // not admitted
	}
	s.Quorum, s.Policy = d.Quorum, d.Policy
	s.RosterVersion++
}

// admissibleRights checks a reader's new rights, the approvals aside.
func (s *State) admissibleRights(a *act.Act) *Refusal {
	d, err := act.DecodeRightsChange(a.Payload)
	if err != nil {
		return refuse(CodeActPayload, "%v", err)
	}
	m, r := s.present(d.Institution)
	if r != nil {
		return r
	}
	national, regional := d.Rights.Has(act.RightNational), d.Rights.Has(act.RightProvince)
	switch {
	case m.Role != act.RoleReader:
		return refuse(CodeActPayload, "institution %d is a %s: only a reader has rights to read", d.Institution, m.Role)
	case d.Rights == m.Rights:
		return refuse(CodeActPayload, "institution %d has these rights already", d.Institution)
	case national && regional, d.Rights == act.RightGenetics:
		return refuse(CodeActPayload, "a reader reads the nation or one province, or nothing")
	case regional && m.Province == "":
		return refuse(CodeActPayload, "institution %d is of no province", d.Institution)
	}
	if r := s.admitFewerReaders(m.Rights, d.Rights); r != nil {
		return r
	}
	gained := m.Institution
	gained.Rights = d.Rights &^ m.Rights // room is needed for what is new
	if gained.Rights == act.RightGenetics {
		gained.Rights = 0
	}
	return s.admitReader(&gained)
}

func (s *State) acceptRights(a *act.Act) {
	d, err := act.DecodeRightsChange(a.Payload)
	if err != nil {
		return // not admitted
	}
	s.setRights(&s.Members[d.Institution-1], d.Rights)
	s.RosterVersion++
}
