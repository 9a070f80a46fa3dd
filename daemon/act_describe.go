package daemon

import (
	"encoding/hex"
	"fmt"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/daemon/admin"
)

// describe tells what is known of a proposal.
func (s *service) describe(view *state.State, id [32]byte, now uint64) (admin.Proposal, error) {
	for i := range view.Proposals {
		if view.Proposals[i].ID == id {
			return s.describeProposal(view, &view.Proposals[i], now), nil
		}
	}
	for i := range view.Ended {
		if view.Ended[i].ID == id {
			return describeEnded(view, &view.Ended[i]), nil
		}
	}
	return admin.Proposal{}, fmt.Errorf("%w: %x", errNoProposal, id[:8])
}

func (s *service) describeProposal(view *state.State, p *state.Proposal, now uint64) admin.Proposal {
	end, _ := view.EndOfProposal(p.ID, now)
	standing := view.Standing(p)
	_, enough := view.Approved(p)
	out := admin.Proposal{
		ID: hex.EncodeToString(p.ID[:]), Type: p.Act.Type.String(), State: end.String(),
		Proposer: p.Proposer, ProposerName: institutionName(view, p.Proposer), Envelope: p.Envelope,
		Proposed: rfc3339(p.LogTime), Expires: rfc3339(p.Act.Expiry), Reason: p.Reason,
		Needed: view.Quorum, Given: len(standing), Enough: enough, Mine: s.stands(view, p),
		Approvals: []admin.Approver{}, NetworkID: hex.EncodeToString(view.Network[:]), Core: p.Act.Core(),
	}
	for _, a := range standing {
		out.Approvals = append(out.Approvals, admin.Approver{
			Hospital: a.Hospital, Name: institutionName(view, a.Hospital), KeyID: a.KeyID.String(),
		})
	}
	return out
}

// describeEnded tells what stays known of a proposal that has ended.
func describeEnded(view *state.State, e *state.EndedProposal) admin.Proposal {
	return admin.Proposal{
		ID: hex.EncodeToString(e.ID[:]), Type: e.Type.String(), State: e.End.String(),
		Proposer: e.Proposer, ProposerName: institutionName(view, e.Proposer), Envelope: e.Envelope, Ended: e.At,
		Needed: view.Quorum, Approvals: []admin.Approver{}, NetworkID: hex.EncodeToString(view.Network[:]),
	}
}

func institutionName(view *state.State, number uint32) string {
	m, ok := view.Member(number)
	if !ok {
		return ""
	}
	return nameOf(m)
}
