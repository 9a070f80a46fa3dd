package daemon

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/registry/act"
)

// settleTimeout bounds the wait for this node's copy to show why the leader
// said no.
const settleTimeout = 5 * time.Second

// approve gives this hospital's approval to a proposal and, once there are
// enough, brings the act into force. It may be repeated: what is done already is
// left out.
func (s *service) approve(r *http.Request) (admin.Approval, error) {
	var in admin.NewApproval
	if err := json.NewDecoder(http.MaxBytesReader(nil, r.Body, maxProposalRequest)).Decode(&in); err != nil {
		return admin.Approval{}, fmt.Errorf("%w: the request is not readable", errInvalid)
	}
	view, now := s.now()
	id, err := findProposal(view, r.PathValue("id"))
	if err != nil {
		return admin.Approval{}, err
	}
	sign, err := s.mayApprove(view, id, now)
	if err != nil {
		return admin.Approval{}, err
	}
	if sign && !in.DryRun {
		if err := s.postApproval(r.Context(), view, id); err != nil {
			return admin.Approval{}, err
		}
	}
	if !in.DryRun {
		if view, err = s.submitApproved(r.Context(), id); err != nil {
			return admin.Approval{}, err
		}
	}
	p, err := s.describe(view, id, now)
	return admin.Approval{Proposal: p, Signs: sign}, err
}

// mayApprove tells whether there is a signature to give. There is none, and no
// error, where this hospital has given it, where there are enough, and where the
// act is in force.
func (s *service) mayApprove(view *state.State, id [32]byte, now uint64) (sign bool, err error) {
	if end, _ := view.EndOfProposal(id, now); end == state.Fulfilled {
		return false, nil
	}
	if p, open := view.Proposal(id, now); open {
		if _, enough := view.Approved(p); enough || s.stands(view, p) {
			return false, nil
		}
	}
	if me, ok := view.Member(s.self.Institution); !ok || me.Role != act.RoleHospital || !me.Lead {
		return false, fmt.Errorf("%w: %s is none", errNotLead, memberWithNumber(view, s.self.Institution))
	}
	if refusal := view.CheckApprover(s.self.Institution, id, now); refusal != nil {
		return false, fmt.Errorf("%w: %w", errRefused, refusal)
	}
	if p, open := view.Proposal(id, now); open {
		if err := s.checkQuorumLeft(view, &p.Act); err != nil {
			return false, fmt.Errorf("%w: %w", errRefused, err)
		}
	}
	return true, nil
}

// stands reports whether this hospital's approval counts.
func (s *service) stands(view *state.State, p *state.Proposal) bool {
	return slices.ContainsFunc(view.Standing(p), func(a act.Approval) bool { return a.Hospital == s.self.Institution })
}

// postApproval signs what is proposed and posts it. Another approval by this
// hospital may have been under way.
func (s *service) postApproval(ctx context.Context, view *state.State, id [32]byte) error {
	i := slices.IndexFunc(view.Proposals, func(p state.Proposal) bool { return p.ID == id })
	a := &view.Proposals[i].Act
	signed, err := a.Approve(view.Network, s.self.Institution, s.envelopeKey(view))
	if err != nil {
		return err
	}
	err = s.postAct(ctx, act.Act{
		Version: act.Version, Type: act.TypeApproval, Payload: act.ProposalApproval{Proposal: id, Approval: signed}.Marshal(),
	})
	if err := s.seen(ctx, err, func(v *state.State) bool { return s.decided(v, id) }); err != nil {
		return unposted("approve", err)
	}
	s.log.Info("approved", "proposal", hex.EncodeToString(id[:]), "type", a.Type.String())
	return nil
}

// decided reports whether this hospital's approval counts, or is not needed any
// more.
func (s *service) decided(view *state.State, id [32]byte) bool {
	p, open := view.Proposal(id, view.LogTime)
	if !open {
		return knows(view, id)
	}
	_, enough := view.Approved(p)
	return enough || s.stands(view, p)
}

// seen waits until this node's copy shows what was posted. After a refusal it
// may show that the same was done already.
func (s *service) seen(ctx context.Context, posted error, cond func(*state.State) bool) error {
	var refusal *state.Refusal
	if posted != nil && !errors.As(posted, &refusal) {
		return posted
	}
	if refusal != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, settleTimeout)
		defer cancel()
	}
	_, err := s.node.Wait(ctx, cond)
	if err != nil && refusal != nil {
		return refusal
	}
	return err
}

// submitApproved posts the act of a proposal that has its approvals, and returns
// the state with it in force. Without enough of them it does nothing.
func (s *service) submitApproved(ctx context.Context, id [32]byte) (*state.State, error) {
	view := s.node.View()
	p, open := view.Proposal(id, view.LogTime)
	if !open {
		return view, nil
	}
	a, enough := view.Approved(p)
	if !enough {
		return view, nil
	}
	posted := s.postAct(ctx, a)
	fulfilled := func(v *state.State) bool {
		end, _ := v.EndOfProposal(id, v.LogTime)
		return end == state.Fulfilled
	}
	if err := s.seen(ctx, posted, fulfilled); err != nil {
		return view, unposted("submit the approved act", err)
	}
	return s.node.View(), nil
}
