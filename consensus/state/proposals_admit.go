package state

import (
	"slices"

	"github.com/raresync/raresync/registry/act"
)

// approvalBytes is more than an approval takes in an act.
const approvalBytes = 3_500

// CheckProposal tells whether a hospital may put a proposal forward at a log
// time in milliseconds; nil if so. What could never be in force is refused, so
// that nobody signs it.
func (s *State) CheckProposal(by uint32, p *act.Proposal, logTime uint64) *Refusal {
	m, ok := s.Member(by)
	if !ok || m.Role != act.RoleHospital {
		return refuse(CodeActPayload, "institution %d is no hospital, and proposes nothing", by)
	}
	a, err := act.DecodeCore(p.Core)
	if err != nil {
		return refuse(CodeActPayload, "%v", err)
	}
	if r := s.knownType(a); r != nil {
		return r
	}
	switch {
	case !a.Type.NeedsApproval():
		return refuse(CodeActPayload, "an act of type %s is not approved, and not proposed", a.Type)
	case a.RosterVersion != s.RosterVersion:
		return refuse(CodeActApproval, "proposed for roster %d, which is %d now", a.RosterVersion, s.RosterVersion)
	case a.Expiry < logTime || a.Expiry-logTime < act.MinProposalLife:
		return refuse(CodeActApproval, "the proposal expires within the hour")
	case a.Expiry-logTime > act.MaxProposalLife:
		return refuse(CodeActApproval, "the proposal lasts longer than 90 days")
	case len(p.Core) > a.Type.MaxCore():
		return refuse(CodeSize, "the core of a proposed %s has at most %d bytes", a.Type, a.Type.MaxCore())
	case uint64(len(p.Core))+min(s.Quorum, act.MaxApprovals)*approvalBytes > act.MaxBytes:
		return refuse(CodeSize, "with its approvals, %v", act.ErrTooLarge)
	}
	if r := s.roomForProposal(by, m, act.ProposalID(s.Network, p.Core), logTime); r != nil {
		return r
	}
	if r := s.roomForEdition(a, logTime); r != nil {
		return r
	}
	if same := s.SameReshare(a, logTime); same != nil {
		return refuse(CodeActPayload, "the same reshare is open as proposal %x: approve that, or wait until it has ended", same.ID[:8])
	}
	return s.admissible(a, logTime)
}

// SameReshare returns the proposal open at a log time in milliseconds that would
// move the key to the same holders with the same threshold, whatever its
// deadline; nil if there is none, or the act is no reshare.
func (s *State) SameReshare(a *act.Act, logTime uint64) *Proposal {
	if a.Type != act.TypeCeremony {
		return nil
	}
	want, err := act.DecodeCeremony(a.Payload)
	if err != nil {
		return nil // refused for it
	}
	for i := range s.Proposals {
		p := &s.Proposals[i]
		if p.Act.Type != act.TypeCeremony || s.endOf(p, logTime) != 0 {
			continue
		}
		if c, err := act.DecodeCeremony(p.Act.Payload); err == nil && movesAlike(c, want) {
			return p
		}
	}
	return nil
}

// movesAlike reports whether two reshares come to the same: the order in which
// holders are named only numbers their shares.
func movesAlike(a, b *act.Ceremony) bool {
	return a.Epoch == b.Epoch && a.Threshold == b.Threshold &&
		slices.Equal(slices.Sorted(slices.Values(a.Holders)), slices.Sorted(slices.Values(b.Holders)))
}

// roomForProposal refuses a proposal that is open already, and one too many.
func (s *State) roomForProposal(by uint32, m *Member, id [32]byte, logTime uint64) *Refusal {
	var open, own, others int
	for i := range s.Proposals {
		p := &s.Proposals[i]
		if s.endOf(p, logTime) != 0 {
			continue
		}
		if p.ID == id {
			return refuse(CodeActPayload, "proposal %x is open already", id[:8])
		}
		open++
		if p.Proposer == by {
			own++
		}
		if proposer, ok := s.Member(p.Proposer); ok && !proposer.leads() {
			others++
		}
	}
	switch {
	case own >= MaxProposalsOfOne:
		return refuse(CodeActPayload, "institution %d has %d open proposals", by, own)
	case open >= MaxProposals:
		return refuse(CodeActPayload, "%d proposals are open", open)
	case !m.leads() && others >= MaxProposalsByOther:
		return refuse(CodeActPayload, "%d proposals by hospitals that do not lead are open", others)
	}
	return nil
}

// CheckApprover tells whether a hospital may approve a proposal at a log time
// in milliseconds, its signature aside; nil if so.
func (s *State) CheckApprover(by uint32, proposal [32]byte, logTime uint64) *Refusal {
	p, open := s.Proposal(proposal, logTime)
	if !open {
		if end, found := s.EndOfProposal(proposal, logTime); found {
			return refuse(CodeActPayload, "proposal %x is %s", proposal[:8], end)
		}
		return refuse(CodeActPayload, "there is no proposal %x", proposal[:8])
	}
	m, ok := s.Member(by)
	standing := s.Standing(p)
	switch {
	case !ok || !m.leads():
		return refuse(CodeActApproval, "institution %d is no lead hospital", by)
	case slices.ContainsFunc(standing, func(a act.Approval) bool { return a.Hospital == by }):
		return refuse(CodeActApproval, "institution %d has approved proposal %x already", by, proposal[:8])
	case uint64(len(standing)) >= s.Quorum:
		return refuse(CodeActApproval, "proposal %x has the %d approvals it needs", proposal[:8], s.Quorum)
	case len(p.Approvals) >= act.MaxApprovals:
		return refuse(CodeActApproval, "proposal %x has %d approvals, most of them with keys of before: propose it anew", proposal[:8], len(p.Approvals))
	}
	if r := s.votersSupport(&p.Act); r != nil {
		return r
	}
	return s.admissible(&p.Act, logTime)
}

// admitProposal checks an act of act.TypeProposal.
func (s *State) admitProposal(by uint32, a *act.Act, logTime uint64) *Refusal {
	if r := unapproved(a); r != nil {
		return r
	}
	p, err := act.DecodeProposal(a.Payload)
	if err != nil {
		return refuse(CodeActPayload, "%v", err)
	}
	return s.CheckProposal(by, &p, logTime)
}

// admitApproval checks an act of act.TypeApproval.
func (s *State) admitApproval(by uint32, a *act.Act, logTime uint64) *Refusal {
	if r := unapproved(a); r != nil {
		return r
	}
	d, err := act.DecodeProposalApproval(a.Payload)
	if err != nil {
		return refuse(CodeActPayload, "%v", err)
	}
	if r := s.CheckApprover(by, d.Proposal, logTime); r != nil {
		return r
	}
	if d.Approval.Hospital != by {
		return refuse(CodeActApproval, "an approval by institution %d, sent by %d", d.Approval.Hospital, by)
	}
	m, _ := s.Member(by)
	p := &s.Proposals[s.findProposal(d.Proposal)]
	if err := p.Act.VerifyApproval(s.Network, &d.Approval, m.Envelope); err != nil {
		return refuse(CodeActApproval, "approval by %d: %v", by, err)
	}
	return nil
}
