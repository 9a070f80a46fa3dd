package daemon

import (
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
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
			return s.describeEnded(view, &view.Ended[i]), nil
		}
	}
	return admin.Proposal{}, fmt.Errorf("%w: %x", errNoProposal, id[:8])
}

func (s *service) describeProposal(view *state.State, p *state.Proposal, now uint64) admin.Proposal {
	end, _ := view.EndOfProposal(p.ID, now)
	standing := view.Standing(p)
	_, enough := view.Approved(p)
	return admin.Proposal{
		ID: hex.EncodeToString(p.ID[:]), Type: p.Act.Type.String(), State: end.String(),
		Proposer: p.Proposer, ProposerName: institutionName(view, p.Proposer), Envelope: p.Envelope,
		Proposed: rfc3339(p.LogTime), Expires: rfc3339(p.Act.Expiry), Reason: p.Reason,
		Needed: view.Quorum, Given: len(standing), Enough: enough, Mine: s.stands(view, p),
		Approvals: approvers(view, standing), NetworkID: hex.EncodeToString(view.Network[:]), Core: p.Act.Core(),
	}
}

// describeEnded tells what stays known of a proposal that has ended. What it said
// is read from the log, and empty where this node has not got those envelopes
// yet; so are its approvals, which an act in force carries.
func (s *service) describeEnded(view *state.State, e *state.EndedProposal) admin.Proposal {
	out := admin.Proposal{
		ID: hex.EncodeToString(e.ID[:]), Type: e.Type.String(), State: e.End.String(),
		Proposer: e.Proposer, ProposerName: institutionName(view, e.Proposer), Envelope: e.Envelope, Ended: e.At,
		Needed: view.Quorum, Approvals: []admin.Approver{}, NetworkID: hex.EncodeToString(view.Network[:]),
	}
	if a, logTime, err := s.actIn(e.Envelope); err == nil && a.Type == act.TypeProposal {
		if p, err := act.DecodeProposal(a.Payload); err == nil && act.ProposalID(view.Network, p.Core) == e.ID {
			core, _ := act.DecodeCore(p.Core) // the state machine has read it
			out.Proposed, out.Expires, out.Reason, out.Core = rfc3339(logTime), rfc3339(core.Expiry), p.Reason, p.Core
		}
	}
	if e.End != state.Fulfilled {
		return out
	}
	if a, _, err := s.actIn(e.At); err == nil && act.ProposalID(view.Network, a.Core()) == e.ID {
		out.Approvals = approvers(view, a.Approvals)
		out.Given, out.Enough = len(a.Approvals), true
		out.Mine = slices.ContainsFunc(a.Approvals, func(one act.Approval) bool { return one.Hospital == s.self.Institution })
	}
	return out
}

// actIn reads the act of an envelope.
func (s *service) actIn(number uint64) (*act.Act, uint64, error) {
	env, logTime, err := s.node.Machine().Envelope(number)
	if err != nil {
		return nil, 0, err
	}
	if env.Kind != envelope.KindAct || len(env.Bodies) != 1 {
		return nil, 0, fmt.Errorf("envelope %d is no act", number)
	}
	a, err := act.Decode(env.Bodies[0].Ciphertext)
	return a, logTime, err
}

func approvers(view *state.State, list []act.Approval) []admin.Approver {
	out := []admin.Approver{}
	for _, a := range list {
		out = append(out, admin.Approver{Hospital: a.Hospital, Name: institutionName(view, a.Hospital), KeyID: a.KeyID.String()})
	}
	return out
}

func institutionName(view *state.State, number uint32) string {
	m, ok := view.Member(number)
	if !ok {
		return ""
	}
	return nameOf(m)
}
